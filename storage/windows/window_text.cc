// A window in people's words.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>

#include "storage/windows/time_window.h"

namespace callimport::storage {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                   "thursday", "friday", "saturday"};
constexpr std::uint8_t kEveryDay = 0x7f, kWeekdays = 0x3e, kWeekends = 0x41;
constexpr int kDayMinutes = 24 * 60;
constexpr WindowHours kNightHours{20 * 60, 30 * 60};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string> split(std::string_view text, std::string_view signs) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (signs.find(c) == std::string_view::npos) {
      out.back() += c;
    } else {
      out.emplace_back();
    }
  }
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  auto words = split(text, " \t\r\n");
  std::erase(words, "");
  return words;
}

tl::unexpected<Error> wrong(std::string message) { return fail(Code::kInvalid, std::move(message)); }

/// What a person typed, safe to show.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += c >= ' ' && c < 0x7f ? c : '?';
  return "\"" + out + "\"";
}

/// "mon", "monday", "mondays"; -1: no day.
int parse_weekday(std::string_view word) {
  for (std::size_t i = 0; i < kDays.size(); ++i) {
    const bool plural = word == std::string(kDays.at(i)) + "s";
    if (plural || (word.size() >= 3 && kDays.at(i).starts_with(word))) return static_cast<int>(i);
  }
  return -1;
}

/// "weekdays", "mon-fri", "sat,sun"; nothing: no days.
std::optional<std::uint8_t> parse_days(std::string_view word) {
  if (word == "daily") return kEveryDay;
  if (word == "weekdays" || word == "weekday") return kWeekdays;
  if (word == "weekends" || word == "weekend") return kWeekends;
  std::uint8_t days = 0;
  for (const std::string& part : split(word, ",")) {
    const auto ends = split(part, "-");
    const int first = parse_weekday(ends.front()), last = parse_weekday(ends.back());
    if (first < 0 || last < 0 || ends.size() > 2) return std::nullopt;
    for (int day = first;; day = (day + 1) % 7) {
      days = static_cast<std::uint8_t>(days | 1u << day);
      if (day == last) break;
    }
  }
  return days;
}

/// "20:00" as minutes; -1: no time.
int parse_clock(std::string_view text) {
  const auto parts = split(text, ":");
  if (parts.size() != 2 || parts[0].empty() || parts[0].size() > 2 || parts[1].size() != 2) return -1;
  int values[2] = {0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto [end, error] = std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), values[i]);
    if (error != std::errc{} || end != parts[i].data() + parts[i].size() || values[i] < 0) return -1;
  }
  const int minutes = values[0] * 60 + values[1];
  return values[1] > 59 || minutes > kDayMinutes ? -1 : minutes;
}

bool looks_like_hours(std::string_view word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0 && word.find(':') < word.size();
}

Result<WindowHours> parse_hours(const std::string& word) {
  const auto ends = split(word, "-");
  const int from = ends.size() == 2 ? parse_clock(ends[0]) : -1, to = ends.size() == 2 ? parse_clock(ends[1]) : -1;
  if (from < 0 || to < 0 || from == kDayMinutes) {
    return wrong(shown(word) + " are no hours: write them as 20:00-06:00");
  }
  if (from == to)
    return wrong(shown(word) + " never opens: it ends when it begins; for whole days leave the hours out");
  return WindowHours{from, to > from ? to : to + kDayMinutes};
}

Result<ZoneName> find_zone(const std::string& name) {
  const bool offset = name.find_first_of("+-") < name.size() && name.find('/') == std::string::npos;
  const auto zone = name == "Local" || (offset && name.find_first_of("0123456789") < name.size())
                        ? std::nullopt
                        : TimeZone::find(name);
  if (zone) return ZoneName{name, *zone};
  if (offset) {
    return wrong(shown(name) + " is an offset, which changes with the seasons: name the zone, e.g. Europe/Madrid");
  }
  const std::string nearest = nearest_zone(name);
  return wrong(fmt::format("there is no time zone {}{}", shown(name),
                           nearest.empty() ? "; write e.g. Europe/Madrid" : "; did you mean " + nearest + "?"));
}

