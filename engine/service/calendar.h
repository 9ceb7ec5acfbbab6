#pragma once
// Moments named by calendar fields in a time zone: what cron expressions and schedules are made of. Arithmetic only, no
// text.
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "storage/runtime/time_zone.h"

namespace callimport::engine {

/// Bit n of a field: the value n matches.
struct CalendarFields {
  std::uint64_t seconds = 1;  ///< 0 to 59
  std::uint64_t minutes = 0;  ///< 0 to 59
  std::uint32_t hours = 0;    ///< 0 to 23
  std::uint32_t days = 0;     ///< of the month, 1 to 31
  std::uint16_t months = 0;   ///< 1 to 12
  std::uint8_t weekdays = 0;  ///< 0 Sunday to 6
  bool any_year = true;
  std::array<std::uint64_t, 2> years{};  ///< unless any: bit n of word w is the year 2000 + 64 w + n
  /// Of days and weekdays one is enough. Otherwise a day has to match both.
  bool either_day = false;
};

/// A day of the proleptic Gregorian calendar.
struct CivilDay {
  std::int64_t year = 1970;
  int month = 1, day = 1;
  int weekday = 4;  ///< 0 Sunday
};
CivilDay civil_day(std::int64_t days_since_1970);

/// The first whole second after `after` whose local time matches. Local times that a change of the clock leaves out do
/// not happen; those it repeats happen twice. @return unix seconds; nothing within the five years that follow.
std::optional<std::int64_t> next_moment(const CalendarFields& fields, const TimeZone& zone, std::int64_t after);
/// The same, up to the end of `last_year` instead.
std::optional<std::int64_t> next_moment(const CalendarFields& fields, const TimeZone& zone, std::int64_t after,
                                        std::int64_t last_year);

/// Whether a second matches. @param matching_until  when it does: the end of the whole minute, hour or day that
/// matches with it, or of the second; unix seconds, exclusive.
bool is_moment(const CalendarFields& fields, const TimeZone& zone, std::int64_t at, std::int64_t* matching_until);
/// The local year of a moment.
std::int64_t year_of(const TimeZone& zone, std::int64_t unix_seconds);

}  // namespace callimport::engine
