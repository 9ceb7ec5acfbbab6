#include "engine/service/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "engine/service/proto_time.h"
#include "engine/service/words.h"

namespace callimport::engine {
namespace {

struct Bounds {
  int min, max;
  std::string_view names;  ///< three letters each, from `min` on
};
constexpr Bounds kMinutes{0, 59, ""}, kHours{0, 23, ""}, kDays{1, 31, ""},
    kMonths{1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"}, kWeekdays{0, 6, "sunmontuewedthufrisat"};

struct Field {
  std::uint64_t bits = 0;
  bool star = false;  ///< says nothing: every value, step 1
};

std::optional<int> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<int> number_or_name(std::string_view text, const Bounds& bounds) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::size_t at = 0; lower.size() == 3 && at < bounds.names.size(); at += 3) {
    if (bounds.names.substr(at, 3) == lower) return bounds.min + static_cast<int>(at / 3);
  }
  return number(text);
}

/// `*`, `a`, `a-b`, each perhaps with `/step`; `a/step` runs to the end.
bool add_range(std::string_view text, const Bounds& bounds, Field* out) {
  const auto stepped = split(text, '/');
  const auto ends = split(stepped[0], '-');
  if (stepped.size() > 2 || ends.size() > 2) return false;
  const bool star = ends[0] == "*" || ends[0] == "?";
  int from = bounds.min, to = bounds.max;
  if (!star) {
    const auto first = number_or_name(ends[0], bounds);
    const auto last = ends.size() == 2 ? number_or_name(ends[1], bounds) : first;
    if (!first || !last) return false;
    from = *first;
    to = ends.size() == 1 && stepped.size() == 2 ? bounds.max : *last;
  }
  int step = 1;
  if (stepped.size() == 2) {
    const auto asked = number(stepped[1]);
    if (!asked || *asked == 0) return false;
    step = *asked;
  }
  if (from < bounds.min || to > bounds.max || from > to) return false;
  for (int value = from; value <= to; value += std::min(step, bounds.max + 1)) out->bits |= std::uint64_t{1} << value;
  out->star = out->star || (star && step == 1);
  return true;
}

bool parse_field(std::string_view text, const Bounds& bounds, Field* out) {
  for (const auto part : split(text, ',')) {
    if (!part.empty() && !add_range(part, bounds, out)) return false;
  }
  return true;
}

bool parse_fields(std::string_view text, CalendarFields* out) {
  const auto parts = words(text);
  if (parts.size() != 5) return false;
  std::array<Field, 5> fields;
  const std::array<const Bounds*, 5> bounds = {&kMinutes, &kHours, &kDays, &kMonths, &kWeekdays};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!parse_field(parts[i], *bounds[i], &fields[i])) return false;
  }
  out->minutes = fields[0].bits;
  out->hours = static_cast<std::uint32_t>(fields[1].bits);
  out->days = static_cast<std::uint32_t>(fields[2].bits);
  out->months = static_cast<std::uint16_t>(fields[3].bits);
  out->weekdays = static_cast<std::uint8_t>(fields[4].bits);
  out->either_day = !fields[2].star && !fields[4].star;
  return true;
}

/// A duration as Go writes it ("1h30m", "1.5h", "90s"), in seconds rounded down; at least one.
std::optional<std::int64_t> every_seconds(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text == "0") return 1;
  if (text.empty()) return std::nullopt;
  constexpr double kLongest = 7e9;  // two centuries; three do not fit into nanoseconds
  double seconds = 0;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    double amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, amount, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + digits) return std::nullopt;
    text.remove_prefix(digits);
    const auto letters = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, letters);
    text.remove_prefix(letters);
    const double scale = unit == "h"                                                  ? 3600
                         : unit == "m"                                                ? 60
                         : unit == "s"                                                ? 1
                         : unit == "ms"                                               ? 1e-3
                         : unit == "us" || unit == "\xC2\xB5s" || unit == "\xCE\xBCs" ? 1e-6
                         : unit == "ns"                                               ? 1e-9
                                                                                      : 0;
    if (scale == 0) return std::nullopt;
    seconds += amount * scale;
    if (seconds > kLongest) return std::nullopt;
  }
  if (negative || seconds < 1) return 1;
  return static_cast<std::int64_t>(std::floor(seconds + 1e-9));  // 0.1 s ten times is a second
}

std::optional<std::string_view> fields_of_descriptor(std::string_view text) {
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@hourly") return "0 * * * *";
  return std::nullopt;
}

std::int64_t floor_seconds(std::int64_t ns) { return ns / kNanosPerSecond - (ns % kNanosPerSecond < 0 ? 1 : 0); }

}  // namespace

std::optional<CronSchedule> parse_cron(std::string_view text) {
  CronSchedule out;
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const auto from = text.find('=') + 1, end = text.find(' ');
    if (end == std::string_view::npos) return std::nullopt;
    const auto zone = TimeZone::find(std::string(text.substr(from, end - from)));
    if (!zone) return std::nullopt;
    out.zone = *zone;
    text.remove_prefix(std::min(text.find_first_not_of(" \t", end), text.size()));
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  }
  constexpr std::string_view kEvery = "@every ";
  if (text.starts_with(kEvery)) {
    const auto seconds = every_seconds(text.substr(kEvery.size()));
    if (!seconds) return std::nullopt;
    out.every_seconds = *seconds;
    return out;
  }
  if (text.starts_with('@')) {
    const auto fields = fields_of_descriptor(text);
    if (!fields) return std::nullopt;
    text = *fields;
  }
  if (!parse_fields(text, &out.fields)) return std::nullopt;
  return out;
}

std::optional<std::string> cron_error(const std::string& text, std::int64_t now_ns) {
  if (text.empty()) return std::nullopt;
  const auto cron = parse_cron(text);
  if (!cron) return "invalid CronSchedule.";
  if (!next_after(*cron, now_ns)) return "invalid CronSchedule, no time can be found to satisfy the schedule";
  return std::nullopt;
}

std::optional<std::int64_t> next_after(const CronSchedule& cron, std::int64_t after_ns) {
  const std::int64_t after = floor_seconds(after_ns);
  const auto next = cron.every_seconds > 0 ? after + cron.every_seconds : next_moment(cron.fields, cron.zone, after);
  return next ? std::optional(*next * kNanosPerSecond) : std::nullopt;
}

std::optional<std::int64_t> cron_backoff(const CronSchedule& cron, std::int64_t scheduled_ns, std::int64_t now_ns) {
  std::optional<std::int64_t> next = scheduled_ns;
  if (now_ns >= scheduled_ns) {
    next = next_after(cron, scheduled_ns);
    if (next && *next < now_ns && cron.every_seconds > 0) {
      const std::int64_t step = cron.every_seconds * kNanosPerSecond;
      *next += (now_ns - *next + step - 1) / step * step;
    } else if (next && *next < now_ns) {
      next = next_after(cron, now_ns - 1);
    }
  }
  if (!next) return std::nullopt;
  return (*next - now_ns + kNanosPerSecond - 1) / kNanosPerSecond * kNanosPerSecond;
}

}  // namespace callimport::engine
