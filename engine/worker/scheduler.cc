#include "engine/worker/scheduler.h"

#include <utility>

namespace callimport::engine::worker {

void Scheduler::start(Flow<WorkflowEnd> main, std::function<void()> returning) {
  main_.emplace(std::move(main));
  main_->on_return(std::move(returning));
  resume_later(main_->handle());
}

void Scheduler::spawn(Flow<void> flow) {
  spawned_.push_back(std::move(flow));
  resume_later(spawned_.back().handle());
}

void Scheduler::add_condition(std::function<bool()> holds, std::shared_ptr<FutureState<bool>> state,
                              std::function<void()> met) {
  conditions_.push_back({std::move(holds), std::move(state), std::move(met)});
}

void Scheduler::settle() {
  for (auto at = conditions_.begin(); at != conditions_.end();) {
    if (!at->state->value && at->state.use_count() > 1 && at->holds()) {
      at->state->set(true);
      if (at->met) at->met();
    }
    // A Future nobody holds any more can't be awaited, and what its condition refers to may be gone.
    const bool over = at->state->value || at->state.use_count() == 1;
    at = over ? conditions_.erase(at) : std::next(at);
  }
}

void Scheduler::drain() {
  if (done() || halted_) return;
  settle();
  while (!ready_.empty() && !halted_) {
    const auto next = ready_.front();
    ready_.pop_front();
    next.resume();
    if (done()) return;
    settle();
  }
}

void Scheduler::sweep() {
  for (auto at = spawned_.begin(); at != spawned_.end();) {
    if (!at->done()) {
      ++at;
      continue;
    }
    Flow<void> finished = std::move(*at);
    at = spawned_.erase(at);
    finished.take();
  }
}

void Scheduler::destroy_frames() {
  ready_.clear();
  while (!spawned_.empty()) spawned_.pop_back();
  main_.reset();
  conditions_.clear();
}

}  // namespace callimport::engine::worker
