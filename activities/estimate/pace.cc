#include "activities/estimate/pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "storage/model/text.h"

namespace callimport::activities {
namespace {

constexpr std::int64_t kWindowMs = 60'000;
constexpr double kEarliest = 0.8, kLatest = 1.3;  ///< of the time the pace alone gives
constexpr double kMoved = 0.1;
constexpr double kAtTheLimit = 0.7;  ///< of the platform's requests: then they are what sets the pace

std::optional<Finish> finish_at(const Standing& standing, double ms_per_call) {
  const std::int64_t from = std::max(standing.now_ms, standing.until_ms);
  BulkWork work{static_cast<double>(standing.pending), ms_per_call, -1};
  if (standing.budget.calls > 0)
    work.left_in_period = static_cast<double>(std::max<std::int64_t>(standing.budget.calls - standing.bulk_done, 0));
  return finish_of(from_unix_ms(from), work, standing.window, standing.budget);
}

std::string cause_of(const Standing& standing, const Finish& finish, double per_ms) {
  if (finish.closed > finish.working && finish.closed >= finish.over_budget) return "the hours in which bulk may run";
  if (finish.over_budget > finish.working) return budget_words(standing.budget);
  if (!standing.waits_for.empty()) return "waiting: " + standing.waits_for;
  if (standing.counting) return "the calls are still being counted";
  if (standing.per_minute > 0 && per_ms * 60'000 * standing.requests_per_call >= kAtTheLimit * standing.per_minute)
    return fmt::format("{}'s {} requests a minute", standing.platform, with_thousands(standing.per_minute));
  return "the pace so far";
}

/// The hours in which bulk may run end.
std::optional<ComingPause> window_pause(const Standing& standing) {
  if (standing.window.always()) return std::nullopt;
  const Timestamp now = from_unix_ms(standing.now_ms);
  const auto closes = standing.window.closes_at(now);
  if (!closes) return std::nullopt;
  const auto opens = standing.window.next_opening(*closes);
  return ComingPause{to_unix_ms(*closes), opens ? to_unix_ms(*opens) : 0, "the hours in which bulk may run"};
}

/// Our own budget is spent. When it is there again depends on when it was taken: a period later at the latest.
std::optional<ComingPause> budget_pause(const Standing& standing, double calls_per_minute) {
  if (standing.budget.calls <= 0 || calls_per_minute <= 0) return std::nullopt;
  const auto left = std::max<std::int64_t>(standing.budget.calls - standing.bulk_done, 0);
  if (left >= standing.pending) return std::nullopt;
  const auto at = standing.now_ms + static_cast<std::int64_t>(static_cast<double>(left) / calls_per_minute * 60'000);
  return ComingPause{at, 0, budget_words(standing.budget)};
}

}  // namespace

std::optional<ComingPause> next_pause(const Standing& standing, const TimeLeft& left) {
  if (!standing.waits_for.empty() || standing.counting || standing.pending == 0) return std::nullopt;
  auto first = window_pause(standing);
  const auto budget = budget_pause(standing, left.calls_per_minute);
  if (budget && (!first || budget->at_ms < first->at_ms)) first = budget;
  if (first && left.to_ms && *left.to_ms <= first->at_ms) return std::nullopt;
  return first;
}

double Pace::recent_per_ms() const {
  if (seen_.size() < 2 || seen_.back().at_ms <= seen_.front().at_ms) return 0;
  return static_cast<double>(seen_.back().done - seen_.front().done) /
         static_cast<double>(seen_.back().at_ms - seen_.front().at_ms);
}

/// True while what was told before a restart is the better word.
bool Pace::stands_still(const Standing& standing, bool seen_enough) {
  if (!resuming_) return false;
  if (resumed_ms_ == 0) resumed_ms_ = standing.now_ms;
  const bool fresh = standing.now_ms - resumed_ms_ < 2 * kWindowMs && said_->to_ms.value_or(0) > standing.now_ms;
  resuming_ = fresh && !seen_enough;
  return resuming_;
}

TimeLeft Pace::look(const Standing& standing) {
  if (standing.person) {
    // Only they know; and when they have acted, what was reckoned before no longer says anything.
    seen_.clear();
    said_.reset();
    resuming_ = false;
    return {{}, {}, fmt::format("it waits for a person ({})", standing.waits_for), 0};
  }
  if (standing.waits_for.empty() && !standing.counting) {
    seen_.push_back({standing.now_ms, standing.done});
    while (seen_.size() > 2 && seen_.front().at_ms < standing.now_ms - kWindowMs) seen_.pop_front();
  } else {
    seen_.clear();  // a wait says nothing about the pace
  }
  TimeLeft left;
  const bool long_enough = seen_.size() > 1 && seen_.back().at_ms - seen_.front().at_ms >= kWindowMs / 2;
  double per_ms = long_enough ? recent_per_ms() : 0;
  if (per_ms <= 0 && standing.active_ms > 0)
    per_ms = static_cast<double>(standing.done) / static_cast<double>(standing.active_ms);
  if (standing.waits_for.empty() && !standing.counting) left.calls_per_minute = per_ms * 60'000;
  if (stands_still(standing, long_enough)) {
    said_->calls_per_minute = left.calls_per_minute;
    return *said_;
  }
  const bool enough = standing.done >= kEnoughCalls || standing.active_ms >= kEnoughMs;
  if (!enough || per_ms <= 0) return said_.value_or(left);
  const auto soon = finish_at(standing, kEarliest / per_ms), late = finish_at(standing, kLatest / per_ms);
  if (!soon || !late) return left;
  left.from_ms = to_unix_ms(soon->end);
  left.to_ms = to_unix_ms(late->end);
  left.cause = cause_of(standing, *late, per_ms);
  if (said_ && said_->to_ms) {
    const auto moved = std::abs(static_cast<double>(*left.to_ms - *said_->to_ms));
    const auto rest = std::max<std::int64_t>(*said_->to_ms - standing.now_ms, 1);
    if (moved <= kMoved * static_cast<double>(rest)) {
      left.from_ms = said_->from_ms;
      left.to_ms = said_->to_ms;
    }
  }
  said_ = left;
  return left;
}

}  // namespace callimport::activities
