#include "activities/import/spread.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "storage/model/ensure.h"

namespace callimport::activities {
namespace {

constexpr std::int64_t kDayMs = std::chrono::milliseconds{std::chrono::hours{24}}.count();
constexpr double kReachedShare = 0.05, kKnownShare = 0.02;
constexpr double kTailDoubt = 0.5;  ///< a gap with calls on one side only may hold so much less, or more

}  // namespace

/// A stretch ends with a call, which is why it ends there: counted in, it would make every page look denser than the
/// time around it, by a twentieth with twenty calls.
double CallSpread::Stretch::density() const {
  return until > from ? static_cast<double>(std::max<std::int64_t>(calls - 1, 0)) / static_cast<double>(until - from)
                      : 0.0;
}

void CallSpread::none_before(std::int64_t time) { floor_ = floor_ ? std::max(*floor_, time) : time; }

void CallSpread::saw(std::int64_t until, const std::vector<std::int64_t>& starts, bool last) {
  Stretch made{until, starts.empty() ? until : starts.back(), 0, 0};
  if (last) none_before(made.from);
  // What a stretch seen before covers is not counted again.
  for (const Stretch& one : stretches_) {
    if (one.from < made.until && made.until <= one.until) made.until = one.from;
    if (made.from < one.until && one.until <= made.until) made.from = one.until;
  }
  if (made.from >= made.until) return;
  for (const std::int64_t start : starts) {
    if (start < made.from || start >= made.until) continue;
    if (made.calls++ == 0) made.newest = start;
  }
  stretches_.push_back(made);
  std::sort(stretches_.begin(), stretches_.end(), [](const Stretch& a, const Stretch& b) { return a.until > b.until; });
  join_neighbours();
}

void CallSpread::join_neighbours() {
  for (std::size_t i = 0; i + 1 < stretches_.size();) {
    Stretch &newer = stretches_[i], &older = stretches_[i + 1];
    if (newer.from != older.until) {
      ++i;
      continue;
    }
    if (newer.calls == 0) newer.newest = older.newest;
    newer.calls += older.calls;
    newer.from = older.from;
    stretches_.erase(stretches_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

std::vector<CallSpread::Gap> CallSpread::gaps() const {
  std::vector<Gap> found;
  for (std::size_t i = 0; i < stretches_.size(); ++i) {
    const bool tail = i + 1 == stretches_.size();
    const std::int64_t from = tail ? floor_.value_or(stretches_[i].from) : stretches_[i + 1].until;
    const auto length = static_cast<double>(stretches_[i].from - from);
    if (length <= 0) continue;
    const double newer = stretches_[i].density(), older = tail ? newer : stretches_[i + 1].density();
    Gap gap{stretches_[i].from, from, length * std::min(newer, older), length * (newer + older) / 2,
            length * std::max(newer, older)};
    if (tail) {
      gap.low *= 1 - kTailDoubt;
      gap.high *= 1 + kTailDoubt;
    }
    found.push_back(gap);
  }
  return found;
}

std::int64_t CallSpread::seen() const {
  std::int64_t calls = 0;
  for (const auto& one : stretches_) calls += one.calls;
  return calls;
}

std::int64_t CallSpread::newest() const {
  ENSURE(seen() > 0);
  return std::find_if(stretches_.begin(), stretches_.end(), [](const Stretch& one) { return one.calls > 0; })->newest;
}

std::int64_t CallSpread::oldest() const {
  ENSURE(seen() > 0);
  return std::find_if(stretches_.rbegin(), stretches_.rend(), [](const Stretch& one) { return one.calls > 0; })->from;
}

CallSpread::Guess CallSpread::guess() const {
  const std::int64_t known = seen();
  double low = 0, likely = 0, high = 0;
  for (const Gap& gap : gaps()) {
    low += gap.low;
    likely += gap.likely;
    high += gap.high;
  }
  Guess guess{known + std::llround(low), known + std::llround(likely), known + std::llround(high), false};
  guess.exact = floor_.has_value() && gaps().empty();
  return guess;
}

std::optional<std::int64_t> CallSpread::next_older() const {
  if (seen() == 0) return std::nullopt;
  const std::int64_t reached = stretches_.back().from;
  const std::int64_t span = std::max(newest() - reached, kDayMs);
  if (!floor_) return reached - span;
  const std::int64_t unknown = reached - *floor_;
  if (static_cast<double>(unknown) <= kReachedShare * static_cast<double>(span)) return std::nullopt;
  return *floor_ + unknown / 2;
}

std::optional<std::int64_t> CallSpread::next_probe() const {
  const auto all = gaps();
  if (all.empty()) return std::nullopt;
  const auto widest =
      std::max_element(all.begin(), all.end(), [](const Gap& a, const Gap& b) { return a.likely < b.likely; });
  double unknown = 0;
  for (const Gap& gap : all) unknown += gap.likely;
  if (unknown <= kKnownShare * static_cast<double>(seen())) return std::nullopt;
  return widest->from + (widest->until - widest->from) / 2;
}

}  // namespace callimport::activities
