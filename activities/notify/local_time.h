#pragma once
// People's own clocks: quiet hours, and the next morning. Pure; a zone that does not exist is UTC.
#include <cstdint>
#include <optional>
#include <string>

#include "activities/notify/people.h"

namespace callimport::activities {

/// When the quiet hours that `at_ms` lies in end; nothing while it is not quiet.
std::optional<std::int64_t> quiet_until(const QuietHours& quiet, const std::string& zone, std::int64_t at_ms);
/// The first moment after `at_ms` at which clocks there show this minute of the day.
/// @param weekday  0 Sunday; -1: any day
std::int64_t next_local(std::int64_t at_ms, int minute_of_day, const std::string& zone, int weekday = -1);
/// "22:00-07:00"; empty: none.
std::optional<QuietHours> parse_quiet(const std::string& text);
/// "14:02", or "21 Nov 14:02" on another day than `now_ms`'s, as clocks there show it.
std::string spoken_time(std::int64_t at_ms, std::int64_t now_ms, const std::string& zone);

}  // namespace callimport::activities
