#include "activities/notify/local_time.h"

#include <fmt/format.h>

#include <cstdio>

#include "storage/runtime/time_zone.h"

namespace callimport::activities {
namespace {

constexpr std::int64_t kDay = 24 * 3'600;
constexpr int kDaysLooked = 9;

TimeZone zone_named(const std::string& name) { return TimeZone::find(name).value_or(TimeZone()); }

/// Floor of a division, also below zero.
std::int64_t floor_of(std::int64_t value, std::int64_t by) { return (value - ((value % by) + by) % by) / by; }

std::int64_t local_of(std::int64_t at_ms, const TimeZone& zone) {
  const std::int64_t seconds = floor_of(at_ms, 1'000);
  return seconds + zone.at(seconds).offset;
}

std::optional<int> parse_minute(const std::string& text) {
  int hour = 0, minute = 0, used = 0;
  if (text.size() != 5 || std::sscanf(text.c_str(), "%2d:%2d%n", &hour, &minute, &used) != 2 || used != 5)
    return std::nullopt;
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

std::optional<std::int64_t> quiet_until(const QuietHours& quiet, const std::string& name, std::int64_t at_ms) {
  if (quiet.none()) return std::nullopt;
  const TimeZone zone = zone_named(name);
  const std::int64_t local = local_of(at_ms, zone);
  const std::int64_t day = floor_of(local, kDay);
  const std::int64_t minute = (local - day * kDay) / 60;
  const bool over_midnight = quiet.to < quiet.from;
  const bool late = minute >= quiet.from, early = minute < quiet.to;
  if (over_midnight ? !late && !early : !late || !early) return std::nullopt;
  const std::int64_t end_day = over_midnight && late ? day + 1 : day;
  return zone.moment_of(end_day * kDay + quiet.to * 60) * 1'000;
}

std::int64_t next_local(std::int64_t at_ms, int minute_of_day, const std::string& name, int weekday) {
  const TimeZone zone = zone_named(name);
  const std::int64_t today = floor_of(local_of(at_ms, zone), kDay);
  for (std::int64_t day = today; day < today + kDaysLooked; ++day) {
    if (weekday >= 0 && ((day + 4) % 7 + 7) % 7 != weekday) continue;  // 1970 began on a Thursday
    const std::int64_t moment = zone.moment_of(day * kDay + std::int64_t{minute_of_day} * 60) * 1'000;
    if (moment > at_ms) return moment;
  }
  return at_ms + kDay * 1'000;
}

std::optional<QuietHours> parse_quiet(const std::string& text) {
  if (text.empty()) return QuietHours{};
  const auto dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto from = parse_minute(text.substr(0, dash)), to = parse_minute(text.substr(dash + 1));
  if (!from || !to) return std::nullopt;
  return QuietHours{*from % (24 * 60), *to % (24 * 60)};
}

std::string spoken_time(std::int64_t at_ms, std::int64_t now_ms, const std::string& name) {
  const TimeZone zone = zone_named(name);
  const std::string there = format_local(from_unix_ms(at_ms), zone), here = format_local(from_unix_ms(now_ms), zone);
  const std::string clock = there.size() >= 16 ? there.substr(11, 5) : there;
  return there.substr(0, 10) == here.substr(0, 10) ? clock : there.substr(0, 10) + " " + clock;
}

}  // namespace callimport::activities
