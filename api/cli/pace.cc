#include "api/cli/pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "api/cli/text.h"

namespace callimport::api {
namespace {

inline constexpr std::int64_t kWindowMs = 60'000;
inline constexpr std::int64_t kEnoughCalls = 30, kEnoughMs = 120'000;
inline constexpr double kEarliest = 0.8, kLatest = 1.3;  // of the time the pace alone gives
inline constexpr double kMoved = 0.1;

std::tm local(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

/// 16:30; on another day than `now_ms` with the day before it.
std::string clock_words(std::int64_t unix_ms, std::int64_t now_ms) {
  const auto then = local(unix_ms), now = local(now_ms);
  char text[32];
  const bool today = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  const auto size = std::strftime(text, sizeof text, today ? "%H:%M" : "%a %H:%M", &then);
  return std::string(text, size);
}

}  // namespace

void Pace::saw(std::int64_t at_ms, std::int64_t done) {
  if (seen_.empty()) first_ = {at_ms, done};
  seen_.push_back({at_ms, done});
  while (seen_.size() > 2 && seen_.front().at_ms < at_ms - kWindowMs) seen_.pop_front();
}

double Pace::per_minute() const {
  if (seen_.size() < 2 || seen_.back().at_ms <= seen_.front().at_ms) return 0;
  return static_cast<double>(seen_.back().done - seen_.front().done) * 60'000.0 /
         static_cast<double>(seen_.back().at_ms - seen_.front().at_ms);
}

std::optional<Pace::End> Pace::end(std::int64_t pending) {
  if (seen_.empty()) return std::nullopt;
  const auto& last = seen_.back();
  const bool enough = last.done - first_.done >= kEnoughCalls || last.at_ms - first_.at_ms >= kEnoughMs;
  const double rate = per_minute();
  if (!enough || rate <= 0) return said_;
  const double left_ms = static_cast<double>(pending) / rate * 60'000.0;
  const End now{last.at_ms + std::llround(left_ms * kEarliest), last.at_ms + std::llround(left_ms * kLatest)};
  const auto moved = said_ ? std::abs(static_cast<double>(now.to_ms - said_->to_ms)) : 0.0;
  if (!said_ || moved > kMoved * static_cast<double>(std::max<std::int64_t>(said_->to_ms - last.at_ms, 1))) said_ = now;
  return said_;
}

std::string end_words(const std::optional<Pace::End>& end, std::int64_t now_ms) {
  if (!end) return "not enough data yet";
  const auto from = std::max<std::int64_t>(end->from_ms - now_ms, 0),
             to = std::max<std::int64_t>(end->to_ms - now_ms, 0);
  const auto from_clock = clock_words(now_ms + from, now_ms), to_clock = clock_words(now_ms + to, now_ms);
  return fmt::format("{} - {}, about {}", human_duration(from), human_duration(to),
                     from_clock == to_clock ? from_clock : from_clock + "-" + to_clock);
}

}  // namespace callimport::api
