#include "engine/service/schedules.h"

#include <algorithm>
#include <utility>

#include "engine/service/proto_time.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kDay = 86'400 * kNanosPerSecond;
constexpr std::int64_t kCatchUpDefault = 365 * kDay, kCatchUpMin = 10 * kNanosPerSecond;

void buffer(const ScheduleTime& time, int policy, bool manual, pb::ScheduleProgress* progress) {
  if (progress->buffer_size() >= kBufferedActionsMax) {
    progress->mutable_info()->set_buffer_dropped(progress->info().buffer_dropped() + 1);
    return;
  }
  auto* action = progress->add_buffer();
  action->set_nominal_ns(time.nominal_ns);
  action->set_due_ns(time.due_ns);
  action->set_overlap_policy(policy);
  action->set_manual(manual);
}

void take_backfills(const ScheduleTimes& times, pb::ScheduleProgress* progress) {
  int left = kBackfillsPerStep;
  while (progress->backfills_size() > 0) {
    auto& first = *progress->mutable_backfills(0);
    std::int64_t after = to_nanos(first.start_time()) - 1;
    const std::int64_t end = to_nanos(first.end_time());
    auto time = times.next(after);
    for (; time && time->due_ns <= end; time = times.next(after)) {
      if (left == 0 || progress->buffer_size() >= kBackfillBufferMax) {
        set_nanos(first.mutable_start_time(), after + 1);
        return;
      }
      --left;
      buffer(*time, first.overlap_policy(), true, progress);
      after = time->due_ns;
    }
    progress->mutable_backfills()->DeleteSubrange(0, 1);
  }
}

bool may_act_by_itself(const pb::ScheduleProgress& progress) {
  const auto& state = progress.state();
  return !state.paused() && (!state.limited_actions() || state.remaining_actions() > 0);
}

int resolved(const pb::BufferedAction& action, const pb::SchedulePlan& plan) {
  return action.overlap_policy() != 0 ? action.overlap_policy() : static_cast<int>(plan.policies().overlap_policy());
}

void skip(pb::ScheduleProgress* progress) {
  progress->mutable_info()->set_overlap_skipped(progress->info().overlap_skipped() + 1);
}

void set_paused(bool paused, const std::string& notes, pb::ScheduleProgress* progress) {
  progress->mutable_state()->set_paused(paused);
  progress->mutable_state()->set_notes(notes);
  progress->set_conflict_token(progress->conflict_token() + 1);
}

/// What the closing event says: its status, and what it hands on.
struct Ending {
  enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_TERMINATED;
  const temporal::api::common::v1::Payloads* result = nullptr;
  const temporal::api::failure::v1::Failure* failure = nullptr;
};

Ending ending_of(const temporal::api::history::v1::HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
      return {enums::WORKFLOW_EXECUTION_STATUS_COMPLETED,
              &event.workflow_execution_completed_event_attributes().result(), nullptr};
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
      return {enums::WORKFLOW_EXECUTION_STATUS_FAILED, nullptr,
              &event.workflow_execution_failed_event_attributes().failure()};
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: return {enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT};
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: return {enums::WORKFLOW_EXECUTION_STATUS_CANCELED};
    default: return {};
  }
}

}  // namespace

void fill_policies(temporal::api::schedule::v1::SchedulePolicies* policies) {
  if (policies->overlap_policy() == enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED)
    policies->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_SKIP);
  const std::int64_t asked = policies->has_catchup_window() ? to_nanos(policies->catchup_window()) : kCatchUpDefault;
  set_nanos(policies->mutable_catchup_window(), std::max(asked, kCatchUpMin));
}

