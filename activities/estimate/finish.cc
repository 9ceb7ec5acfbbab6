#include "activities/estimate/finish.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "storage/model/text.h"

namespace callimport::activities {
namespace {

Nanos nanos_of(double ms) { return std::chrono::milliseconds{std::llround(ms)}; }
double ms_of(Nanos time) { return static_cast<double>(time.count()) / 1e6; }

}  // namespace

std::string budget_words(const Budget& budget) {
  return fmt::format("our own budget of {} calls in {} h", with_thousands(budget.calls), budget.period_ms / 3'600'000);
}

std::optional<Finish> finish_of(Timestamp start, const BulkWork& work, const storage::TimeWindow& window,
                                const Budget& budget) {
  Finish finish{start, Nanos{0}, Nanos{0}, Nanos{0}};
  double left = work.calls;
  const auto allowed = static_cast<double>(budget.calls);
  double of_period = work.left_in_period >= 0 ? std::min(work.left_in_period, allowed) : allowed;
  Timestamp period = start;
  for (int turn = 0; left >= 1; ++turn) {
    const auto opens = turn < kTurnsMax ? window.next_opening(finish.end) : std::nullopt;
    if (!opens) return std::nullopt;
    finish.closed += *opens - finish.end;
    finish.end = *opens;
    const auto closes = window.closes_at(finish.end);
    double now = left;
    if (budget.calls > 0) now = std::min(now, of_period);
    if (closes && work.ms_per_call > 0) now = std::min(now, ms_of(*closes - finish.end) / work.ms_per_call);
    const Nanos takes = nanos_of(now * work.ms_per_call);
    finish.working += takes;
    finish.end += takes;
    left -= now;
    of_period -= now;
    if (left < 1) break;
    if (closes && finish.end + std::chrono::milliseconds{1} >= *closes) finish.end = std::max(finish.end, *closes);
    if (budget.calls == 0 || of_period >= 1) continue;
    const Timestamp next = std::max(finish.end, period + std::chrono::milliseconds{budget.period_ms});
    finish.over_budget += next - finish.end;
    finish.end = next;
    period = next;
    of_period = allowed;
  }
  return finish;
}

}  // namespace callimport::activities
