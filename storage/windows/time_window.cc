#include "storage/windows/time_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace callimport::storage {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
/// The first look ahead for an opening or an end; most are within it.
constexpr std::int64_t kLookAhead = 9 * kDaySeconds;

std::int64_t day_at(std::int64_t unix_seconds) {
  return unix_seconds / kDaySeconds - (unix_seconds % kDaySeconds < 0 ? 1 : 0);
}

std::int64_t seconds_of(Timestamp at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

Timestamp moment_at(std::int64_t unix_seconds) { return Timestamp{std::chrono::seconds{unix_seconds}}; }

/// In order, those that touch each other made one.
std::vector<Stretch> joined(std::vector<Stretch> all) {
  std::sort(all.begin(), all.end(), [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  std::vector<Stretch> out;
  for (const Stretch& one : all) {
    if (one.from >= one.to) continue;
    if (!out.empty() && one.from <= out.back().to) {
      out.back().to = std::max(out.back().to, one.to);
    } else {
      out.push_back(one);
    }
  }
  return out;
}

/// What of `open` is not in `closed`; both joined.
std::vector<Stretch> without(const std::vector<Stretch>& open, const std::vector<Stretch>& closed) {
  std::vector<Stretch> out;
  for (Stretch left : open) {
    for (const Stretch& shut : closed) {
      if (shut.to <= left.from || shut.from >= left.to) continue;
      if (shut.from > left.from) out.push_back({left.from, shut.from});
      left.from = std::min(shut.to, left.to);
    }
    if (left.from < left.to) out.push_back(left);
  }
  return out;
}

void add_dated(const DatedHours& dated, std::int64_t first, std::int64_t last, std::vector<Stretch>& into) {
  for (std::int64_t day = std::max(first, dated.first); day <= std::min(last, dated.last); ++day) {
    into.push_back(stretch_on(day, dated.hours, dated.zone.zone));
  }
}

}  // namespace

Stretch stretch_on(std::int64_t day, const WindowHours& hours, const TimeZone& zone) {
  const std::int64_t midnight = day * kDaySeconds;
  return {zone.moment_of(midnight + hours.from * 60), zone.moment_of(midnight + hours.to * 60)};
}

int weekday_of(std::int64_t day) { return static_cast<int>(((day + 4) % 7 + 7) % 7); }

std::vector<Stretch> TimeWindow::openings(std::int64_t from, std::int64_t to) const {
  // Hours of a local day begin up to a day beside the UTC day of that name, and last up to two days.
  const std::int64_t first = day_at(from) - 3, last = day_at(to) + 1;
  std::vector<Stretch> open, closed;
  if (always_) open.push_back({from, to});
  for (const WeeklyHours& weekly : weekly_) {
    for (std::int64_t day = first; day <= last; ++day) {
      if ((weekly.weekdays >> weekday_of(day) & 1) != 0)
        open.push_back(stretch_on(day, weekly.hours, weekly.zone.zone));
    }
  }
  for (const DatedHours& dated : dated_) add_dated(dated, first, last, dated.open ? open : closed);
  std::vector<Stretch> out = without(joined(std::move(open)), joined(std::move(closed)));
  std::erase_if(out, [&](const Stretch& one) { return one.to <= from || one.from >= to; });
  if (!out.empty()) {
    out.front().from = std::max(out.front().from, from);
    out.back().to = std::min(out.back().to, to);
  }
  return out;
}

bool TimeWindow::is_open(Timestamp at) const {
  if (always()) return true;
  const std::int64_t now = seconds_of(at);
  return !openings(now, now + 1).empty();
}

std::optional<Timestamp> TimeWindow::next_opening(Timestamp at) const {
  if (is_open(at)) return at;
  const std::int64_t now = seconds_of(at);
  // Weekly hours come back within days; what keeps them away, or opens besides, has a date.
  std::int64_t end = now + kLookAhead;
  for (const DatedHours& dated : dated_) end = std::max(end, (dated.last + 9) * kDaySeconds);
  for (std::int64_t from = now; from < end; from += kLookAhead) {
    const auto found = openings(from, from + kLookAhead);
    if (!found.empty()) return moment_at(found.front().from);
  }
  return std::nullopt;
}

std::optional<Timestamp> TimeWindow::closes_at(Timestamp at) const {
  if (!is_open(at) || always()) return std::nullopt;
  const std::int64_t now = seconds_of(at);
  for (std::int64_t ahead = kLookAhead; ahead <= kHorizonDays * kDaySeconds * 2; ahead *= 3) {
    const auto found = openings(now, now + ahead);
    if (found.front().to < now + ahead) return moment_at(found.front().to);
  }
  return std::nullopt;
}

std::string spoken_moment(Timestamp at, const ZoneName& zone) {
  const TimeZone utc;
  const std::string there = format_local(at, zone.zone), here = format_local(at, utc);
  if (zone.name == "UTC") return here + " UTC";
  // The day is said once where both have the same.
  const bool same_day = there.substr(0, 10) == here.substr(0, 10);
  return fmt::format("{} {} ({} UTC)", there, zone.name, same_day ? here.substr(11) : here);
}

}  // namespace callimport::storage
