#include "engine/service/run_view.h"

#include <algorithm>
#include <string>

#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/run_options.h"
#include "engine/service/search_attributes.h"
#include "engine/service/successors.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kZeroTimeSeconds = -62'135'596'800;  // year 1: what Go sends for "no time"

enums::PendingActivityState activity_state(const pb::ActivityState& activity) {
  const bool paused = activity.paused_ns() != 0;
  if (activity.cancel_requested_event_id() != 0) return enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
  if (activity.started_ns() != 0) {
    return paused ? enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED : enums::PENDING_ACTIVITY_STATE_STARTED;
  }
  return paused ? enums::PENDING_ACTIVITY_STATE_PAUSED : enums::PENDING_ACTIVITY_STATE_SCHEDULED;
}

}  // namespace

std::int64_t execution_time_ns(const pb::RunFacts& facts) {
  return add_nanos(facts.start_ns(), facts.first_backoff_ns());
}

void fill_info(const pb::RunSummary& run, ViewOf view, temporal::api::workflow::v1::WorkflowExecutionInfo* out) {
  const auto& facts = run.facts();
  const auto& progress = run.progress();
  const bool row = view == ViewOf::kListRow;
  const bool closed = progress.closed_ns() != 0;
  const auto time = [row](std::int64_t ns) { return row ? ns / 1000 * 1000 : ns; };
  out->mutable_execution()->set_workflow_id(facts.workflow_id());
  out->mutable_execution()->set_run_id(facts.run_id());
  out->mutable_type()->set_name(facts.type());
  set_nanos(out->mutable_start_time(), time(facts.start_ns()));
  set_nanos(out->mutable_execution_time(), time(execution_time_ns(facts)));
  out->set_status(static_cast<enums::WorkflowExecutionStatus>(shown_status(progress)));
  out->set_task_queue(facts.task_queue());
  *out->mutable_memo() = run.memo();
  *out->mutable_search_attributes() = run.search_attributes();
  if (progress.first_completed_event_id() != 0) {
    (*out->mutable_search_attributes()->mutable_indexed_fields())["BuildIds"] = keyword_list({"unversioned"});
  }
  const bool root = facts.root_run_id().empty();
  out->mutable_root_execution()->set_workflow_id(root ? facts.workflow_id() : facts.root_workflow_id());
  out->mutable_root_execution()->set_run_id(root ? facts.run_id() : facts.root_run_id());
  if (facts.has_parent()) {
    out->mutable_parent_execution()->set_workflow_id(facts.parent().workflow_id());
    out->mutable_parent_execution()->set_run_id(facts.parent().run_id());
    out->set_parent_namespace_id(facts.parent().namespace_id());
  }
  if (!row) out->set_first_run_id(facts.first_run_id());
  if (facts.has_priority()) *out->mutable_priority() = facts.priority();
  if (closed) {
    set_nanos(out->mutable_close_time(), time(progress.closed_ns()));
    set_nanos(out->mutable_execution_duration(), progress.closed_ns() - execution_time_ns(facts));
  }
  if (!row) *out->mutable_auto_reset_points() = reset_points(facts, progress, run.reset_points());
  if (!row && progress.has_versioning_override()) {
    *out->mutable_versioning_info()->mutable_versioning_override() = shown_override(progress.versioning_override());
  }
  if (!row || closed) {
    out->set_history_length(run.history_length());
    out->set_history_size_bytes(run.history_size_bytes());
    out->set_state_transition_count(run.transitions());
  }
}

void fill_config(const pb::RunFacts& facts, temporal::api::workflow::v1::WorkflowExecutionConfig* out) {
  out->mutable_task_queue()->set_name(facts.task_queue());
  out->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (facts.has_execution_timeout_ns())
    set_nanos(out->mutable_workflow_execution_timeout(), facts.execution_timeout_ns());
  if (facts.run_timeout_ns() > 0) set_nanos(out->mutable_workflow_run_timeout(), facts.run_timeout_ns());
  set_nanos(out->mutable_default_workflow_task_timeout(), facts.task_timeout_ns());
  if (facts.has_user_metadata()) *out->mutable_user_metadata() = facts.user_metadata();
}

