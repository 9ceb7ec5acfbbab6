#include "engine/service/schedule_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "engine/service/filter_nodes.h"
#include "engine/service/proto_time.h"
#include "engine/service/words.h"

namespace callimport::engine {
namespace {

namespace sched = ::temporal::api::schedule::v1;
using Ranges = google::protobuf::RepeatedPtrField<sched::Range>;
using Wrong = std::optional<std::string>;  ///< what is wrong; nothing: it is fine

struct Field {
  const char* name;
  int min, max;
  int text_max;  ///< in text; weekdays have two Sundays there
  const char* absent;
  std::array<std::string_view, 12> words;  ///< from `min` on
};

constexpr Field kSecond{"Second", 0, 59, 59, "0", {}};
constexpr Field kMinute{"Minute", 0, 59, 59, "0", {}};
constexpr Field kHour{"Hour", 0, 23, 23, "0", {}};
constexpr Field kDayOfMonth{"DayOfMonth", 1, 31, 31, "*", {}};
constexpr Field kMonth{"Month",
                       1,
                       12,
                       12,
                       "*",
                       {"january", "february", "march", "april", "may", "june", "july", "august", "september",
                        "october", "november", "december"}};
constexpr Field kYear{"Year", 2000, 2100, 2100, "", {}};
constexpr Field kDayOfWeek{
    "DayOfWeek", 0, 6, 7, "*", {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}};

std::string bounds(const Field& field, int max) {
  return "in range [" + std::to_string(field.min) + "-" + std::to_string(max) + "]";
}

std::optional<int> value_of(std::string_view text, const Field& field) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::size_t i = 0; lower.size() >= 2 && i < field.words.size(); ++i) {
    if (!field.words[i].empty() && field.words[i].starts_with(lower)) return field.min + static_cast<int>(i);
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value < field.min || value > field.text_max ? std::nullopt : std::optional(value);
}

void add_range(int from, int to, int step, Ranges* out) {
  auto* range = out->Add();
  range->set_start(from);
  range->set_end(to);
  range->set_step(step);
}

/// A range that may end with the second Sunday.
void add_text_range(const Field& field, int from, int to, int step, Ranges* out) {
  if (to > field.max) {
    if (from > field.max) return add_range(field.min, field.min, step, out);
    if (from > field.min && (to - from) % step == 0) add_range(field.min, field.min, 1, out);
    to = field.max;
  }
  add_range(from, to, step, out);
}

Wrong parse_range(std::string_view text, const Field& field, Ranges* out) {
  const std::string name = field.name;
  const auto stepped = split(text, '/');
  const auto ends = split(stepped[0], '-');
  if (stepped.size() > 2) return name + " has too many slashes";
  int step = 1;
  if (stepped.size() == 2) {
    const auto [end, error] = std::from_chars(stepped[1].data(), stepped[1].data() + stepped[1].size(), step);
    if (error != std::errc() || end != stepped[1].data() + stepped[1].size() || step < 1)
      return name + " has invalid Step";
  }
  if (stepped[0] == "*") {
    add_range(field.min, field.max, step, out);
    return std::nullopt;
  }
  if (ends.size() > 2) return name + " has too many dashes";
  const auto from = value_of(ends[0], field);
  if (ends.size() == 1) {
    if (!from) return name + " is not " + bounds(field, field.text_max);
    add_text_range(field, *from, stepped.size() == 2 ? std::max(*from, field.max) : *from, step, out);
    return std::nullopt;
  }
  if (!from) return name + " Start is not " + bounds(field, field.text_max);
  const auto to = value_of(ends[1], field);
  if (!to || *to < *from) return name + " End is before Start or not " + bounds(field, field.text_max);
  add_text_range(field, *from, *to, step, out);
  return std::nullopt;
}

Wrong parse_field(std::string_view text, const Field& field, Ranges* out) {
  if (text.empty()) text = field.absent;
  if (text.empty() || (&field == &kYear && text == "*")) return std::nullopt;
  for (const auto part : split(text, ',')) {
    if (auto wrong = parse_range(part, field, out)) return wrong;
  }
  return std::nullopt;
}

Wrong comment_error(const std::string& comment) {
  if (comment.size() <= kCalendarCommentBytesMax) return std::nullopt;
  return "invalid calendar spec: comment is too long";
}

Wrong parse_calendar(const sched::CalendarSpec& asked, StructuredCalendar* out) {
  if (auto wrong = parse_field(asked.second(), kSecond, out->mutable_second())) return wrong;
  if (auto wrong = parse_field(asked.minute(), kMinute, out->mutable_minute())) return wrong;
  if (auto wrong = parse_field(asked.hour(), kHour, out->mutable_hour())) return wrong;
  if (auto wrong = parse_field(asked.day_of_month(), kDayOfMonth, out->mutable_day_of_month())) return wrong;
  if (auto wrong = parse_field(asked.month(), kMonth, out->mutable_month())) return wrong;
  if (auto wrong = parse_field(asked.year(), kYear, out->mutable_year())) return wrong;
  if (auto wrong = parse_field(asked.day_of_week(), kDayOfWeek, out->mutable_day_of_week())) return wrong;
  out->set_comment(asked.comment());
  return comment_error(asked.comment());
}

/// `1h` or `1h/5m`: an interval and its phase.
Wrong parse_every(std::string_view text, ScheduleSpec* out) {
  const auto slash = text.find('/');
  const std::string every(text.substr(0, slash));
  const auto interval = parse_duration(every);
  if (!interval) return "time: invalid duration \"" + every + "\"";
  auto* added = out->add_interval();
  set_nanos(added->mutable_interval(), *interval);
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string rest(text.substr(slash + 1));
  const auto phase = parse_duration(rest);
  if (!phase) return "time: invalid duration \"" + rest + "\"";
  set_nanos(added->mutable_phase(), *phase);
  return std::nullopt;
}

std::string_view spelled_out(std::string_view text) {
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@hourly") return "0 * * * *";
  return text;
}

Wrong parse_cron_string(std::string_view text, ScheduleSpec* out) {
  std::string comment;
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    comment = trimmed(text.substr(hash + 1));
    text = text.substr(0, hash);
  }
  text = trimmed(text);
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const auto from = text.find('=') + 1, end = text.find(' ');
    if (end == std::string_view::npos) return "CronString has time zone but missing fields";
    const std::string zone(text.substr(from, end - from));
    if (!out->timezone_name().empty() && out->timezone_name() != zone) return "conflicting timezone names";
    out->set_timezone_name(zone);
    text = trimmed(text.substr(end));
  }
  constexpr std::string_view kEvery = "@every ";
  if (text.starts_with(kEvery)) return parse_every(text.substr(kEvery.size()), out);
  auto fields = words(spelled_out(text));
  if (fields.size() < 5 || fields.size() > 7) return "CronString does not have 5-7 fields";
  sched::CalendarSpec calendar;
  calendar.set_comment(comment);
  if (fields.size() == 7) {
    calendar.set_second(std::string(fields.front()));
    fields.erase(fields.begin());
  }
  calendar.set_minute(std::string(fields[0]));
  calendar.set_hour(std::string(fields[1]));
  calendar.set_day_of_month(std::string(fields[2]));
  calendar.set_month(std::string(fields[3]));
  calendar.set_day_of_week(std::string(fields[4]));
  if (fields.size() == 6) calendar.set_year(std::string(fields[5]));
  return parse_calendar(calendar, out->add_structured_calendar());
}

