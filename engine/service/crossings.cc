// What reaches a run from another: signals and cancel requests of workflow code (conformance C.12), and the cancel
// request itself, which clients share.
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {

void Service::request_cancel(OpenRun& run, const std::string& cause, const std::string& identity,
                             const std::string& request_id,
                             const temporal::api::common::v1::WorkflowExecution* external,
                             std::int64_t external_initiated) {
  if (run.progress.cancel_requested()) return;
  Draft draft(run, clock_.now());
  auto* event = draft.record(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
                    .mutable_workflow_execution_cancel_requested_event_attributes();
  event->set_cause(cause);
  event->set_identity(identity);
  if (external != nullptr) *event->mutable_external_workflow_execution() = *external;
  event->set_external_initiated_event_id(external_initiated);
  draft.edit_progress().set_cancel_requested(true);
  draft.edit_progress().set_cancel_request_id(request_id);
  draft.edit_progress().set_backoff_until_ns(0);  // C.6: ends a first backoff
  if (!draft.buffering()) schedule_task_if_idle(draft);
  limit_growth(draft);
  commit(run, std::move(draft));
}

/// A command reaches another run in the append that initiated it; so nothing of it can be lost in between.
void Service::send_external(RunKey source, const ExternalRequest& request) {
  const Found from = find(source);
  temporal::api::common::v1::WorkflowExecution sender;
  const pb::RunSummary summary = summary_of(from);
  const std::string& from_space = summary.facts().name_space();
  sender.set_workflow_id(summary.facts().workflow_id());
  sender.set_run_id(summary.facts().run_id());
  const auto& command = *request.command;
  PortStatus error;
  bool reached = false;
  if (command.has_signal_external_workflow_execution_command_attributes()) {
    const auto& asked = command.signal_external_workflow_execution_command_attributes();
    const Found target = find_run(from_space, asked.execution(), &error);
    if (target.open != nullptr && target.open->key != source) {
      const FirstSignal signal{.name = asked.signal_name(),
                               .identity = std::string(kHistoryService),
                               .request_id = "",
                               .input = asked.has_input() ? &asked.input() : nullptr,
                               .header = asked.has_header() ? &asked.header() : nullptr};
      Draft draft(*target.open, clock_.now());
      signal_run(draft, signal, &sender);
      if (!draft.buffering()) schedule_task_if_idle(draft);
      limit_growth(draft);
      commit(*target.open, std::move(draft));
      reached = true;
    }
  } else {
    const auto& asked = command.request_cancel_external_workflow_execution_command_attributes();
    const Found target = find_run(from_space, asked.workflow_id(), asked.run_id(), &error);
    reached = target && !(target.open != nullptr && target.open->key == source);
    if (reached && target.open != nullptr) {
      request_cancel(*target.open, asked.reason(), std::string(kHistoryService), "", &sender,
                     request.initiated_event_id);
    }
  }
  resolve_external(source, request, reached);
}

void Service::resolve_external(RunKey source, const ExternalRequest& request, bool reached) {
  const auto it = open_.find(source);
  if (it == open_.end()) return;  // it closed with the command
  OpenRun& run = *it->second;
  Draft draft(run, clock_.now());
  const std::string& name_space = run.facts.name_space();
  if (request.command->has_signal_external_workflow_execution_command_attributes()) {
    const auto& asked = request.command->signal_external_workflow_execution_command_attributes();
    if (reached) {
      auto* out = draft.record(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
                      .mutable_external_workflow_execution_signaled_event_attributes();
      out->set_initiated_event_id(request.initiated_event_id);
      out->set_namespace_(name_space);
      *out->mutable_workflow_execution() = asked.execution();
      out->set_control(asked.control());
    } else {
      auto* out = draft.record(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                      .mutable_signal_external_workflow_execution_failed_event_attributes();
      out->set_cause(enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
      out->set_namespace_(name_space);
      *out->mutable_workflow_execution() = asked.execution();
      out->set_initiated_event_id(request.initiated_event_id);
    }
  } else {
    const auto& asked = request.command->request_cancel_external_workflow_execution_command_attributes();
    const auto fill = [&](auto* out) {
      out->set_initiated_event_id(request.initiated_event_id);
      out->set_namespace_(name_space);
      out->mutable_workflow_execution()->set_workflow_id(asked.workflow_id());
      out->mutable_workflow_execution()->set_run_id(asked.run_id());
    };
    if (reached) {
      fill(draft.record(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
               .mutable_external_workflow_execution_cancel_requested_event_attributes());
    } else {
      auto* out = draft.record(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                      .mutable_request_cancel_external_workflow_execution_failed_event_attributes();
      fill(out);
      out->set_cause(enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
    }
  }
  if (!draft.buffering()) schedule_task_if_idle(draft);
  commit(run, std::move(draft));
}

}  // namespace callimport::engine