void fill_extended(const pb::RunSummary& run, temporal::api::workflow::v1::WorkflowExecutionExtendedInfo* out) {
  const auto& facts = run.facts();
  if (facts.execution_expires_ns() != 0)
    set_nanos(out->mutable_execution_expiration_time(), facts.execution_expires_ns());
  if (facts.run_expires_ns() != 0) {
    set_nanos(out->mutable_run_expiration_time(), facts.run_expires_ns());
  } else {
    out->mutable_run_expiration_time()->set_seconds(kZeroTimeSeconds);
  }
  out->set_cancel_requested(run.progress().cancel_requested());
  set_nanos(out->mutable_original_start_time(), facts.original_start_ns());
  if (!facts.base_run_id().empty()) set_nanos(out->mutable_last_reset_time(), facts.start_ns());
  if (!facts.start_request_id().empty()) {
    auto& first = (*out->mutable_request_id_infos())[facts.start_request_id()];
    first.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    first.set_event_id(1);
  }
  if (run.progress().paused_ns() != 0) {
    set_nanos(out->mutable_pause_info()->mutable_paused_time(), run.progress().paused_ns());
    out->mutable_pause_info()->set_identity(run.progress().paused_by());
    out->mutable_pause_info()->set_reason(run.progress().pause_reason());
  }
  for (const auto& request : run.attached_requests()) {
    auto& info = (*out->mutable_request_id_infos())[request.request_id()];
    info.set_event_type(static_cast<enums::EventType>(request.event_type()));
    info.set_event_id(request.event_id());
    info.set_buffered(request.event_id() == 0);
  }
}

void fill_pending_task(const pb::WorkflowTask& task, temporal::api::workflow::v1::PendingWorkflowTaskInfo* out) {
  const bool started = task.state() == pb::WorkflowTask::STARTED;
  out->set_state(started ? enums::PENDING_WORKFLOW_TASK_STATE_STARTED : enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED);
  set_nanos(out->mutable_scheduled_time(), task.scheduled_ns());
  set_nanos(out->mutable_original_scheduled_time(), task.original_scheduled_ns());
  if (started) set_nanos(out->mutable_started_time(), task.started_ns());
  out->set_attempt(task.attempt());
}

void fill_pending_activity(const pb::ActivityState& activity, std::int64_t now_ns,
                           temporal::api::workflow::v1::PendingActivityInfo* out) {
  out->set_activity_id(activity.activity_id());
  out->mutable_activity_type()->set_name(activity.type());
  const bool started = activity.started_ns() != 0;
  const bool waits = !started && activity.cancel_requested_event_id() == 0;
  out->set_state(activity_state(activity));
  out->set_attempt(activity.attempt());
  out->set_maximum_attempts(activity.retry_policy().maximum_attempts());
  set_nanos(out->mutable_scheduled_time(), activity.attempt_scheduled_ns());
  if (activity.last_started_ns() != 0) set_nanos(out->mutable_last_started_time(), activity.last_started_ns());
  if (activity.last_heartbeat_ns() != 0) set_nanos(out->mutable_last_heartbeat_time(), activity.last_heartbeat_ns());
  if (activity.has_heartbeat_details()) *out->mutable_heartbeat_details() = activity.heartbeat_details();
  if (activity.schedule_to_close_ns() != 0) {
    set_nanos(out->mutable_expiration_time(), add_nanos(activity.scheduled_ns(), activity.schedule_to_close_ns()));
  }
  if (activity.has_last_failure()) *out->mutable_last_failure() = activity.last_failure();
  out->set_last_worker_identity(activity.identity());
  if (waits) {
    const bool later = activity.attempt_scheduled_ns() > now_ns;
    set_nanos(
        out->mutable_current_retry_interval(),
        later ? activity.attempt_scheduled_ns() - std::max(activity.last_attempt_complete_ns(), activity.scheduled_ns())
              : backoff_interval(activity.retry_policy(), activity.attempt()));
    if (later) set_nanos(out->mutable_next_attempt_schedule_time(), activity.attempt_scheduled_ns());
  }
  if (activity.paused_ns() != 0) {
    out->set_paused(true);
    set_nanos(out->mutable_pause_info()->mutable_pause_time(), activity.paused_ns());
    out->mutable_pause_info()->mutable_manual()->set_identity(activity.paused_by());
    out->mutable_pause_info()->mutable_manual()->set_reason(activity.pause_reason());
  }
  if (activity.last_attempt_complete_ns() != 0) {
    set_nanos(out->mutable_last_attempt_complete_time(), activity.last_attempt_complete_ns());
  }
  auto* options = out->mutable_activity_options();
  options->mutable_task_queue()->set_name(activity.task_queue());
  options->mutable_task_queue()->set_normal_name(activity.task_queue());
  set_nanos(options->mutable_schedule_to_close_timeout(), activity.schedule_to_close_ns());
  set_nanos(options->mutable_schedule_to_start_timeout(), activity.schedule_to_start_ns());
  set_nanos(options->mutable_start_to_close_timeout(), activity.start_to_close_ns());
  set_nanos(options->mutable_heartbeat_timeout(), activity.heartbeat_ns());
  *options->mutable_retry_policy() = activity.retry_policy();
}

void fill_pending_child(const pb::ChildState& child, temporal::api::workflow::v1::PendingChildExecutionInfo* out) {
  out->set_workflow_id(child.workflow_id());
  out->set_run_id(child.run_id());
  out->set_workflow_type_name(child.type());
  out->set_initiated_id(child.initiated_event_id());
  out->set_parent_close_policy(static_cast<enums::ParentClosePolicy>(child.close_policy()));
}

}  // namespace callimport::engine