void fill_defaults(Ranges* ranges) {
  for (auto& range : *ranges) {
    if (range.end() == 0) range.set_end(range.start());
    if (range.step() == 0) range.set_step(1);
  }
}

Wrong check_ranges(const Ranges& ranges, const Field& field) {
  const std::string name = std::string("invalid calendar spec: ") + field.name;
  for (const auto& range : ranges) {
    if (range.start() < field.min || range.start() > field.max)
      return name + " Start is not " + bounds(field, field.max);
    if (range.end() < range.start() || range.end() > field.max)
      return name + " End is before Start or not " + bounds(field, field.max);
    if (range.step() < 1) return name + " has invalid Step";
  }
  return std::nullopt;
}

template <class Visit>
void each_field(StructuredCalendar* calendar, const Visit& visit) {
  visit(calendar->mutable_second(), kSecond);
  visit(calendar->mutable_minute(), kMinute);
  visit(calendar->mutable_hour(), kHour);
  visit(calendar->mutable_day_of_month(), kDayOfMonth);
  visit(calendar->mutable_month(), kMonth);
  visit(calendar->mutable_year(), kYear);
  visit(calendar->mutable_day_of_week(), kDayOfWeek);
}

Wrong check_interval(const sched::IntervalSpec& interval) {
  const std::int64_t every = to_nanos(interval.interval()), phase = to_nanos(interval.phase());
  if (every < kNanosPerSecond) return "interval is too small";
  if (phase < 0) return "phase is negative";
  if (phase >= every) return "phase cannot be greater than Interval";
  return std::nullopt;
}

Wrong check_parts(ScheduleSpec* spec) {
  Wrong wrong;
  for (auto& calendar : *spec->mutable_structured_calendar()) {
    each_field(&calendar, [&wrong](Ranges* ranges, const Field& field) {
      fill_defaults(ranges);
      if (!wrong) wrong = check_ranges(*ranges, field);
    });
    if (!wrong) wrong = comment_error(calendar.comment());
    if (wrong) return wrong;
  }
  for (auto& calendar : *spec->mutable_exclude_structured_calendar()) {
    each_field(&calendar, [](Ranges* ranges, const Field&) { fill_defaults(ranges); });
  }
  for (const auto& interval : spec->interval()) {
    if (auto bad = check_interval(interval)) return bad;
  }
  return std::nullopt;
}

}  // namespace

tl::expected<ScheduleSpec, std::string> canonical_spec(const ScheduleSpec& asked) {
  ScheduleSpec out = asked;
  out.clear_calendar();
  out.clear_cron_string();
  out.clear_exclude_calendar();
  for (const auto& calendar : asked.calendar()) {
    if (auto wrong = parse_calendar(calendar, out.add_structured_calendar())) return tl::unexpected(std::move(*wrong));
  }
  for (const auto& cron : asked.cron_string()) {
    if (auto wrong = parse_cron_string(cron, &out)) return tl::unexpected(std::move(*wrong));
  }
  for (const auto& calendar : asked.exclude_calendar()) {
    if (auto wrong = parse_calendar(calendar, out.add_exclude_structured_calendar()))
      return tl::unexpected(std::move(*wrong));
  }
  if (auto wrong = check_parts(&out)) return tl::unexpected(std::move(*wrong));
  return out;
}

}  // namespace callimport::engine
