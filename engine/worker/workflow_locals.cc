// A workflow task that waits for local activities (conformance B23).
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <utility>

#include "engine/worker/workflow_tasks.h"

namespace callimport::engine::worker {

/// The run did what it could: the task is answered, or kept while local activities run.
void WorkflowTasks::go_on(Slot& slot, TaskPtr task) {
  Result<> went;
  while (went && !slot.local_results.empty()) {
    auto [number, result] = std::move(slot.local_results.front());
    slot.local_results.pop_front();
    went = slot.run->local_finished(number, std::move(result));
  }
  if (went) went = start_locals(slot);
  if (!went) return fail_task(slot, *task, went.error());
  if (!slot.run->waits_for_locals()) {
    port_.clock.cancel(std::exchange(slot.heartbeat, 0));
    if (slot.run->closed()) slot.locals.reset();
    return answer_task(slot, *task, Answer::Done);
  }
  slot.held = std::move(task);
  if (slot.heartbeat != 0) return;
  const Nanos limit = slot.run->task_timeout();
  const Nanos share{static_cast<std::int64_t>(static_cast<double>(limit.count()) * kHeartbeatShare)};
  slot.heartbeat = port_.clock.at(port_.clock.now() + share, [weak = weak_from_this(), run_id = slot.run_id] {
    if (auto self = weak.lock()) self->heartbeat(run_id);
  });
}

Result<> WorkflowTasks::start_locals(Slot& slot) {
  auto requests = slot.run->take_local_requests();
  if (!requests.empty() && !slot.locals) {
    slot.locals = std::make_unique<LocalRunner>(
        port_, activities_, locals_stop_,
        [weak = weak_from_this(), run_id = slot.run_id](std::int64_t number, std::optional<LocalResult> result) {
          if (auto self = weak.lock()) self->local_finished(run_id, number, std::move(result));
        });
  }
  for (auto& request : requests) TRY_VOID(slot.locals->start(slot.run->info(), std::move(request)));
  for (const auto number : slot.run->take_local_cancels()) {
    if (slot.locals) slot.locals->cancel(number);
  }
  return {};
}

WorkflowTasks::TaskPtr WorkflowTasks::take_held(Slot& slot) { return std::exchange(slot.held, nullptr); }

void WorkflowTasks::local_finished(const std::string& run_id, std::int64_t number, std::optional<LocalResult> result) {
  Slot& slot = *slots_.at(run_id);  // its runner lives in it
  if (!result) {                    // the worker stops: another one begins anew
    const bool held = take_held(slot) != nullptr;
    forget(slot);
    if (held) return release(run_id, false);
    if (!slot.busy) erase(slot);
    return;
  }
  if (!slot.held) return slot.local_results.emplace_back(number, std::move(*result)), void();
  auto task = take_held(slot);
  const auto went = slot.run->local_finished(number, std::move(*result));
  if (!went) return fail_task(slot, *task, went.error());
  go_on(slot, std::move(task));
}

void WorkflowTasks::heartbeat(const std::string& run_id) {
  Slot& slot = *slots_.at(run_id);
  slot.heartbeat = 0;
  auto task = take_held(slot);
  if (task) answer_task(slot, *task, Answer::Heartbeat);
}

/// The run, and all that belongs to it.
void WorkflowTasks::forget(Slot& slot) {
  port_.clock.cancel(std::exchange(slot.heartbeat, 0));
  slot.locals.reset();
  slot.local_results.clear();
  slot.run.reset();
}

}  // namespace callimport::engine::worker