/// The words of one part, taken from the front.
struct Words {
  std::vector<std::string> left;
  bool empty() const { return left.empty(); }
  std::string take() {
    std::string word = std::move(left.front());
    left.erase(left.begin());
    return word;
  }
  /// Takes the words when they come next.
  bool take_if(std::initializer_list<std::string_view> wanted) {
    if (left.size() < wanted.size()) return false;
    if (!std::equal(wanted.begin(), wanted.end(), left.begin(),
                    [](std::string_view want, const std::string& word) { return want == lower(word); }))
      return false;
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(wanted.size()));
    return true;
  }
};

/// What is left names the zone, or nothing is left.
Result<ZoneName> take_zone(Words& words, const ZoneName& customers) {
  (void)words.take_if({"in"});
  if (words.empty()) return customers;
  std::string name = words.take();
  if (!words.empty()) return wrong(shown(words.take()) + " is not understood after the hours; a zone comes last");
  return find_zone(name);
}

/// "20:00-06:00", "nights", "whole days"; nothing: the whole day.
Result<std::optional<WindowHours>> take_hours(Words& words) {
  if (words.take_if({"nights"})) return kNightHours;
  if (words.take_if({"whole", "days"}) || words.take_if({"all", "day"})) return WindowHours{};
  (void)words.take_if({"from"});
  if (words.empty() || !looks_like_hours(words.left.front())) return std::nullopt;
  TRY(const WindowHours hours, parse_hours(words.take()));
  return hours;
}

Result<WeeklyHours> parse_weekly(Words words, const ZoneName& customers) {
  WeeklyHours weekly;
  const std::string first = words.left.front();
  std::optional<std::uint8_t> days;
  if (words.take_if({"every", "day"})) {
    days = kEveryDay;
  } else if ((days = parse_days(lower(first)))) {
    (void)words.take();
  }
  TRY(const auto hours, take_hours(words));
  if (!days && !hours) {
    return wrong(shown(first) +
                 " is not understood: write nights, always, or days and hours, e.g. weekdays 20:00-06:00");
  }
  weekly.weekdays = days.value_or(kEveryDay);
  weekly.hours = hours.value_or(WindowHours{});
  TRY(weekly.zone, take_zone(words, customers));
  return weekly;
}

Result<DatedHours> parse_dated(Words words, bool open, const ZoneName& customers) {
  DatedHours dated;
  dated.open = open;
  const std::string_view verb = open ? "open" : "closed";
  if (words.empty()) return wrong(fmt::format("\"{}\" wants a day, e.g. {} 2026-12-24..2026-12-26", verb, verb));
  const std::string days = words.take();
  const std::size_t dots = days.find("..");
  const auto first = parse_day(days.substr(0, dots));
  const auto last = dots == std::string::npos ? first : parse_day(days.substr(dots + 2));
  if (!first || !last) return wrong(shown(days) + " is no day: write 2026-12-24, or 2026-12-24..2026-12-26");
  if (*last < *first) return wrong(shown(days) + " ends before it begins");
  if (*last - *first >= kExceptionDaysMax) {
    return wrong(fmt::format("{} is longer than {} days", shown(days), kExceptionDaysMax));
  }
  dated.first = *first;
  dated.last = *last;
  TRY(const auto hours, take_hours(words));
  if (hours && !open) return wrong("a closing takes whole days: " + shown(verb) + " with hours is not understood");
  dated.hours = hours.value_or(WindowHours{});
  TRY(dated.zone, take_zone(words, customers));
  return dated;
}

