#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

#include "storage/model/ensure.h"
#include "storage/model/ids.h"
#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not found";
    case Code::kConflict: return "conflict";
    case Code::kUnavailable: return "unavailable";
    case Code::kCancelled: return "cancelled";
    case Code::kCorrupt: return "corrupt";
    case Code::kNondeterministic: return "nondeterministic";
  }
  return "unknown";
}

void ensure_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "callimport: broken invariant at %s:%d: %s\n", file, line, expression);
  std::abort();
}

bool is_id(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix) || text.size() == prefix.size() || text.size() > prefix.size() + kIdCharactersMax)
    return false;
  for (char c : text.substr(prefix.size())) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))) return false;
  }
  return true;
}

std::string format_utc(Timestamp t) {
  // In milliseconds from here on: the midnight before the earliest Timestamp has no number of nanoseconds.
  const auto at = std::chrono::floor<std::chrono::milliseconds>(t);
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const auto in_day = at - day;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(in_day);
  const std::chrono::hh_mm_ss clock{seconds};
  const auto ms = (in_day - seconds).count();
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (ms != 0) text += fmt::format(".{:03}", ms);
  return text + "Z";
}

namespace {
/// Exactly `count` digits at `at`, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}
}  // namespace

Result<Timestamp> parse_utc(std::string_view text) {
  const auto wrong = [&] { return fail(Code::kInvalid, "not an RFC 3339 time: " + std::string(text.substr(0, 40))); };
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return wrong();
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return wrong();
  if (text[13] != ':' || text[16] != ':') return wrong();
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return wrong();
  std::size_t at = 19;
  std::int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      fraction += unit * (text[at] - '0');
    if (text[at - 1] == '.') return wrong();
  }
  std::chrono::minutes offset{0};
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const int hours = digits(text, at + 1, 2), minutes = digits(text, at + 4, 2);
    if (hours < 0 || minutes < 0 || text[at + 3] != ':' || at + 6 != text.size()) return wrong();
    offset = std::chrono::minutes{(text[at] == '-' ? -1 : 1) * (hours * 60 + minutes)};
  } else if (at + 1 != text.size() || (text[at] != 'Z' && text[at] != 'z')) {
    return wrong();
  }
  const auto whole = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                     std::chrono::seconds{second} - offset;
  if (whole < kEarliestSecond || whole > kLatestSecond) {
    return fail(Code::kInvalid, fmt::format("{} is not between {} and {}", text, format_utc(kEarliestSecond),
                                            format_utc(kLatestSecond)));
  }
  return Timestamp{whole} + Nanos{fraction};
}

}  // namespace callimport
