#pragma once
// Time as the house speaks it: UTC instants with the nanoseconds of Temporal's timestamps; on disk, integer ms or ns.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/model/result.h"

namespace callimport {

using Nanos = std::chrono::nanoseconds;
using Timestamp = std::chrono::sys_time<Nanos>;
using namespace std::chrono_literals;

inline std::int64_t to_unix_ms(Timestamp t) {
  return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}
inline std::int64_t to_unix_ns(Timestamp t) { return t.time_since_epoch().count(); }
inline Timestamp from_unix_ms(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }
inline Timestamp from_unix_ns(std::int64_t ns) { return Timestamp{Nanos{ns}}; }

/// `2026-09-04T22:01:18Z`, with `.sss` only when there are milliseconds.
std::string format_utc(Timestamp t);
/// The whole seconds all of whose nanoseconds a Timestamp holds: 1677-09-21T00:12:44Z to 2262-04-11T23:47:15Z.
inline constexpr std::chrono::sys_seconds kEarliestSecond{std::chrono::seconds{-9'223'372'036}};
inline constexpr std::chrono::sys_seconds kLatestSecond{std::chrono::seconds{9'223'372'035}};
/// RFC 3339 with `Z` or an offset and 0 to 9 fraction digits.
/// @error kInvalid  not such a text, or a time before kEarliestSecond or after kLatestSecond: says which.
Result<Timestamp> parse_utc(std::string_view text);

}  // namespace callimport
