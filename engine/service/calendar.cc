#include "engine/service/calendar.h"

#include <date/date.h>

#include <algorithm>
#include <bit>

namespace callimport::engine {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kYearsAhead = 5;

std::int64_t floor_days(std::int64_t seconds) { return seconds / kDay - (seconds % kDay < 0 ? 1 : 0); }

bool has(std::uint64_t bits, int value) { return (bits >> value & 1) != 0; }

/// The first set bit at or after `from`; -1: none.
int first_set(std::uint64_t bits, int from) {
  if (from > 63) return -1;
  const std::uint64_t rest = bits >> from;
  return rest == 0 ? -1 : from + std::countr_zero(rest);
}

constexpr std::int64_t kFirstYear = 2000;

bool year_matches(const CalendarFields& fields, std::int64_t year) {
  if (fields.any_year) return true;
  const std::int64_t bit = year - kFirstYear;
  return bit >= 0 && bit < 128 && has(fields.years[static_cast<std::size_t>(bit / 64)], static_cast<int>(bit % 64));
}

bool day_matches(const CalendarFields& fields, const CivilDay& day) {
  if (!has(fields.months, day.month)) return false;
  const bool of_month = has(fields.days, day.day), of_week = has(fields.weekdays, day.weekday);
  return fields.either_day ? of_month || of_week : of_month && of_week;
}

/// The first matching second of a day at or after `from`; -1: none.
std::int64_t time_of_day(const CalendarFields& fields, std::int64_t from) {
  int hour = static_cast<int>(from / 3600), minute = static_cast<int>(from / 60 % 60);
  int second = first_set(fields.seconds, static_cast<int>(from % 60));
  if (!has(fields.hours, hour) || !has(fields.minutes, minute)) second = -1;
  if (second < 0) {  // a later minute of this hour, or of a later hour
    second = first_set(fields.seconds, 0);
    minute = has(fields.hours, hour) ? first_set(fields.minutes, minute + 1) : -1;
    if (minute < 0) {
      minute = first_set(fields.minutes, 0);
      hour = first_set(fields.hours, hour + 1);
    }
  }
  if (hour < 0 || minute < 0 || second < 0) return -1;
  return std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second;
}

std::int64_t first_day_of(std::int64_t year, int month) {
  const date::year_month_day first{date::year{static_cast<int>(year)}, date::month{static_cast<unsigned>(month)},
                                   date::day{1}};
  return date::sys_days{first}.time_since_epoch().count();
}

/// The first day after `civil` that may match, as far as its year and its month tell.
std::int64_t next_month(const CalendarFields& fields, const CivilDay& civil) {
  if (!year_matches(fields, civil.year)) return first_day_of(civil.year + 1, 1);
  return civil.month == 12 ? first_day_of(civil.year + 1, 1) : first_day_of(civil.year, civil.month + 1);
}

/// The first matching local second at or after `local`, in a world whose clocks never change.
std::optional<std::int64_t> next_local(const CalendarFields& fields, std::int64_t local, std::int64_t last_year) {
  std::int64_t day = floor_days(local);
  std::int64_t from = local - day * kDay;
  for (;; from = 0) {
    const CivilDay civil = civil_day(day);
    if (civil.year > last_year) return std::nullopt;
    if (!year_matches(fields, civil.year) || !has(fields.months, civil.month)) {
      day = next_month(fields, civil);
      continue;
    }
    if (day_matches(fields, civil)) {
      if (const std::int64_t time = time_of_day(fields, from); time >= 0) return day * kDay + time;
    }
    ++day;
  }
}

}  // namespace

CivilDay civil_day(std::int64_t days_since_1970) {
  const date::sys_days day{date::days{static_cast<int>(days_since_1970)}};
  const date::year_month_day ymd{day};
  return {static_cast<int>(ymd.year()), static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())), static_cast<int>(date::weekday{day}.c_encoding())};
}

std::int64_t year_of(const TimeZone& zone, std::int64_t unix_seconds) {
  return civil_day(floor_days(unix_seconds + zone.at(unix_seconds).offset)).year;
}

std::optional<std::int64_t> next_moment(const CalendarFields& fields, const TimeZone& zone, std::int64_t after) {
  return next_moment(fields, zone, after, year_of(zone, after + 1) + kYearsAhead);
}

std::optional<std::int64_t> next_moment(const CalendarFields& fields, const TimeZone& zone, std::int64_t after,
                                        std::int64_t last_year) {
  std::int64_t at = after + 1;
  for (;;) {
    const TimeZone::Stretch stretch = zone.at(at);
    const auto local = next_local(fields, at + stretch.offset, last_year);
    if (!local) return std::nullopt;
    const std::int64_t moment = *local - stretch.offset;
    if (moment < stretch.end) return moment;
    at = stretch.end;
  }
}

bool is_moment(const CalendarFields& fields, const TimeZone& zone, std::int64_t at, std::int64_t* matching_until) {
  const TimeZone::Stretch stretch = zone.at(at);
  const std::int64_t local = at + stretch.offset, day = floor_days(local), of_day = local - day * kDay;
  const CivilDay civil = civil_day(day);
  if (!year_matches(fields, civil.year) || !day_matches(fields, civil)) return false;
  if (!has(fields.hours, static_cast<int>(of_day / 3600)) || !has(fields.minutes, static_cast<int>(of_day / 60 % 60)) ||
      !has(fields.seconds, static_cast<int>(of_day % 60))) {
    return false;
  }
  constexpr std::uint64_t kSixty = (std::uint64_t{1} << 60) - 1;
  std::int64_t whole = 1;
  if (fields.seconds == kSixty) whole = 60;
  if (whole == 60 && fields.minutes == kSixty) whole = 3600;
  if (whole == 3600 && fields.hours == (1u << 24) - 1) whole = kDay;
  *matching_until = std::min(local - of_day % whole + whole - stretch.offset, stretch.end);
  return true;
}

}  // namespace callimport::engine
