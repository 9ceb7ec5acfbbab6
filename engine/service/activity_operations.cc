#include "engine/service/activity_operations.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "engine/service/activities.h"
#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/search_attributes.h"
#include "storage/model/ensure.h"
#include "temporal/api/command/v1/message.pb.h"

namespace callimport::engine {
namespace {

using Scheduled = temporal::api::history::v1::ActivityTaskScheduledEventAttributes;

bool started(const pb::ActivityState& activity) { return activity.started_ns() != 0; }

/// What waits in a queue for it holds no more.
void move_on(pb::ActivityState* activity) { activity->set_stamp(activity->stamp() + 1); }

void forget_heartbeat(pb::ActivityState* activity) {
  activity->clear_heartbeat_details();
  activity->set_last_heartbeat_ns(0);
}

/// The next attempt may begin at `begins_ns`, with a clean slate.
void schedule_again(pb::ActivityState* activity, std::int64_t begins_ns) {
  activity->set_attempt_scheduled_ns(begins_ns);
  activity->clear_last_failure();
  begin_attempt(activity);
}

void clear_pause(pb::ActivityState* activity) {
  activity->set_paused_ns(0);
  activity->clear_paused_by();
  activity->clear_pause_reason();
}

Scheduled scheduled_of(const Draft& draft, std::int64_t id) {
  HistoryEvent event;
  ENSURE(event.ParseFromString(draft.run().activities.at(id).scheduled_event));
  return event.activity_task_scheduled_event_attributes();
}

void restore(const Scheduled& scheduled, pb::ActivityState* activity) {
  activity->set_task_queue(scheduled.task_queue().name());
  activity->set_schedule_to_close_ns(to_nanos(scheduled.schedule_to_close_timeout()));
  activity->set_schedule_to_start_ns(to_nanos(scheduled.schedule_to_start_timeout()));
  activity->set_start_to_close_ns(to_nanos(scheduled.start_to_close_timeout()));
  activity->set_heartbeat_ns(to_nanos(scheduled.heartbeat_timeout()));
  *activity->mutable_retry_policy() = scheduled.retry_policy();
  move_on(activity);
}

/// The paths of a mask may be written as in the proto or as in JSON: heartbeat_timeout or heartbeatTimeout.
std::set<std::string> paths_of(const google::protobuf::FieldMask& mask) {
  std::set<std::string> out;
  for (const auto& path : mask.paths()) {
    std::string snake;
    for (const char c : path) {
      const bool upper = c >= 'A' && c <= 'Z';
      if (upper) snake.push_back('_');
      snake.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
    }
    out.insert(std::move(snake));
  }
  return out;
}

void show_options(const pb::ActivityState& activity, ActivityOptionsProto* out) {
  out->mutable_task_queue()->set_name(activity.task_queue());
  set_nanos(out->mutable_schedule_to_close_timeout(), activity.schedule_to_close_ns());
  set_nanos(out->mutable_schedule_to_start_timeout(), activity.schedule_to_start_ns());
  set_nanos(out->mutable_start_to_close_timeout(), activity.start_to_close_ns());
  set_nanos(out->mutable_heartbeat_timeout(), activity.heartbeat_ns());
  *out->mutable_retry_policy() = activity.retry_policy();
}

std::optional<std::string> merge_policy(const ActivityOptionsProto& asked, const std::set<std::string>& paths,
                                        RetryPolicyProto* policy) {
  const auto has = [&paths](const char* field) { return paths.contains("retry_policy." + std::string(field)); };
  const bool any =
      has("initial_interval") || has("backoff_coefficient") || has("maximum_interval") || has("maximum_attempts");
  if (any && !asked.has_retry_policy()) return "RetryPolicy is not provided";
  const RetryPolicyProto& from = asked.retry_policy();
  if (has("initial_interval")) *policy->mutable_initial_interval() = from.initial_interval();
  if (has("backoff_coefficient")) policy->set_backoff_coefficient(from.backoff_coefficient());
  if (has("maximum_interval")) *policy->mutable_maximum_interval() = from.maximum_interval();
  if (has("maximum_attempts")) policy->set_maximum_attempts(from.maximum_attempts());
  return std::nullopt;
}

std::optional<std::string> merge(const ActivityOptionsProto& asked, const std::set<std::string>& paths,
                                 pb::ActivityState* activity) {
  temporal::api::command::v1::ScheduleActivityTaskCommandAttributes whole;
  whole.set_activity_id(activity->activity_id());
  whole.mutable_activity_type()->set_name(activity->type());
  const auto pick = [&paths](const char* path, const google::protobuf::Duration& wanted, std::int64_t held,
                             google::protobuf::Duration* out) {
    if (paths.contains(path)) {
      *out = wanted;
    } else {
      set_nanos(out, held);
    }
  };
  if (paths.contains("task_queue.name")) {
    if (!asked.has_task_queue()) return "TaskQueue is not provided";
    activity->set_task_queue(asked.task_queue().name());
  }
  pick("schedule_to_close_timeout", asked.schedule_to_close_timeout(), activity->schedule_to_close_ns(),
       whole.mutable_schedule_to_close_timeout());
  pick("schedule_to_start_timeout", asked.schedule_to_start_timeout(), activity->schedule_to_start_ns(),
       whole.mutable_schedule_to_start_timeout());
  pick("start_to_close_timeout", asked.start_to_close_timeout(), activity->start_to_close_ns(),
       whole.mutable_start_to_close_timeout());
  pick("heartbeat_timeout", asked.heartbeat_timeout(), activity->heartbeat_ns(), whole.mutable_heartbeat_timeout());
  if (auto wrong = merge_policy(asked, paths, activity->mutable_retry_policy())) return wrong;
  whole.mutable_task_queue()->set_name(activity->task_queue());
  if (auto wrong = activity_durations_error(whole)) return wrong;
  const ActivityTimeouts settled = settle_timeouts(whole, 0);
  activity->set_schedule_to_close_ns(settled.schedule_to_close);
  activity->set_schedule_to_start_ns(settled.schedule_to_start);
  activity->set_start_to_close_ns(settled.start_to_close);
  activity->set_heartbeat_ns(settled.heartbeat);
  move_on(activity);
  return std::nullopt;
}

/// When an attempt that waits would begin under its policy as it is now.
std::int64_t next_begin(const pb::ActivityState& activity) {
  if (activity.attempt() <= 1) return activity.attempt_scheduled_ns();
  const std::int64_t interval = backoff_interval(activity.retry_policy(), activity.attempt());
  return interval > 0 ? add_nanos(activity.last_attempt_complete_ns(), interval) : activity.attempt_scheduled_ns();
}

}  // namespace

void pause_activity(Draft& draft, std::int64_t id, const std::string& identity, const std::string& reason) {
  if (draft.activity(id)->paused_ns() != 0) return;
  pb::ActivityState& activity = draft.edit_activity(id);
  activity.set_paused_ns(draft.now());
  activity.set_paused_by(identity);
  activity.set_pause_reason(reason);
  if (!started(activity)) move_on(&activity);
}

void unpause_activity(Draft& draft, std::int64_t id, const api::UnpauseActivityRequest& request,
                      std::int64_t begins_ns) {
  if (draft.activity(id)->paused_ns() == 0) return;
  pb::ActivityState& activity = draft.edit_activity(id);
  clear_pause(&activity);
  move_on(&activity);
  if (request.reset_attempts()) activity.set_attempt(1);
  if (request.reset_heartbeat()) forget_heartbeat(&activity);
  if (!started(activity)) schedule_again(&activity, begins_ns);
}

void reset_activity(Draft& draft, std::int64_t id, const api::ResetActivityRequest& request, std::int64_t begins_ns) {
  pb::ActivityState& activity = draft.edit_activity(id);
  activity.set_attempt(1);
  move_on(&activity);  // attempt numbers come again
  activity.set_was_reset(true);
  if (request.reset_heartbeat()) activity.set_forget_heartbeat(true);
  if (request.restore_original_options()) restore(scheduled_of(draft, id), &activity);
  if (started(activity) || (activity.paused_ns() != 0 && request.keep_paused())) return;
  clear_pause(&activity);
  schedule_again(&activity, begins_ns);
}

std::optional<std::string> update_activity_options(Draft& draft, std::int64_t id,
                                                   const api::UpdateActivityOptionsRequest& request,
                                                   ActivityOptionsProto* out) {
  pb::ActivityState changed = *draft.activity(id);
  if (request.restore_original()) {
    restore(scheduled_of(draft, id), &changed);
  } else if (auto wrong = merge(request.activity_options(), paths_of(request.update_mask()), &changed)) {
    return wrong;
  }
  if (!started(changed)) schedule_again(&changed, next_begin(changed));
  show_options(changed, out);
  if (!request.restore_original()) out->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  draft.edit_activity(id) = std::move(changed);
  return std::nullopt;
}

void note_pauses(Draft& draft) {
  std::set<std::string> types;
  for (const auto& [id, held] : draft.run().activities) {
    const pb::ActivityState* activity = draft.activity(id);
    if (activity != nullptr && activity->paused_ns() != 0) types.insert("property:activityType=" + activity->type());
  }
  constexpr const char* kName = "TemporalPauseInfo";
  const auto& held = draft.search_attributes().indexed_fields();
  const auto it = held.find(kName);
  const auto payload = keyword_list({types.begin(), types.end()});
  if (it == held.end() ? types.empty() : it->second.data() == payload.data()) return;
  auto& fields = *draft.edit_search_attributes().mutable_indexed_fields();
  if (types.empty()) {
    fields.erase(kName);
  } else {
    fields[kName] = payload;
  }
}

}  // namespace callimport::engine