/// From the first moment of an exception to its last.
Stretch whole_of(const DatedHours& dated) {
  return {stretch_on(dated.first, dated.hours, dated.zone.zone).from,
          stretch_on(dated.last, dated.hours, dated.zone.zone).to};
}

std::string name_of(const DatedHours& dated) {
  std::string name = (dated.open ? "open " : "closed ") + format_day(dated.first);
  if (dated.last != dated.first) name += ".." + format_day(dated.last);
  return name;
}

bool overlap(const DatedHours& a, const DatedHours& b) {
  const Stretch whole_a = whole_of(a), whole_b = whole_of(b);
  if (whole_a.from >= whole_b.to || whole_b.from >= whole_a.to) return false;
  for (std::int64_t day = a.first; day <= a.last; ++day) {
    const Stretch one = stretch_on(day, a.hours, a.zone.zone);
    for (std::int64_t other = std::max(b.first, day - 3); other <= std::min(b.last, day + 3); ++other) {
      const Stretch two = stretch_on(other, b.hours, b.zone.zone);
      if (one.from < two.to && two.from < one.to) return true;
    }
  }
  return false;
}

Result<> check_exceptions(const std::vector<DatedHours>& dated) {
  for (std::size_t i = 0; i < dated.size(); ++i) {
    for (std::size_t j = i + 1; j < dated.size(); ++j) {
      if (!overlap(dated[i], dated[j])) continue;
      return wrong(
          fmt::format("two exceptions overlap: {} and {}; say each day once", name_of(dated[i]), name_of(dated[j])));
    }
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int values[3] = {0, 0, 0};
  const std::size_t at[3] = {0, 5, 8}, length[3] = {4, 2, 2};
  for (std::size_t i = 0; i < 3; ++i) {
    const char* begin = text.data() + at[i];
    const auto [end, error] = std::from_chars(begin, begin + length[i], values[i]);
    if (error != std::errc{} || end != begin + length[i] || values[i] < 0) return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year{values[0]},
                                        std::chrono::month{static_cast<unsigned>(values[1])},
                                        std::chrono::day{static_cast<unsigned>(values[2])}};
  if (!day.ok() || values[0] < 2000 || values[0] > 2199) return std::nullopt;
  return std::chrono::sys_days{day}.time_since_epoch().count();
}

std::string format_day(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

Result<TimeWindow> TimeWindow::parse(std::string_view text, const std::string& zone) {
  if (text.size() > kWindowBytesMax) return wrong(fmt::format("a window is at most {} bytes of text", kWindowBytesMax));
  TimeWindow window;
  window.always_ = false;
  if (!zone.empty()) {
    TRY(window.zone_, find_zone(zone));
  }
  std::size_t rules = 0;
  for (const std::string& part : split(text, ";")) {
    Words words{words_of(part)};
    if (words.empty()) continue;
    if (++rules > kWindowRulesMax) return wrong(fmt::format("a window has at most {} parts", kWindowRulesMax));
    const bool closing = words.take_if({"closed"});
    if (closing || words.take_if({"open"})) {
      TRY(auto dated, parse_dated(std::move(words), !closing, window.zone_));
      window.dated_.push_back(std::move(dated));
    } else if (words.take_if({kWindowAlways})) {
      if (!words.empty()) return wrong(shown(words.take()) + " after always is not understood");
      window.always_ = true;
    } else {
      TRY(auto weekly, parse_weekly(std::move(words), window.zone_));
      window.weekly_.push_back(std::move(weekly));
    }
  }
  if (rules == 0) return wrong("a window without a word in it: write nights, always, or days and hours");
  TRY_VOID(check_exceptions(window.dated_));
  const auto opens = [](const DatedHours& dated) { return dated.open; };
  if (!window.always_ && window.weekly_.empty() && std::none_of(window.dated_.begin(), window.dated_.end(), opens)) {
    return wrong("this window never opens: it has closings only");
  }
  if (window.always_) window.weekly_.clear();
  return window;
}

}  // namespace callimport::storage