void take_due(const pb::SchedulePlan& plan, const ScheduleTimes& times, std::int64_t now,
              pb::ScheduleProgress* progress) {
  if (!may_act_by_itself(*progress)) {
    progress->set_processed_ns(std::max(now, progress->processed_ns()));  // that time does not come back
  } else {
    const std::int64_t window = to_nanos(plan.policies().catchup_window());
    for (int looked = 0; looked < kDueTimesPerStep; ++looked) {
      const auto time = times.next(progress->processed_ns());
      if (!time || time->due_ns > now) break;
      progress->set_processed_ns(time->due_ns);
      if (now - time->due_ns > window) {
        progress->mutable_info()->set_missed_catchup_window(progress->info().missed_catchup_window() + 1);
      } else {
        buffer(*time, 0, false, progress);
      }
    }
  }
  take_backfills(times, progress);
}

std::int64_t wake_time(const ScheduleTimes& times, std::int64_t now, const pb::ScheduleProgress& progress, bool* ends) {
  *ends = false;
  if (progress.backfills_size() > 0 && progress.buffer_size() < kBackfillBufferMax) return now + kStepPauseNs;
  const auto time = may_act_by_itself(progress) ? times.next(progress.processed_ns()) : std::nullopt;
  if (time) return time->due_ns > now ? time->due_ns : now + kStepPauseNs;
  const bool busy = progress.state().paused() || progress.buffer_size() > 0 || progress.backfills_size() > 0 ||
                    progress.info().running_workflows_size() > 0;
  if (busy) return 0;
  *ends = true;
  const auto& info = progress.info();
  std::int64_t last = std::max(to_nanos(info.create_time()), to_nanos(info.update_time()));
  for (const auto& action : info.recent_actions()) last = std::max(last, to_nanos(action.actual_time()));
  return last + kIdleRetentionNs;
}

BufferDecision decide_buffer(const pb::SchedulePlan& plan, pb::ScheduleProgress* progress) {
  BufferDecision out;
  const bool running = progress->info().running_workflows_size() > 0;
  google::protobuf::RepeatedPtrField<pb::BufferedAction> kept;
  for (auto& action : *progress->mutable_buffer()) {
    const int policy = resolved(action, plan);
    if (policy == enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL) {
      out.starts.push_back(std::move(action));
      continue;
    }
    if (!running && !out.lone_start) {
      out.lone_start = std::move(action);
      continue;
    }
    const bool cancels = policy == enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER;
    if (cancels || policy == enums::SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER) {
      if (running) {
        (cancels ? out.cancel_running : out.terminate_running) = true;
        *kept.Add() = std::move(action);
      } else {  // the one before was about to start: this one takes its place
        out.lone_start = std::move(action);
        skip(progress);
      }
    } else if (policy == enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL ||
               (policy == enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ONE && kept.empty())) {
      *kept.Add() = std::move(action);
    } else {
      skip(progress);
    }
  }
  progress->mutable_buffer()->Swap(&kept);
  return out;
}

bool may_take(const pb::BufferedAction& action, pb::ScheduleProgress* progress) {
  if (action.manual()) return true;
  if (!may_act_by_itself(*progress)) return false;
  if (progress->state().limited_actions()) {
    progress->mutable_state()->set_remaining_actions(progress->state().remaining_actions() - 1);
    progress->set_conflict_token(progress->conflict_token() + 1);
  }
  return true;
}

void set_schedule_state(const temporal::api::schedule::v1::ScheduleState& state, std::int64_t now,
                        pb::ScheduleProgress* progress) {
  *progress->mutable_state() = state;
  progress->set_processed_ns(std::max(now, progress->processed_ns()));
  set_nanos(progress->mutable_info()->mutable_update_time(), now);
  progress->set_conflict_token(progress->conflict_token() + 1);
}

void patch_schedule(const SchedulePatch& patch, std::int64_t now, pb::ScheduleProgress* progress) {
  if (patch.has_trigger_immediately()) {
    const auto& trigger = patch.trigger_immediately();
    const std::int64_t at = trigger.has_scheduled_time() ? to_nanos(trigger.scheduled_time()) : now;
    buffer({at, at}, trigger.overlap_policy(), true, progress);
  }
  for (const auto& backfill : patch.backfill_request()) *progress->add_backfills() = backfill;
  if (!patch.pause().empty()) set_paused(true, patch.pause(), progress);
  if (!patch.unpause().empty()) set_paused(false, patch.unpause(), progress);
}

