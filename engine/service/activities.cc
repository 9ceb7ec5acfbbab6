#include "engine/service/activities.h"

#include <algorithm>
#include <utility>

#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/utf8_text.h"
#include "temporal/api/command/v1/message.pb.h"

namespace callimport::engine {
namespace {

using temporal::api::command::v1::Command;
using temporal::api::command::v1::ScheduleActivityTaskCommandAttributes;
using temporal::api::history::v1::ActivityTaskScheduledEventAttributes;

constexpr auto kBadSchedule = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
constexpr auto kBadCancel = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;
constexpr std::size_t kIdBytesMax = 1000;

std::optional<CommandError> check_schedule(const Draft& draft, const ScheduleActivityTaskCommandAttributes& asked,
                                           const EmbeddedOptions& options) {
  const std::string& id = asked.activity_id();
  const std::string& type = asked.activity_type().name();
  const std::string who = "ActivityId=" + id + " ActivityType=" + type;
  if (asked.task_queue().name().empty()) {
    return CommandError::refuse(
        errors::invalid("invalid TaskQueue on ScheduleActivityTaskCommand: missing task queue name. " + who));
  }
  if (id.empty()) {
    return CommandError::fail_task(kBadSchedule,
                                   "ActivityId is not set on ScheduleActivityTaskCommand. ActivityType=" + type);
  }
  if (type.empty()) {
    return CommandError::fail_task(kBadSchedule,
                                   "ActivityType is not set on ScheduleActivityTaskCommand. ActivityId=" + id);
  }
  if (id.size() > kIdBytesMax) return CommandError::fail_task(kBadSchedule, "ActivityId length exceeds limit. " + who);
  if (type.size() > kIdBytesMax)
    return CommandError::fail_task(kBadSchedule, "ActivityType length exceeds limit. " + who);
  if (auto wrong = activity_durations_error(asked)) return CommandError::fail_task(kBadSchedule, *wrong);
  if (asked.has_retry_policy()) {
    if (auto wrong = retry_policy_error(asked.retry_policy()))
      return CommandError::fail_task(kBadSchedule, *wrong + " " + who);
  }
  if (asked.input().ByteSizeLong() > options.blob_bytes_max) {
    return CommandError::terminate(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
                                   "ScheduleActivityTaskCommandAttributes.Input exceeds size limit.");
  }
  if (draft.activity_by_id(id)) {
    return CommandError::fail_task(
        enums::WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
        "invalid history builder state for action: add-activitytask-scheduled-event, ActivityID: " + id);
  }
  const auto limit = static_cast<std::size_t>(options.pending_activities_max);
  if (draft.activity_count() >= limit) {
    return CommandError::fail_task(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
                                   "the number of pending activities, " + std::to_string(draft.activity_count()) +
                                       ", has reached the per-workflow limit of " + std::to_string(limit));
  }
  return std::nullopt;
}

/// Writes ActivityTaskStarted, late as it always is (C.2). @return its id, 0 while it is buffered.
std::int64_t write_started(Draft& draft, const pb::ActivityState& activity) {
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  if (activity.started_ns() != 0) set_nanos(event.mutable_event_time(), activity.started_ns());
  auto* out = event.mutable_activity_task_started_event_attributes();
  out->set_scheduled_event_id(activity.scheduled_event_id());
  out->set_identity(activity.identity());
  out->set_request_id(activity.started_ns() != 0 ? activity.request_id() : "");
  out->set_attempt(activity.attempt());
  if (activity.has_last_failure()) *out->mutable_last_failure() = activity.last_failure();
  return event.event_id();
}

void end_activity(Draft& draft, std::int64_t scheduled_event_id) {
  draft.remove_activity(scheduled_event_id);
  if (!draft.buffering()) schedule_task_if_idle(draft);
}

std::int64_t expires(const pb::ActivityState& activity) {
  return activity.schedule_to_close_ns() == 0 ? 0 : add_nanos(activity.scheduled_ns(), activity.schedule_to_close_ns());
}

RetryDecision decide(const pb::ActivityState& activity, const FailureProto& failure, std::int64_t now) {
  if (activity.cancel_requested_event_id() != 0) return {enums::RETRY_STATE_CANCEL_REQUESTED};
  const RetryDecision by_policy =
      decide_retry(activity.retry_policy(), activity.attempt(), failure, now, expires(activity));
  // While it is paused, only a failure that is never retried ends it.
  if (activity.paused_ns() == 0 || by_policy.state == enums::RETRY_STATE_NON_RETRYABLE_FAILURE) return by_policy;
  return {enums::RETRY_STATE_IN_PROGRESS, by_policy.delay_ns};
}

void retry_later(Draft& draft, std::int64_t scheduled_event_id, const FailureProto& failure, std::int64_t delay) {
  pb::ActivityState& activity = draft.edit_activity(scheduled_event_id);
  activity.set_attempt(activity.attempt() + 1);
  activity.set_started_ns(0);
  activity.clear_request_id();
  activity.set_last_attempt_complete_ns(draft.now());
  activity.set_retry_interval_ns(delay);
  *activity.mutable_last_failure() = truncate_failure(failure);
  if (activity.paused_ns() != 0) return;  // when it goes on is decided then
  activity.set_attempt_scheduled_ns(add_nanos(draft.now(), delay));
  begin_attempt(&activity);
}

}  // namespace

ActivityTimeouts settle_timeouts(const ScheduleActivity& asked, std::int64_t run_timeout) {
  ActivityTimeouts t{to_nanos(asked.schedule_to_close_timeout()), to_nanos(asked.schedule_to_start_timeout()),
                     to_nanos(asked.start_to_close_timeout()), to_nanos(asked.heartbeat_timeout())};
  if (t.schedule_to_close > 0) {
    t.schedule_to_start =
        t.schedule_to_start > 0 ? std::min(t.schedule_to_start, t.schedule_to_close) : t.schedule_to_close;
    t.start_to_close = t.start_to_close > 0 ? std::min(t.start_to_close, t.schedule_to_close) : t.schedule_to_close;
  } else {
    t.schedule_to_close = run_timeout;
    if (t.schedule_to_start == 0) t.schedule_to_start = run_timeout;
  }
  if (run_timeout > 0) {
    t.schedule_to_close = std::min(t.schedule_to_close, run_timeout);
    t.schedule_to_start = std::min(t.schedule_to_start, run_timeout);
    t.start_to_close = std::min(t.start_to_close, run_timeout);
  }
  t.heartbeat = std::min(t.heartbeat, t.start_to_close);
  return t;
}

std::optional<std::string> activity_durations_error(const ScheduleActivity& asked) {
  const std::string who = "ActivityId=" + asked.activity_id() + " ActivityType=" + asked.activity_type().name();
  const std::pair<const char*, const google::protobuf::Duration*> durations[] = {
      {"ScheduleToCloseTimeout", &asked.schedule_to_close_timeout()},
      {"ScheduleToStartTimeout", &asked.schedule_to_start_timeout()},
      {"StartToCloseTimeout", &asked.start_to_close_timeout()},
      {"HeartbeatTimeout", &asked.heartbeat_timeout()}};
  for (const auto& [name, duration] : durations) {
    if (to_nanos(*duration) < 0) return std::string("Invalid ") + name + ": negative duration. " + who;
  }
  if (to_nanos(asked.schedule_to_close_timeout()) == 0 && to_nanos(asked.start_to_close_timeout()) == 0) {
    return "A valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand. " + who;
  }
  return std::nullopt;
}

void begin_attempt(pb::ActivityState* activity) {
  if (activity->forget_heartbeat()) {
    activity->clear_heartbeat_details();
    activity->set_last_heartbeat_ns(0);
  }
  activity->set_forget_heartbeat(false);
  activity->set_was_reset(false);
}

std::optional<CommandError> schedule_activity(Draft& draft, const Command& command, std::int64_t completed_id,
                                              const EmbeddedOptions& options) {
  if (!command.has_schedule_activity_task_command_attributes()) {
    return CommandError::fail_task(kBadSchedule,
                                   "ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.");
  }
  const auto& asked = command.schedule_activity_task_command_attributes();
  if (auto wrong = check_schedule(draft, asked, options)) return wrong;
  const ActivityTimeouts t = settle_timeouts(asked, draft.facts().run_timeout_ns());

  HistoryEvent& event = draft.append(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
  if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
  ActivityTaskScheduledEventAttributes* out = event.mutable_activity_task_scheduled_event_attributes();
  out->set_activity_id(asked.activity_id());
  *out->mutable_activity_type() = asked.activity_type();
  out->mutable_task_queue()->set_name(asked.task_queue().name());
  out->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (asked.has_header()) *out->mutable_header() = asked.header();
  if (asked.has_input()) *out->mutable_input() = asked.input();
  set_nanos(out->mutable_schedule_to_close_timeout(), t.schedule_to_close);
  set_nanos(out->mutable_schedule_to_start_timeout(), t.schedule_to_start);
  set_nanos(out->mutable_start_to_close_timeout(), t.start_to_close);
  set_nanos(out->mutable_heartbeat_timeout(), t.heartbeat);
  out->set_workflow_task_completed_event_id(completed_id);
  if (asked.has_retry_policy()) *out->mutable_retry_policy() = asked.retry_policy();
  fill_retry_defaults(out->mutable_retry_policy());
  if (asked.has_priority()) {
    *out->mutable_priority() = asked.priority();
  } else if (draft.facts().has_priority()) {
    *out->mutable_priority() = draft.facts().priority();
  }

  fill_activity(*out, draft.now(), &draft.add_activity(asked.activity_id()));
  return std::nullopt;
}

void fill_activity(const ActivityTaskScheduledEventAttributes& scheduled, std::int64_t now_ns,
                   pb::ActivityState* state) {
  state->set_type(scheduled.activity_type().name());
  state->set_scheduled_ns(now_ns);
  state->set_attempt_scheduled_ns(now_ns);
  state->set_attempt(1);
  state->set_task_queue(scheduled.task_queue().name());
  state->set_schedule_to_close_ns(to_nanos(scheduled.schedule_to_close_timeout()));
  state->set_schedule_to_start_ns(to_nanos(scheduled.schedule_to_start_timeout()));
  state->set_start_to_close_ns(to_nanos(scheduled.start_to_close_timeout()));
  state->set_heartbeat_ns(to_nanos(scheduled.heartbeat_timeout()));
  *state->mutable_retry_policy() = scheduled.retry_policy();
}

std::optional<CommandError> request_cancel_activity(Draft& draft, const Command& command, std::int64_t completed_id,
                                                    const std::string& identity, bool* canceled_now) {
  if (!command.has_request_cancel_activity_task_command_attributes()) {
    return CommandError::fail_task(
        kBadCancel, "RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.");
  }
  const std::int64_t id = command.request_cancel_activity_task_command_attributes().scheduled_event_id();
  if (id == 0)
    return CommandError::fail_task(kBadCancel, "ScheduledEventId is not set on RequestCancelActivityTaskCommand.");
  const pb::ActivityState* activity = draft.activity(id);
  const std::string unknown =
      "invalid history builder state for action: add-activitytask-cancel-requested-event, ScheduledEventID: " +
      std::to_string(id);
  if (activity == nullptr) {
    // One that ended while this task was started is no mistake of the worker: its closing event is buffered.
    for (const auto& event : draft.run().buffered) {
      const bool started = event.has_activity_task_started_event_attributes() &&
                           event.activity_task_started_event_attributes().scheduled_event_id() == id;
      const bool timed_out = event.has_activity_task_timed_out_event_attributes() &&
                             event.activity_task_timed_out_event_attributes().scheduled_event_id() == id;
      if (!started && !timed_out) continue;
      HistoryEvent& written = draft.append(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
      auto* out = written.mutable_activity_task_cancel_requested_event_attributes();
      out->set_scheduled_event_id(id);
      out->set_workflow_task_completed_event_id(completed_id);
      return std::nullopt;
    }
    return CommandError::fail_task(kBadCancel, unknown);
  }
  if (activity->cancel_requested_event_id() != 0) return CommandError::fail_task(kBadCancel, unknown);
  const bool started = activity->started_ns() != 0;
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
  const std::int64_t requested_id = event.event_id();
  auto* out = event.mutable_activity_task_cancel_requested_event_attributes();
  out->set_scheduled_event_id(id);
  out->set_workflow_task_completed_event_id(completed_id);
  if (started) {
    draft.edit_activity(id).set_cancel_requested_event_id(requested_id);
    return std::nullopt;
  }
  // Behind the events of the task's commands, which the Go SDK counts ahead (seen on server 1.29.1).
  HistoryEvent& canceled = draft.record(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  auto* done = canceled.mutable_activity_task_canceled_event_attributes();
  auto* payload = done->mutable_details()->add_payloads();
  (*payload->mutable_metadata())["encoding"] = "json/plain";
  payload->set_data("\"ACTIVITY_ID_NOT_STARTED\"");
  done->set_latest_cancel_requested_event_id(requested_id);
  done->set_scheduled_event_id(id);
  done->set_identity(identity);
  draft.remove_activity(id);
  *canceled_now = true;
  return std::nullopt;
}

void start_activity(Draft& draft, std::int64_t scheduled_event_id, const TaskStart& start) {
  pb::ActivityState& activity = draft.edit_activity(scheduled_event_id);
  activity.set_started_ns(draft.now());
  activity.set_last_started_ns(draft.now());
  activity.set_identity(start.identity);
  activity.set_request_id(start.request_id);
}

void complete_activity(Draft& draft, std::int64_t scheduled_event_id, const PayloadsProto* result,
                       const std::string& identity) {
  const std::int64_t started = write_started(draft, *draft.activity(scheduled_event_id));
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  auto* out = event.mutable_activity_task_completed_event_attributes();
  if (result != nullptr) *out->mutable_result() = *result;
  out->set_scheduled_event_id(scheduled_event_id);
  out->set_started_event_id(started);
  out->set_identity(identity);
  end_activity(draft, scheduled_event_id);
}

void fail_activity(Draft& draft, std::int64_t scheduled_event_id, const FailureProto& sent, const std::string& identity,
                   const PayloadsProto* heartbeat) {
  FailureProto repaired;
  const FailureProto& failure = readable(sent, &repaired);
  if (heartbeat != nullptr) {
    *draft.edit_activity(scheduled_event_id).mutable_heartbeat_details() = *heartbeat;
  }
  const RetryDecision retry = decide(*draft.activity(scheduled_event_id), failure, draft.now());
  if (retry.state == enums::RETRY_STATE_IN_PROGRESS) {
    retry_later(draft, scheduled_event_id, failure, retry.delay_ns);
    return;
  }
  const std::int64_t started = write_started(draft, *draft.activity(scheduled_event_id));
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  auto* out = event.mutable_activity_task_failed_event_attributes();
  *out->mutable_failure() = failure;
  out->set_scheduled_event_id(scheduled_event_id);
  out->set_started_event_id(started);
  out->set_identity(identity);
  out->set_retry_state(retry.state);
  end_activity(draft, scheduled_event_id);
}

void cancel_activity(Draft& draft, std::int64_t scheduled_event_id, const PayloadsProto* details,
                     const std::string& identity) {
  const std::int64_t requested = draft.activity(scheduled_event_id)->cancel_requested_event_id();
  const std::int64_t started = write_started(draft, *draft.activity(scheduled_event_id));
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  auto* out = event.mutable_activity_task_canceled_event_attributes();
  if (details != nullptr) *out->mutable_details() = *details;
  out->set_latest_cancel_requested_event_id(requested);
  out->set_scheduled_event_id(scheduled_event_id);
  out->set_started_event_id(started);
  out->set_identity(identity);
  end_activity(draft, scheduled_event_id);
}

void time_out_activity(Draft& draft, std::int64_t scheduled_event_id, enums::TimeoutType type) {
  const pb::ActivityState& activity = *draft.activity(scheduled_event_id);
  const auto named = [](enums::TimeoutType t) {
    return timeout_failure("activity " + std::string(timeout_name(t)) + " timeout", t);
  };
  FailureProto failure = named(type);
  const RetryDecision retry = decide(activity, failure, draft.now());
  if (retry.state == enums::RETRY_STATE_IN_PROGRESS) {
    retry_later(draft, scheduled_event_id, failure, retry.delay_ns);
    return;
  }
  if (retry.state == enums::RETRY_STATE_TIMEOUT) failure = named(enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);  // C27
  if (activity.has_heartbeat_details()) {
    *failure.mutable_timeout_failure_info()->mutable_last_heartbeat_details() = activity.heartbeat_details();
  }
  if (activity.has_last_failure()) *failure.mutable_cause() = activity.last_failure();
  const std::int64_t started = activity.started_ns() != 0 ? write_started(draft, activity) : 0;
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
  auto* out = event.mutable_activity_task_timed_out_event_attributes();
  *out->mutable_failure() = std::move(failure);
  out->set_scheduled_event_id(scheduled_event_id);
  out->set_started_event_id(started);
  out->set_retry_state(retry.state);
  end_activity(draft, scheduled_event_id);
}

void heartbeat_activity(Draft& draft, std::int64_t scheduled_event_id, const PayloadsProto* details) {
  pb::ActivityState& activity = draft.edit_activity(scheduled_event_id);
  activity.set_last_heartbeat_ns(draft.now());
  if (details != nullptr) *activity.mutable_heartbeat_details() = *details;
}

std::optional<ActivityDeadline> next_deadline(const pb::ActivityState& activity) {
  std::optional<ActivityDeadline> next;
  const auto consider = [&next](std::int64_t from, std::int64_t timeout, enums::TimeoutType type) {
    if (timeout == 0) return;
    const std::int64_t when = add_nanos(from, timeout);
    if (!next || when < next->when_ns) next = ActivityDeadline{when, type};
  };
  consider(activity.scheduled_ns(), activity.schedule_to_close_ns(), enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  if (activity.started_ns() == 0) {
    if (activity.paused_ns() == 0)
      consider(activity.attempt_scheduled_ns(), activity.schedule_to_start_ns(), enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  } else {
    consider(activity.started_ns(), activity.start_to_close_ns(), enums::TIMEOUT_TYPE_START_TO_CLOSE);
    consider(std::max(activity.started_ns(), activity.last_heartbeat_ns()), activity.heartbeat_ns(),
             enums::TIMEOUT_TYPE_HEARTBEAT);
  }
  return next;
}

}  // namespace callimport::engine
