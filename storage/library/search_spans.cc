#include "storage/library/search_spans.h"

#include <chrono>
#include <limits>
#include <string>

namespace callimport::storage {

namespace {

constexpr std::int64_t kLengthMsMax = std::int64_t{365} * 24 * 3'600'000;

/// Decimal digits only, `digits` of them at most.  Nothing when it is not that.
std::optional<std::int64_t> number_in(std::string_view text, std::size_t digits) {
  if (text.empty() || text.size() > digits) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::int64_t ms_of(std::chrono::sys_days day) { return std::chrono::milliseconds(day.time_since_epoch()).count(); }

tl::unexpected<Error> no_date(std::string_view text) {
  return fail(Code::kInvalid, "\"" + std::string(text) + "\" is no date; write 2026, 2026-11 or 2026-11-05");
}

/// The year, month or day that `text` names.
Result<Span> date_in(std::string_view text) {
  namespace chr = std::chrono;
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return no_date(text);
  const auto year = number_in(text.substr(0, 4), 4);
  if (!year || *year == 0) return no_date(text);
  const chr::year y{static_cast<int>(*year)};
  if (text.size() == 4) return Span{ms_of(y / 1 / 1), ms_of((y + chr::years{1}) / 1 / 1)};
  const auto month = text[4] == '-' ? number_in(text.substr(5, 2), 2) : std::nullopt;
  if (!month || *month < 1 || *month > 12) return no_date(text);
  const chr::year_month ym = y / static_cast<int>(*month);
  if (text.size() == 7) return Span{ms_of(ym / 1), ms_of((ym + chr::months{1}) / 1)};
  const auto day = text[7] == '-' ? number_in(text.substr(8, 2), 2) : std::nullopt;
  if (!day) return no_date(text);
  const chr::year_month_day date = ym / static_cast<int>(*day);
  if (!date.ok()) return no_date(text);
  const chr::sys_days first = date;
  return Span{ms_of(first), ms_of(first + chr::days{1})};
}

tl::unexpected<Error> no_length(std::string_view text) {
  return fail(Code::kInvalid, "\"" + std::string(text) + "\" is no length; write 90s, 30m or 1h30m");
}

Result<std::int64_t> length_in(std::string_view text) {
  const std::string_view whole = text;
  std::int64_t total = 0;
  if (text.empty()) return no_length(whole);
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto amount = number_in(text.substr(0, digits), 7);
    text.remove_prefix(digits);
    if (!amount || text.empty()) return no_length(whole);
    const char unit = text.front();
    text.remove_prefix(1);
    if (unit != 'h' && unit != 'm' && unit != 's') return no_length(whole);
    total += *amount * (unit == 'h' ? 3'600'000 : unit == 'm' ? 60'000 : 1'000);
  }
  if (total > kLengthMsMax) return fail(Code::kInvalid, "a length of " + std::string(whole) + " is over a year");
  return total;
}

Result<Span> length_span(std::string_view text) {
  TRY(const std::int64_t length, length_in(text));
  return Span{length, length + 1};
}

/// What a comparison or a range makes of the spans of its ends.
Result<Span> bounded(std::string_view text, Result<Span> (*read)(std::string_view), std::string_view examples) {
  if (const auto dots = text.find(".."); dots != std::string_view::npos) {
    const auto left = text.substr(0, dots), right = text.substr(dots + 2);
    Span span;
    if (left.empty() && right.empty()) return fail(Code::kInvalid, "a range needs an end; " + std::string(examples));
    if (!left.empty()) {
      TRY(const Span first, read(left));
      span.from = first.from;
    }
    if (!right.empty()) {
      TRY(const Span last, read(right));
      span.before = last.before;
    }
    if (span.from && span.before && *span.from >= *span.before) {
      return fail(Code::kInvalid, "the range " + std::string(text) + " ends before it begins");
    }
    return span;
  }
  const bool more = text.starts_with('>'), less = text.starts_with('<');
  if (!more && !less) return read(text);
  text.remove_prefix(1);
  const bool equal_too = text.starts_with('=');
  if (equal_too) text.remove_prefix(1);
  TRY(const Span named, read(text));
  if (more) return Span{equal_too ? named.from : named.before, std::nullopt};
  return Span{std::nullopt, equal_too ? named.before : named.from};
}

}  // namespace

Result<Span> parse_dates(std::string_view text) { return bounded(text, date_in, "write 2026-11-01..2026-11-15"); }

Result<Span> parse_lengths(std::string_view text) {
  const bool bounds = text.starts_with('>') || text.starts_with('<') || text.find("..") != std::string_view::npos;
  if (!bounds) {
    TRY_VOID(length_in(text));
    return fail(Code::kInvalid,
                "a length needs a bound: write >" + std::string(text) + ", <" + std::string(text) + " or 20m..40m");
  }
  return bounded(text, length_span, "write 20m..40m");
}

}  // namespace callimport::storage
