// DeleteWorkflowExecution (conformance C.10, A.8 tier 1): an open run is terminated first; then nothing of it is left.
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {

void Service::DeleteWorkflowExecution(const api::DeleteWorkflowExecutionRequest& request, CallContext context,
                                      Reply<api::DeleteWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.workflow_execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open != nullptr) {
    Draft draft(*found.open, clock_.now());
    terminate_run(draft, "Delete workflow execution", nullptr, kHistoryService);
    draft.edit_progress().set_erase(true);
    commit(*found.open, std::move(draft));
  } else {
    erase_closed(found.closed->key);
  }
  answer(std::move(call), api::DeleteWorkflowExecutionResponse());
}

/// Open no more, and never seen closed: its rows and its end go in one commit.
void Service::erase_ended(OpenRun& run) {
  forget_name(run.key, *run.space, run.facts.workflow_id(), run.facts.run_id());
  turn_.erased.push_back(run.key);
  const auto it = open_.find(run.key);
  std::unique_ptr<OpenRun> ended = std::move(it->second);
  open_.erase(it);
  release_queries(*ended);
}

void Service::erase_closed(RunKey key) {
  auto closed = std::make_unique<ClosedRun>(std::move(closed_.at(key)));
  closed_.erase(key);
  closing_.erase(key);
  std::erase_if(turn_.closed, [key](const storage::ClosedHistory& history) { return history.run == key; });
  forget_name(key, *closed->space, closed->row->workflow_id, closed->row->run_id);
  closed->space->visibility.erase(visibility_key({nullptr, closed.get()}));
  closed->row = nullptr;
  turn_.erased.push_back(key);
  closed->held = nullptr;
  turn_.removed.push_back(std::move(closed));
  schedule_flush();
}

void Service::forget_name(RunKey key, Namespace& space, const std::string& workflow_id, const std::string& run_id) {
  run_ids_.erase(run_id);
  resets_.erase(run_id);
  const auto current = space.current_runs.find(workflow_id);
  if (current != space.current_runs.end() && current->second == key) space.current_runs.erase(current);
}

}  // namespace callimport::engine
