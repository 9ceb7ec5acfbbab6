#include "storage/windows/icalendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace callimport::storage {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::size_t kLineBytesMax = 75;
constexpr std::array<std::string_view, 7> kDayNames = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

/// Lines of at most 75 bytes; what is longer goes on after a space (RFC 5545, 3.1), between characters of UTF-8.
class Lines {
 public:
  void add(std::string_view line) {
    std::size_t room = kLineBytesMax;
    while (line.size() > room) {
      std::size_t end = room;
      while ((static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
      text_ += std::string(line.substr(0, end)) + "\r\n ";
      line.remove_prefix(end);
      room = kLineBytesMax - 1;
    }
    text_ += std::string(line) + "\r\n";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Seconds as if there were no zones: 20261224T200000.
std::string stamp(std::int64_t local) {
  const std::string text = format_utc(Timestamp{std::chrono::seconds{local}});
  std::string out;
  for (const char c : text.substr(0, 19)) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

std::string at_zone(std::string_view name, std::int64_t local, const ZoneName& zone) {
  if (zone.name == "UTC") return fmt::format("{}:{}Z", name, stamp(local));
  return fmt::format("{};TZID={}:{}", name, zone.name, stamp(local));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ',' || c == ';' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) >= ' ') {
      out += c;
    }
  }
  return out;
}

std::string offset_text(std::int64_t seconds) {
  const std::int64_t size = seconds < 0 ? -seconds : seconds;
  std::string text = fmt::format("{}{:02}{:02}", seconds < 0 ? '-' : '+', size / 3'600, size / 60 % 60);
  if (size % 60 != 0) text += fmt::format("{:02}", size % 60);
  return text;
}

/// What clocks of the zone do in the years the calendar is for.
void write_zone(Lines& lines, const ZoneName& zone, std::int64_t from, std::int64_t to) {
  lines.add("BEGIN:VTIMEZONE");
  lines.add("TZID:" + zone.name);
  TimeZone::Stretch stretch = zone.zone.at(from);
  std::int64_t before = stretch.offset, begins = from + stretch.offset;
  std::int64_t least = stretch.offset;  // the zone's standard time is its lesser offset, near enough for a name
  for (auto one = stretch; one.end < to; one = zone.zone.at(one.end)) least = std::min(least, one.offset);
  while (true) {
    const std::string kind = stretch.offset > least ? "DAYLIGHT" : "STANDARD";
    lines.add("BEGIN:" + kind);
    lines.add("DTSTART:" + stamp(begins));
    lines.add("TZOFFSETFROM:" + offset_text(before));
    lines.add("TZOFFSETTO:" + offset_text(stretch.offset));
    lines.add("END:" + kind);
    if (stretch.end >= to) break;
    before = stretch.offset;
    begins = stretch.end + before;  // as clocks showed it before they changed
    stretch = zone.zone.at(stretch.end);
  }
  lines.add("END:VTIMEZONE");
}

/// Writes events of one calendar, numbered.
struct Calendar {
  Lines lines;
  std::string name, uid, made;
  int events = 0;

  void event(const ZoneName& zone, std::int64_t from, std::int64_t to, const std::vector<std::string>& more) {
    lines.add("BEGIN:VEVENT");
    lines.add(fmt::format("UID:{}-{}@callimport", uid, ++events));
    lines.add("DTSTAMP:" + made + "Z");
    lines.add("SUMMARY:" + escaped(name));
    lines.add("TRANSP:TRANSPARENT");
    lines.add(at_zone("DTSTART", from, zone));
    lines.add(at_zone("DTEND", to, zone));
    for (const std::string& line : more) lines.add(line);
    lines.add("END:VEVENT");
  }
  /// A stretch of its own, as clocks of the zone show it.
  void once(const ZoneName& zone, const Stretch& one) {
    event(zone, one.from + zone.zone.at(one.from).offset, one.to + zone.zone.at(one.to).offset, {});
  }
};

std::vector<Stretch> closings(const TimeWindow& window) {
  std::vector<Stretch> out;
  for (const DatedHours& dated : window.dated()) {
    for (std::int64_t day = dated.first; !dated.open && day <= dated.last; ++day) {
      out.push_back(stretch_on(day, dated.hours, dated.zone.zone));
    }
  }
  std::sort(out.begin(), out.end(), [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  return out;
}

/// One weekly rule: a repeating event, without the days on which a closing touches it, and what is left of those.
void write_weekly(Calendar& calendar, const WeeklyHours& weekly, const std::vector<Stretch>& closed,
                  std::int64_t from_day) {
  std::string days;
  for (int day = 0; day < 7; ++day) {
    if ((weekly.weekdays >> day & 1) == 0) continue;
    days += (days.empty() ? "" : ",") + std::string(kDayNames.at(static_cast<std::size_t>(day)));
  }
  std::int64_t first = from_day;
  while ((weekly.weekdays >> weekday_of(first) & 1) == 0) ++first;
  std::vector<std::string> more = {"RRULE:FREQ=WEEKLY;BYDAY=" + days};
  std::vector<Stretch> left;
  std::set<std::int64_t> taken_out;
  for (const Stretch& shut : closed) {
    for (std::int64_t day = shut.from / kDaySeconds - 3; day <= shut.to / kDaySeconds + 1; ++day) {
      if (day < first || (weekly.weekdays >> weekday_of(day) & 1) == 0) continue;
      const Stretch hours = stretch_on(day, weekly.hours, weekly.zone.zone);
      if (hours.from >= shut.to || shut.from >= hours.to || !taken_out.insert(day).second) continue;
      more.push_back(at_zone("EXDATE", day * kDaySeconds + weekly.hours.from * 60, weekly.zone));
      std::int64_t from = hours.from;
      for (const Stretch& one : closed) {
        if (one.to <= from || one.from >= hours.to) continue;
        if (one.from > from) left.push_back({from, one.from});
        from = std::min(one.to, hours.to);
      }
      if (from < hours.to) left.push_back({from, hours.to});
    }
  }
  const std::int64_t midnight = first * kDaySeconds;
  calendar.event(weekly.zone, midnight + weekly.hours.from * 60, midnight + weekly.hours.to * 60, more);
  for (const Stretch& one : left) calendar.once(weekly.zone, one);
}

}  // namespace

std::string write_icalendar(const TimeWindow& window, const std::string& name, const std::string& uid, Timestamp now) {
  const std::int64_t from = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  Calendar calendar{{}, name, uid, stamp(from)};
  calendar.lines.add("BEGIN:VCALENDAR");
  calendar.lines.add("VERSION:2.0");
  calendar.lines.add("PRODID:-//callimport//import window//EN");
  calendar.lines.add("X-WR-CALNAME:" + escaped(name));
  calendar.lines.add("X-WR-TIMEZONE:" + window.zone().name);
  std::vector<WeeklyHours> weekly = window.weekly();
  if (window.open_all_week()) weekly.push_back({0x7f, {}, window.zone()});  // whole days, less the closings
  std::set<std::string> written = {"UTC"};
  const auto zone_of = [&](const ZoneName& zone) {
    if (written.insert(zone.name).second)
      write_zone(calendar.lines, zone, from - 366 * kDaySeconds, from + kCalendarYears * 366 * kDaySeconds);
  };
  for (const auto& one : weekly) zone_of(one.zone);
  for (const auto& one : window.dated()) zone_of(one.zone);
  const auto closed = closings(window);
  for (const auto& one : weekly) write_weekly(calendar, one, closed, from / kDaySeconds - 1);
  for (const DatedHours& dated : window.dated()) {
    for (std::int64_t day = dated.first; dated.open && day <= dated.last; ++day) {
      const std::int64_t midnight = day * kDaySeconds;
      calendar.event(dated.zone, midnight + dated.hours.from * 60, midnight + dated.hours.to * 60, {});
    }
  }
  calendar.lines.add("END:VCALENDAR");
  return calendar.lines.take();
}

}  // namespace callimport::storage
