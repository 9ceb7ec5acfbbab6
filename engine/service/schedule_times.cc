#include "engine/service/schedule_times.h"

#include <algorithm>
#include <utility>

#include "engine/service/proto_time.h"

namespace callimport::engine {
namespace {

using Ranges = google::protobuf::RepeatedPtrField<temporal::api::schedule::v1::Range>;

/// Calls `add` with each value of the ranges that lies in `min` to `max`.
template <class Add>
void each_value(const Ranges& ranges, std::int64_t min, std::int64_t max, const Add& add) {
  for (const auto& range : ranges) {
    const std::int64_t step = range.step(), last = std::min<std::int64_t>(range.end(), max);
    if (step < 1) continue;
    std::int64_t value = range.start();
    if (value < min) value += (min - value + step - 1) / step * step;
    for (; value <= last; value += step) add(value);
  }
}

std::uint64_t bits_of(const Ranges& ranges, std::int64_t min, std::int64_t max) {
  std::uint64_t bits = 0;
  each_value(ranges, min, max, [&bits](std::int64_t value) { bits |= std::uint64_t{1} << value; });
  return bits;
}

CalendarFields fields_of(const StructuredCalendar& calendar) {
  CalendarFields out;
  out.seconds = bits_of(calendar.second(), 0, 59);
  out.minutes = bits_of(calendar.minute(), 0, 59);
  out.hours = static_cast<std::uint32_t>(bits_of(calendar.hour(), 0, 23));
  out.days = static_cast<std::uint32_t>(bits_of(calendar.day_of_month(), 1, 31));
  out.months = static_cast<std::uint16_t>(bits_of(calendar.month(), 1, 12));
  out.weekdays = static_cast<std::uint8_t>(bits_of(calendar.day_of_week(), 0, 6));
  out.any_year = calendar.year().empty();
  each_value(calendar.year(), 2000, kScheduleYearMax, [&out](std::int64_t year) {
    const auto bit = static_cast<std::size_t>(year - 2000);
    out.years[bit / 64] |= std::uint64_t{1} << (bit % 64);
  });
  return out;
}

/// Of value / step.
std::int64_t floored(std::int64_t value, std::int64_t step) { return value / step - (value % step < 0 ? 1 : 0); }

constexpr int kChanceBits = 20;

/// 0 to 2^20 - 1, the same for the same time and seed on every machine (FNV-1a, its high bits).
std::uint64_t chance_of(std::int64_t nominal, const std::string& seed) {
  std::uint64_t hash = 14695981039346656037ull;
  const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ull; };
  for (int i = 0; i < 64; i += 8) mix(static_cast<unsigned char>(static_cast<std::uint64_t>(nominal) >> i));
  for (const char c : seed) mix(static_cast<unsigned char>(c));
  return hash >> (64 - kChanceBits);
}

}  // namespace

tl::expected<ScheduleTimes, std::string> ScheduleTimes::of(const ScheduleSpec& spec, std::string seed) {
  ScheduleTimes out;
  const auto zone = TimeZone::find(spec.timezone_name());
  if (!zone) return tl::unexpected("unknown time zone " + spec.timezone_name());
  if (!spec.timezone_data().empty() && spec.timezone_name().empty())
    return tl::unexpected<std::string>("malformed time zone information");
  out.zone_ = *zone;
  for (const auto& calendar : spec.structured_calendar()) out.calendars_.push_back(fields_of(calendar));
  for (const auto& calendar : spec.exclude_structured_calendar()) out.excluded_.push_back(fields_of(calendar));
  for (const auto& interval : spec.interval()) {
    const std::int64_t every = std::max(to_nanos(interval.interval()) / kNanosPerSecond, std::int64_t{1});
    out.intervals_.push_back({every, to_nanos(interval.phase()) / kNanosPerSecond % every});
  }
  if (spec.has_start_time()) out.start_ns_ = to_nanos(spec.start_time());
  if (spec.has_end_time()) out.end_ns_ = to_nanos(spec.end_time());
  out.jitter_ns_ = std::max(to_nanos(spec.jitter()), std::int64_t{0});
  out.seed_ = std::move(seed);
  return out;
}

std::optional<std::int64_t> ScheduleTimes::next_nominal(std::int64_t after) const {
  std::optional<std::int64_t> earliest;
  const auto consider = [&earliest](std::int64_t at) { earliest = earliest ? std::min(*earliest, at) : at; };
  for (const auto& calendar : calendars_) {
    if (const auto at = next_moment(calendar, zone_, after, kScheduleYearMax)) consider(*at);
  }
  for (const auto& interval : intervals_)
    consider((floored(after - interval.phase, interval.every) + 1) * interval.every + interval.phase);
  return earliest;
}

std::optional<std::int64_t> ScheduleTimes::excluded_until(std::int64_t at) const {
  std::optional<std::int64_t> latest;
  std::int64_t until = 0;
  for (const auto& calendar : excluded_) {
    if (is_moment(calendar, zone_, at, &until)) latest = std::max(latest.value_or(until), until);
  }
  return latest;
}

std::optional<ScheduleTime> ScheduleTimes::next(std::int64_t after_ns) const {
  std::int64_t after = floored(after_ns, kNanosPerSecond);
  if (start_ns_ != 0 && after_ns < start_ns_) after = floored(start_ns_ - 1, kNanosPerSecond);
  for (int stretches = 0; stretches < kExcludedStretchesMax; ++stretches) {
    const auto nominal = next_nominal(after);
    if (!nominal || year_of(TimeZone(), *nominal) > kScheduleYearMax) return std::nullopt;
    const std::int64_t nominal_ns = *nominal * kNanosPerSecond;
    if (end_ns_ != 0 && nominal_ns > end_ns_) return std::nullopt;
    if (const auto until = excluded_until(*nominal)) {
      after = *until - 1;
      continue;
    }
    constexpr std::int64_t kMs = 1'000'000;
    std::int64_t jitter = jitter_ns_ / kMs;
    if (const auto following = jitter > 0 ? next_nominal(*nominal) : std::nullopt)
      jitter = std::min(jitter, (*following - *nominal) * 1000);
    const auto scaled = static_cast<std::uint64_t>(jitter) * (jitter > 0 ? chance_of(*nominal, seed_) : 0);
    return ScheduleTime{nominal_ns, nominal_ns + static_cast<std::int64_t>(scaled >> kChanceBits) * kMs};
  }
  return std::nullopt;
}

}  // namespace callimport::engine
