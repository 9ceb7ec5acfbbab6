#include "engine/service/children.h"

#include <utility>

#include "engine/service/cron.h"
#include "engine/service/proto_time.h"
#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {
namespace {

/// A child's own priority, completed by its parent's.
void merge_priority(const pb::RunFacts& parent, const ChildCommand& asked, StartedAttributes* out) {
  if (!parent.has_priority() && !asked.has_priority()) return;
  auto* merged = out->mutable_priority();
  *merged = parent.priority();
  if (asked.priority().priority_key() != 0) merged->set_priority_key(asked.priority().priority_key());
  if (!asked.priority().fairness_key().empty()) merged->set_fairness_key(asked.priority().fairness_key());
  if (asked.priority().fairness_weight() != 0) merged->set_fairness_weight(asked.priority().fairness_weight());
}

void fill_family(const pb::RunFacts& parent, const Namespace& own, std::int64_t initiated, StartedAttributes* out) {
  out->set_parent_workflow_namespace(own.name);
  out->set_parent_workflow_namespace_id(own.id);
  out->mutable_parent_workflow_execution()->set_workflow_id(parent.workflow_id());
  out->mutable_parent_workflow_execution()->set_run_id(parent.run_id());
  out->set_parent_initiated_event_id(initiated);
  const bool root = parent.root_run_id().empty();
  out->mutable_root_workflow_execution()->set_workflow_id(root ? parent.workflow_id() : parent.root_workflow_id());
  out->mutable_root_workflow_execution()->set_run_id(root ? parent.run_id() : parent.root_run_id());
}

}  // namespace

