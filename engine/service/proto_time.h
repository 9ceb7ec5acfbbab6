#pragma once
// Nanoseconds to and from protobuf's Duration and Timestamp.
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace callimport::engine {

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

inline constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 1;

/// Saturates: durations beyond about 292 years are as good as that.
inline std::int64_t to_nanos(const google::protobuf::Duration& duration) {
  const std::int64_t seconds = std::clamp(duration.seconds(), -kSecondsMax, kSecondsMax);
  return seconds * kNanosPerSecond + std::clamp<std::int64_t>(duration.nanos(), -999'999'999, 999'999'999);
}
inline void set_nanos(google::protobuf::Duration* duration, std::int64_t nanos) {
  duration->set_seconds(nanos / kNanosPerSecond);
  duration->set_nanos(static_cast<std::int32_t>(nanos % kNanosPerSecond));
}
inline void set_nanos(google::protobuf::Timestamp* time, std::int64_t unix_nanos) {
  time->set_seconds(unix_nanos / kNanosPerSecond);
  time->set_nanos(static_cast<std::int32_t>(unix_nanos % kNanosPerSecond));
}
/// Saturates, too.
inline std::int64_t to_nanos(const google::protobuf::Timestamp& time) {
  return std::clamp(time.seconds(), -kSecondsMax, kSecondsMax) * kNanosPerSecond +
         std::clamp<std::int64_t>(time.nanos(), -999'999'999, 999'999'999);
}
/// a + b, never past either end of time.
inline std::int64_t add_nanos(std::int64_t a, std::int64_t b) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? Limits::max() : Limits::min();
}

}  // namespace callimport::engine
