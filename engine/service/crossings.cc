// What a run's commands do to another run: signals and cancel requests of workflow code (conformance C.12). Both runs
// change in the append that wrote the command's event, so nothing of it can be lost in between.
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {

/// Who reaches over, as the other side sees it.
Execution Service::execution_of(RunKey key) {
  const Found found = find(key);
  Execution out;
  out.set_workflow_id(found.workflow_id());
  out.set_run_id(found.run_id());
  return out;
}

void Service::cross(RunKey source, Crossing& crossing) {
  const auto& command = *crossing.command;
  if (crossing.child) {
    start_child(source, crossing);
  } else if (command.has_signal_external_workflow_execution_command_attributes()) {
    send_signal(source, crossing);
  } else {
    send_cancel(source, crossing);
  }
}

/// The open or closed run that a command of `source` names; nothing when it must not reach it: itself, or nobody's
/// child where only children are meant.
Service::Found Service::target_of(RunKey source, const std::string& name_space, const Execution& named,
                                  bool child_only) {
  PortStatus error;
  const Found from = find(source);
  const std::string& own = from.space()->name;
  const std::string& asked = name_space.empty() ? own : name_space;
  const Execution sender = execution_of(source);
  if (asked == own && named.workflow_id() == sender.workflow_id()) return {};
  const Found target = find_run(asked, named, &error);
  if (!target || !child_only) return target;
  const pb::RunSummary summary = summary_of(target);
  const pb::Parent& parent = summary.facts().parent();
  const bool ours = parent.workflow_id() == sender.workflow_id() && parent.run_id() == sender.run_id();
  return ours ? target : Found{};
}

void Service::send_signal(RunKey source, const Crossing& crossing) {
  const auto& asked = crossing.command->signal_external_workflow_execution_command_attributes();
  const Found target = target_of(source, asked.namespace_(), asked.execution(), asked.child_workflow_only());
  auto cause = enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
  if (target.open != nullptr && check_signal_limit(*target.open)) {
    cause = enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
  } else if (target.open != nullptr) {
    const Execution sender = execution_of(source);
    Draft draft(*target.open, clock_.now());
    signal_run(draft,
               {.name = asked.signal_name(),
                .identity = std::string(kHistoryService),
                .request_id = "",
                .input = asked.has_input() ? &asked.input() : nullptr,
                .header = asked.has_header() ? &asked.header() : nullptr},
               &sender);
    if (!draft.buffering()) schedule_task_if_idle(draft);
    cause = grow(*target.open, std::move(draft))  // ended instead: not there any more
                ? enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
                : enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED;
  }
  const auto it = open_.find(source);
  if (it == open_.end()) return;  // it closed with the command
  Draft draft(*it->second, clock_.now());
  const Namespace& space_of_target = space(asked.namespace_().empty() ? it->second->space->name : asked.namespace_());
  const auto fill = [&](auto* out) {
    out->set_namespace_(space_of_target.name);
    out->set_namespace_id(space_of_target.id);
    *out->mutable_workflow_execution() = asked.execution();
    out->set_initiated_event_id(crossing.initiated_event_id);
    out->set_control(asked.control());
    return out;
  };
  if (cause == enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED) {
    (void)fill(draft.record(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
                   .mutable_external_workflow_execution_signaled_event_attributes());
  } else {
    fill(draft.record(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
             .mutable_signal_external_workflow_execution_failed_event_attributes())
        ->set_cause(cause);
  }
  hear_back(*it->second, std::move(draft));
}

void Service::send_cancel(RunKey source, const Crossing& crossing) {
  const auto& asked = crossing.command->request_cancel_external_workflow_execution_command_attributes();
  Execution named;
  named.set_workflow_id(asked.workflow_id());
  named.set_run_id(asked.run_id());
  const Found target = target_of(source, asked.namespace_(), named, asked.child_workflow_only());
  if (target.open != nullptr) {
    const Execution sender = execution_of(source);
    Draft draft(*target.open, clock_.now());
    (void)request_cancel_run(draft, {.cause = asked.reason(),
                                     .identity = std::string(kHistoryService),
                                     .request_id = "",
                                     .external = &sender,
                                     .external_initiated = crossing.initiated_event_id});
    (void)grow(*target.open, std::move(draft));
  }
  const auto it = open_.find(source);
  if (it == open_.end()) return;
  Draft draft(*it->second, clock_.now());
  const Namespace& space_of_target = space(asked.namespace_().empty() ? it->second->space->name : asked.namespace_());
  const auto fill = [&](auto* out) {
    out->set_initiated_event_id(crossing.initiated_event_id);
    out->set_namespace_(space_of_target.name);
    out->set_namespace_id(space_of_target.id);
    *out->mutable_workflow_execution() = named;
    return out;
  };
  if (target) {  // a closed one has nothing left to cancel: as good as done
    (void)fill(draft.record(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
                   .mutable_external_workflow_execution_cancel_requested_event_attributes());
  } else {
    fill(draft.record(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
             .mutable_request_cancel_external_workflow_execution_failed_event_attributes())
        ->set_cause(enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
  }
  hear_back(*it->second, std::move(draft));
}

/// The outcome of a crossing is in the draft: the workflow learns of it.
void Service::hear_back(OpenRun& run, Draft draft) {
  if (!draft.buffering()) schedule_task_if_idle(draft);
  (void)grow(run, std::move(draft));
}

}  // namespace callimport::engine