std::int64_t initiate_child(Draft& parent, const ChildCommand& asked,
                            const temporal::api::command::v1::Command& command, const std::string& namespace_id,
                            std::int64_t completed_id) {
  HistoryEvent& event = parent.append(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
  if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
  auto* out = event.mutable_start_child_workflow_execution_initiated_event_attributes();
  out->set_namespace_(asked.namespace_());
  out->set_namespace_id(namespace_id);
  out->set_workflow_id(asked.workflow_id());
  *out->mutable_workflow_type() = asked.workflow_type();
  *out->mutable_task_queue() = asked.task_queue();
  if (asked.has_input()) *out->mutable_input() = asked.input();
  if (asked.has_workflow_execution_timeout()) {
    *out->mutable_workflow_execution_timeout() = asked.workflow_execution_timeout();
  }
  *out->mutable_workflow_run_timeout() = asked.workflow_run_timeout();
  *out->mutable_workflow_task_timeout() = asked.workflow_task_timeout();
  out->set_parent_close_policy(asked.parent_close_policy());
  out->set_control(asked.control());
  out->set_workflow_task_completed_event_id(completed_id);
  out->set_workflow_id_reuse_policy(asked.workflow_id_reuse_policy());
  if (asked.has_retry_policy()) *out->mutable_retry_policy() = asked.retry_policy();
  out->set_cron_schedule(asked.cron_schedule());
  if (asked.has_header()) *out->mutable_header() = asked.header();
  if (asked.has_memo()) *out->mutable_memo() = asked.memo();
  if (asked.has_search_attributes()) *out->mutable_search_attributes() = asked.search_attributes();
  if (asked.has_priority()) *out->mutable_priority() = asked.priority();
  parent.set_child(initiated_child(event));
  return event.event_id();
}

pb::ChildState initiated_child(const HistoryEvent& event) {
  const auto& a = event.start_child_workflow_execution_initiated_event_attributes();
  pb::ChildState child;
  child.set_initiated_event_id(event.event_id());
  child.set_name_space(a.namespace_());
  child.set_workflow_id(a.workflow_id());
  child.set_type(a.workflow_type().name());
  child.set_close_policy(a.parent_close_policy());
  return child;
}

StartPlan plan_child(const Draft& parent, const ChildCommand& asked, const Namespace& own, std::int64_t initiated) {
  StartPlan plan;
  plan.name_space = asked.namespace_();
  plan.parent_close_policy = asked.parent_close_policy();
  StartedAttributes& a = plan.attributes;
  a.set_workflow_id(asked.workflow_id());
  *a.mutable_workflow_type() = asked.workflow_type();
  *a.mutable_task_queue() = asked.task_queue();
  if (asked.has_input()) *a.mutable_input() = asked.input();
  if (asked.has_workflow_execution_timeout()) {
    *a.mutable_workflow_execution_timeout() = asked.workflow_execution_timeout();
    // The Go SDK sends a zero for none.
    const std::int64_t timeout = to_nanos(asked.workflow_execution_timeout());
    if (timeout > 0) set_expiration(add_nanos(parent.now(), timeout), &a);
  }
  *a.mutable_workflow_run_timeout() = asked.workflow_run_timeout();
  *a.mutable_workflow_task_timeout() = asked.workflow_task_timeout();
  a.set_attempt(1);
  set_first_backoff(asked.cron_schedule(), parent.now(), &a);
  if (asked.has_retry_policy()) *a.mutable_retry_policy() = asked.retry_policy();
  if (asked.has_header()) *a.mutable_header() = asked.header();
  if (asked.has_memo()) *a.mutable_memo() = asked.memo();
  if (asked.has_search_attributes()) *a.mutable_search_attributes() = asked.search_attributes();
  merge_priority(parent.facts(), asked, &a);
  fill_family(parent.facts(), own, initiated, &a);
  return plan;
}

void record_child_started(Draft& parent, const StartPlan& plan, const std::string& namespace_id) {
  const StartedAttributes& a = plan.attributes;
  HistoryEvent& event = parent.record(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
  auto* out = event.mutable_child_workflow_execution_started_event_attributes();
  out->set_namespace_(plan.name_space);
  out->set_namespace_id(namespace_id);
  out->set_initiated_event_id(a.parent_initiated_event_id());
  out->mutable_workflow_execution()->set_workflow_id(a.workflow_id());
  out->mutable_workflow_execution()->set_run_id(plan.run_id);
  *out->mutable_workflow_type() = a.workflow_type();
  if (a.has_header()) *out->mutable_header() = a.header();
  const pb::ChildState* pending = parent.child(a.parent_initiated_event_id());
  if (pending == nullptr) return;
  pb::ChildState child = *pending;
  child.set_run_id(plan.run_id);
  child.set_started_event_id(event.event_id());  // 0 while it is buffered
  parent.set_child(std::move(child));
}

void record_child_not_started(Draft& parent, const ChildCommand& command, const StartPlan& plan,
                              const std::string& namespace_id, enums::StartChildWorkflowExecutionFailedCause cause) {
  const StartedAttributes& a = plan.attributes;
  auto* out = parent.record(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
                  .mutable_start_child_workflow_execution_failed_event_attributes();
  out->set_namespace_(plan.name_space);
  out->set_namespace_id(namespace_id);
  out->set_workflow_id(a.workflow_id());
  *out->mutable_workflow_type() = a.workflow_type();
  out->set_cause(cause);
  out->set_control(command.control());
  out->set_initiated_event_id(a.parent_initiated_event_id());
  parent.remove_child(a.parent_initiated_event_id());
}

void record_child_closed(Draft& parent, const ChildClose& close) {
  const pb::ChildState* pending = parent.child(close.initiated);
  if (pending == nullptr || pending->run_id() != close.first_run_id) return;
  const pb::ChildState child = *pending;
  const auto fill = [&](auto* out) {
    out->set_namespace_(child.name_space());
    out->set_namespace_id(close.namespace_id);
    *out->mutable_workflow_execution() = close.execution;
    out->mutable_workflow_type()->set_name(child.type());
    out->set_initiated_event_id(close.initiated);
    out->set_started_event_id(child.started_event_id());  // 0 while buffered: filled in by the flush
    return out;
  };
  switch (close.event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      auto* out = fill(parent.record(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
                           .mutable_child_workflow_execution_completed_event_attributes());
      const auto& from = close.event.workflow_execution_completed_event_attributes();
      if (from.has_result()) *out->mutable_result() = from.result();
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      auto* out = fill(parent.record(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
                           .mutable_child_workflow_execution_failed_event_attributes());
      const auto& from = close.event.workflow_execution_failed_event_attributes();
      if (from.has_failure()) *out->mutable_failure() = from.failure();
      out->set_retry_state(from.retry_state());
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
      auto* out = fill(parent.record(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
                           .mutable_child_workflow_execution_canceled_event_attributes());
      const auto& from = close.event.workflow_execution_canceled_event_attributes();
      if (from.has_details()) *out->mutable_details() = from.details();
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
      auto* out = fill(parent.record(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT)
                           .mutable_child_workflow_execution_timed_out_event_attributes());
      out->set_retry_state(close.event.workflow_execution_timed_out_event_attributes().retry_state());
      break;
    }
    default:
      (void)fill(parent.record(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED)
                     .mutable_child_workflow_execution_terminated_event_attributes());
      break;
  }
  parent.remove_child(close.initiated);
}

}  // namespace callimport::engine
