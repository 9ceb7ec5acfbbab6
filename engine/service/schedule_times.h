#pragma once
// When a schedule acts (conformance C.15): the next time of its spec as a pure function of the time before.
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "engine/service/calendar.h"
#include "engine/service/schedule_text.h"

namespace callimport::engine {

inline constexpr std::int64_t kScheduleYearMax = 2100;
/// Stretches of excluded time that are passed over in search of the next time; behind so many there is none.
inline constexpr int kExcludedStretchesMax = 20'000;

/// Times in unix ns.
struct ScheduleTime {
  std::int64_t nominal_ns = 0;  ///< as the spec says: whole seconds
  std::int64_t due_ns = 0;      ///< with jitter: never earlier, and not behind the next nominal time
};

class ScheduleTimes {
 public:
  /// @param spec  in its one form. @param seed  of the jitter: the same seed and time, the same jitter.
  /// @error  Temporal's words: no such time zone.
  static tl::expected<ScheduleTimes, std::string> of(const ScheduleSpec& spec, std::string seed);

  /// The first time whose nominal one is later. @return nothing: there is none until the end of 2100.
  std::optional<ScheduleTime> next(std::int64_t after_ns) const;

 private:
  struct Interval {
    std::int64_t every = 1, phase = 0;  ///< seconds
  };
  std::optional<std::int64_t> next_nominal(std::int64_t after) const;  ///< unix seconds, exclusions aside
  std::optional<std::int64_t> excluded_until(std::int64_t at) const;

  std::vector<CalendarFields> calendars_, excluded_;
  std::vector<Interval> intervals_;
  TimeZone zone_;
  std::int64_t start_ns_ = 0, end_ns_ = 0;  ///< 0: none
  std::int64_t jitter_ns_ = 0;
  std::string seed_;
};

}  // namespace callimport::engine
