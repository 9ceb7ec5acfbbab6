#include "engine/worker/others.h"

#include <temporal/api/history/v1/message.pb.h>

#include <utility>

#include "engine/worker/payloads.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

enums::ParentClosePolicy policy_of(ParentClosePolicy policy) {
  switch (policy) {
    case ParentClosePolicy::kTerminate: return enums::PARENT_CLOSE_POLICY_TERMINATE;
    case ParentClosePolicy::kAbandon: return enums::PARENT_CLOSE_POLICY_ABANDON;
    case ParentClosePolicy::kRequestCancel: return enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL;
  }
  return enums::PARENT_CLOSE_POLICY_UNSPECIFIED;
}

enums::WorkflowIdReusePolicy policy_of(IdReuse reuse) {
  switch (reuse) {
    case IdReuse::kAllowDuplicate: return enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
    case IdReuse::kAllowDuplicateFailedOnly: return enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY;
    case IdReuse::kRejectDuplicate: return enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;
  }
  return enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED;
}

Failure refusal(const char* type, std::string message) {
  Failure failure;
  failure.type = type;
  failure.message = std::move(message);
  failure.non_retryable = true;
  return failure;
}

Outcome<> refused_request(const std::string& target, const std::string& cause) {
  if (cause.ends_with("EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND")) {
    return tl::unexpected(refusal("WorkflowNotFound", "no open workflow " + target));
  }
  return tl::unexpected(refusal("RequestRefused", "workflow " + target + ": " + cause));
}

}  // namespace

std::optional<ChildNews> child_news(const HistoryEvent& event) {
  using C = ChildEvent;
  switch (event.event_type()) {
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return ChildNews{C::StartChildWorkflowExecutionFailed,
                       event.start_child_workflow_execution_failed_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      return ChildNews{C::ChildWorkflowExecutionStarted,
                       event.child_workflow_execution_started_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return ChildNews{C::ChildWorkflowExecutionCompleted,
                       event.child_workflow_execution_completed_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      return ChildNews{C::ChildWorkflowExecutionFailed,
                       event.child_workflow_execution_failed_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return ChildNews{C::ChildWorkflowExecutionTimedOut,
                       event.child_workflow_execution_timed_out_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      return ChildNews{C::ChildWorkflowExecutionCanceled,
                       event.child_workflow_execution_canceled_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return ChildNews{C::ChildWorkflowExecutionTerminated,
                       event.child_workflow_execution_terminated_event_attributes().initiated_event_id()};
    default: return std::nullopt;
  }
}

std::optional<ExternalNews> external_news(const HistoryEvent& event) {
  using X = ExternalEvent;
  switch (event.event_type()) {
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      return ExternalNews{X::PassedOn,
                          event.external_workflow_execution_signaled_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return ExternalNews{X::Failed,
                          event.signal_external_workflow_execution_failed_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      return ExternalNews{X::PassedOn,
                          event.external_workflow_execution_cancel_requested_event_attributes().initiated_event_id()};
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return ExternalNews{
          X::Failed, event.request_cancel_external_workflow_execution_failed_event_attributes().initiated_event_id()};
    default: return std::nullopt;
  }
}

Outcome<std::string> outcome_of_child(const HistoryEvent& event) {
  Failure failure;
  switch (event.event_type()) {
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return json_of(event.child_workflow_execution_completed_event_attributes().result());
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      failure = failure_of(event.child_workflow_execution_failed_event_attributes().failure());
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      failure.kind = Failure::Kind::kTimeout;
      failure.type = "StartToClose";
      failure.message = "child workflow timed out";
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      failure.kind = Failure::Kind::kTerminated;
      failure.message = "child workflow terminated";
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      failure = cancelled("child workflow cancelled");
      failure.details = json_of(event.child_workflow_execution_canceled_event_attributes().details());
      break;
    default: {
      const auto& failed = event.start_child_workflow_execution_failed_event_attributes();
      const bool taken = failed.cause() == enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;
      failure = taken ? refusal("WorkflowAlreadyExists", "workflow id " + failed.workflow_id() + " is taken")
                      : refusal("NamespaceNotFound", "no such namespace");
      break;
    }
  }
  return tl::unexpected(std::move(failure));
}

Outcome<> outcome_of_request(const HistoryEvent& event) {
  if (event.event_type() == enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED) {
    const auto& failed = event.signal_external_workflow_execution_failed_event_attributes();
    return refused_request(failed.workflow_execution().workflow_id(),
                           enums::SignalExternalWorkflowExecutionFailedCause_Name(failed.cause()));
  }
  if (event.event_type() == enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED) {
    const auto& failed = event.request_cancel_external_workflow_execution_failed_event_attributes();
    return refused_request(failed.workflow_execution().workflow_id(),
                           enums::CancelExternalWorkflowExecutionFailedCause_Name(failed.cause()));
  }
  return {};
}

void set_start(StartChild* start, const ChildOptions& options, const WorkflowInfo& parent) {
  start->mutable_task_queue()->set_name(options.task_queue.empty() ? parent.task_queue : options.task_queue);
  if (options.execution_timeout > Nanos{0}) {
    set_duration(start->mutable_workflow_execution_timeout(), options.execution_timeout);
  }
  if (options.run_timeout > Nanos{0}) set_duration(start->mutable_workflow_run_timeout(), options.run_timeout);
  if (options.task_timeout > Nanos{0}) set_duration(start->mutable_workflow_task_timeout(), options.task_timeout);
  start->set_parent_close_policy(policy_of(options.parent_close));
  start->set_workflow_id_reuse_policy(policy_of(options.reuse));
  if (options.retry) set_retry(start->mutable_retry_policy(), *options.retry);
  start->set_cron_schedule(options.cron);
  for (const auto& [key, json] : options.memo) set_json(&(*start->mutable_memo()->mutable_fields())[key], json);
  for (const auto& [key, value] : options.search) {
    set_search_value(&(*start->mutable_search_attributes()->mutable_indexed_fields())[key], value);
  }
}

}  // namespace callimport::engine::worker