void note_started(const pb::BufferedAction& action, const std::string& workflow_id, const std::string& run_id,
                  bool watched, std::int64_t now, pb::ScheduleProgress* progress) {
  auto* info = progress->mutable_info();
  info->set_action_count(info->action_count() + 1);
  if (info->recent_actions_size() == kRecentActions) info->mutable_recent_actions()->DeleteSubrange(0, 1);
  auto* recent = info->add_recent_actions();
  set_nanos(recent->mutable_schedule_time(), action.due_ns());
  set_nanos(recent->mutable_actual_time(), now);
  recent->mutable_start_workflow_result()->set_workflow_id(workflow_id);
  recent->mutable_start_workflow_result()->set_run_id(run_id);
  recent->set_start_workflow_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  if (watched) *info->add_running_workflows() = recent->start_workflow_result();
}

bool note_ended(const pb::SchedulePlan& plan, const std::string& first_run_id,
                const temporal::api::history::v1::HistoryEvent& event, pb::ScheduleProgress* progress,
                pb::ScheduleOutcome* outcome) {
  auto& running = *progress->mutable_info()->mutable_running_workflows();
  const auto it = std::find_if(running.begin(), running.end(),
                               [&first_run_id](const auto& run) { return run.run_id() == first_run_id; });
  if (it == running.end()) return false;
  const std::string workflow_id = it->workflow_id();
  running.erase(it);
  const Ending ending = ending_of(event);
  for (auto& action : *progress->mutable_info()->mutable_recent_actions()) {
    if (action.start_workflow_result().run_id() == first_run_id) action.set_start_workflow_status(ending.status);
  }
  if (ending.result != nullptr) {
    outcome->clear_failure();
    outcome->clear_result();
    if (ending.result->payloads_size() > 0) *outcome->mutable_result() = *ending.result;
  }
  if (ending.failure != nullptr) *outcome->mutable_failure() = *ending.failure;
  if (!plan.policies().pause_on_failure() || progress->state().paused()) return true;
  if (ending.status == enums::WORKFLOW_EXECUTION_STATUS_FAILED) {
    set_paused(true, "paused due to workflow failure: " + workflow_id + ": " + ending.failure->message(), progress);
  } else if (ending.status == enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT) {
    set_paused(true, "paused due to workflow timeout: " + workflow_id, progress);
  }
  return true;
}

std::vector<std::int64_t> future_times(const ScheduleTimes& times, std::int64_t now,
                                       const pb::ScheduleProgress& progress, int count) {
  auto most = static_cast<std::size_t>(count);
  if (progress.state().limited_actions()) {
    const std::int64_t left = std::max(progress.state().remaining_actions(), std::int64_t{0});
    most = std::min(most, static_cast<std::size_t>(left));
  }
  std::vector<std::int64_t> out;
  std::int64_t after = may_act_by_itself(progress) ? progress.processed_ns() : now;
  while (out.size() < most) {
    const auto time = times.next(after);
    if (!time) break;
    after = time->due_ns;
    if (time->due_ns > now) out.push_back(time->due_ns);
  }
  return out;
}

bool is_repeated(const std::string& request_id, pb::ScheduleProgress* progress) {
  if (request_id.empty()) return false;
  auto& known = *progress->mutable_requests();
  if (std::find(known.begin(), known.end(), request_id) != known.end()) return true;
  if (known.size() == kRememberedRequests) known.DeleteSubrange(0, 1);
  progress->add_requests(request_id);
  return false;
}

std::string conflict_token(const pb::ScheduleProgress& progress) {
  std::string out(8, '\0');
  auto value = static_cast<std::uint64_t>(progress.conflict_token());
  for (auto byte = out.rbegin(); byte != out.rend(); ++byte, value >>= 8) *byte = static_cast<char>(value & 0xff);
  return out;
}

}  // namespace callimport::engine
