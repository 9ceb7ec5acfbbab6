#include "simulations/world/sim_loop.h"

#include <algorithm>
#include <utility>

#include "storage/model/ensure.h"

namespace callimport::simulations {

bool SimLoop::step_before(Timestamp end) {
  Task task;
  if (!queue_.empty()) {
    task = std::move(queue_.front());
    queue_.pop_front();
  } else {
    const auto first = deadlines_.first();
    if (!first || *first > end) return false;
    now_ = std::max(now_, *first);
    task = deadlines_.take_due(now_, deadlines_.next_id());
  }
  ++steps_;
  task();
  return true;
}

bool SimLoop::step() { return step_before(Timestamp::max()); }

bool SimLoop::run_until(const std::function<bool()>& done) {
  const std::uint64_t limit = steps_ + kStepsMax;
  while (!done()) {
    ENSURE(steps_ < limit);
    if (!step()) return false;
  }
  return true;
}

void SimLoop::run_for(Nanos duration) {
  const std::uint64_t limit = steps_ + kStepsMax;
  const Timestamp end = now_ + duration;
  while (step_before(end)) ENSURE(steps_ < limit);
  now_ = std::max(now_, end);
}

void SimLoop::drop_all() {
  // Destructors may post or set timers: those go too.
  while (!queue_.empty() || deadlines_.size() != 0) {
    std::exchange(queue_, {}).clear();
    deadlines_.clear();
  }
}

}  // namespace callimport::simulations
