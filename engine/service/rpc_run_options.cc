// UpdateWorkflowExecutionOptions, Pause- and UnpauseWorkflowExecution, ResetStickyTaskQueue (conformance C.10, A.8).
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/run_options.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

using Options = temporal::api::workflow::v1::WorkflowExecutionOptions;

/// Which part of the options a mask's path names.
enum class Part : std::uint8_t { kNone, kOverride, kOverridePart, kOther };
Part part_of(const std::string& path) {
  const std::string head = path.substr(0, path.find('.'));
  if (head == "versioning_override" || head == "versioningOverride") {
    return head == path ? Part::kOverride : Part::kOverridePart;
  }
  const bool known = head == "priority" || head == "time_skipping_config" || head == "timeSkippingConfig";
  return known ? Part::kOther : Part::kNone;
}

std::optional<std::string> options_error(const api::UpdateWorkflowExecutionOptionsRequest& request) {
  if (request.workflow_execution().workflow_id().empty()) return "WorkflowId is not set on request.";
  if (!request.has_update_mask()) return "UpdateMask is required";
  if (!request.has_workflow_execution_options()) return "WorkflowExecutionOptions is required";
  for (const auto& path : request.update_mask().paths()) {
    if (part_of(path) == Part::kNone) {
      return "error parsing UpdateMask: proto: invalid path \"" + path +
             "\" for message \"temporal.api.workflow.v1.WorkflowExecutionOptions\"";
    }
  }
  const auto& options = request.workflow_execution_options();
  if (options.has_versioning_override() && !options.versioning_override().has_pinned() &&
      !options.versioning_override().auto_upgrade()) {
    return "override behavior is required";
  }
  return std::nullopt;
}

}  // namespace

void Service::UpdateWorkflowExecutionOptions(const api::UpdateWorkflowExecutionOptionsRequest& request,
                                             CallContext context,
                                             Reply<api::UpdateWorkflowExecutionOptionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = options_error(request)) return refuse(std::move(call), errors::invalid(*wrong));
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.workflow_execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open == nullptr) return refuse(std::move(call), errors::already_completed());
  Options held;
  if (found.open->progress.has_versioning_override()) {
    *held.mutable_versioning_override() = found.open->progress.versioning_override();
  }
  Options wanted = held;
  for (const auto& path : request.update_mask().paths()) {
    if (part_of(path) == Part::kOverridePart) {
      return refuse(std::move(call), errors::invalid("error applying update_options: versioning_override fields must "
                                                     "be updated together"));
    }
    if (part_of(path) != Part::kOverride) continue;
    wanted.clear_versioning_override();
    if (request.workflow_execution_options().has_versioning_override()) {
      *wanted.mutable_versioning_override() = request.workflow_execution_options().versioning_override();
    }
  }
  if (wanted.SerializeAsString() != held.SerializeAsString()) {
    OptionsUpdated change;
    if (wanted.has_versioning_override()) {
      *change.mutable_versioning_override() = wanted.versioning_override();
    } else {
      change.set_unset_versioning_override(true);
    }
    Draft draft(*found.open, clock_.now());
    update_options(draft, change);
    if (auto wrong = grow(*found.open, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
  }
  api::UpdateWorkflowExecutionOptionsResponse out;
  *out.mutable_workflow_execution_options() = std::move(wanted);
  answer(std::move(call), std::move(out));
}

void Service::PauseWorkflowExecution(const api::PauseWorkflowExecutionRequest& request, CallContext context,
                                     Reply<api::PauseWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.workflow_id(), request.run_id(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open == nullptr) return refuse(std::move(call), errors::already_completed());
  const pb::RunProgress& progress = found.open->progress;
  if (progress.paused_ns() != 0) {
    const bool same = !request.request_id().empty() && progress.pause_request_id() == request.request_id();
    if (same) return answer(std::move(call), api::PauseWorkflowExecutionResponse());
    return refuse(std::move(call), errors::plain(errors::kFailedPrecondition, "workflow is already paused."));
  }
  Draft draft(*found.open, clock_.now());
  pause_run(draft, request.identity(), request.reason(), request.request_id());
  if (auto wrong = grow(*found.open, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
  answer(std::move(call), api::PauseWorkflowExecutionResponse());
}

void Service::UnpauseWorkflowExecution(const api::UnpauseWorkflowExecutionRequest& request, CallContext context,
                                       Reply<api::UnpauseWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.workflow_id(), request.run_id(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open == nullptr) return refuse(std::move(call), errors::already_completed());
  OpenRun& run = *found.open;
  if (run.progress.paused_ns() == 0) {
    return refuse(std::move(call), errors::plain(errors::kFailedPrecondition, "workflow is not paused."));
  }
  const RunKey key = run.key;
  Draft draft(run, clock_.now());
  unpause_run(draft, request.identity(), request.reason(), request.request_id());
  if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
  if (open_.contains(key)) enqueue_due(run);  // what waited
  answer(std::move(call), api::UnpauseWorkflowExecutionResponse());
}

void Service::ResetStickyTaskQueue(const api::ResetStickyTaskQueueRequest& request, CallContext context,
                                   Reply<api::ResetStickyTaskQueueResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_execution()) return refuse(std::move(call), errors::execution_not_set());
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open == nullptr) return refuse(std::move(call), errors::already_completed());
  OpenRun& run = *found.open;
  if (!run.progress.sticky_queue().empty()) {
    if (std::exchange(run.task_on_sticky, false)) run.task_queued = false;  // anybody may have it now
    Draft draft(run, clock_.now());
    draft.edit_progress().clear_sticky_queue();
    commit(run, std::move(draft));
  }
  answer(std::move(call), api::ResetStickyTaskQueueResponse());
}

}  // namespace callimport::engine
