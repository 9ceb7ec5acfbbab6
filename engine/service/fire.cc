// What happens when time passes: timers, timeouts, retries, backoffs (conformance C13, C16, C26, C27, C.5).
#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/service/activities.h"
#include "engine/service/internal/core.h"
#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/successors.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

void consider(std::int64_t when, std::int64_t* next) {
  if (when != 0 && (*next == 0 || when < *next)) *next = when;
}

/// Until when the pending workflow task has to find a worker; 0: it has time.
std::int64_t schedule_to_start_end(const OpenRun& run) {
  if (run.task.state() != pb::WorkflowTask::SCHEDULED) return 0;
  if (run.task_on_sticky) return add_nanos(run.task.scheduled_ns(), run.progress.sticky_timeout_ns());
  return run.task.speculative() ? add_nanos(run.task.scheduled_ns(), kSpeculativeScheduleToStartNs) : 0;
}

}  // namespace

std::int64_t Service::next_deadline_of(const OpenRun& run) const {
  if (run.batch != nullptr) return run.batch_step != 0 ? run.batch_patience_ns : run.batch_progress.next_ns();
  if (run.schedule != nullptr) return run.schedule->progress.wake_ns();
  std::int64_t next = 0;
  consider(run.facts.run_expires_ns(), &next);
  consider(run.facts.execution_expires_ns(), &next);
  consider(run.progress.backoff_until_ns(), &next);
  if (run.task.state() == pb::WorkflowTask::STARTED) {
    consider(add_nanos(run.task.started_ns(), run.task.start_to_close_ns()), &next);
  } else {
    consider(schedule_to_start_end(run), &next);
  }
  for (const auto& [id, timer] : run.timers) consider(timer.fires_ns(), &next);
  const std::int64_t now = now_ns();
  for (const auto& [id, activity] : run.activities) {
    if (const auto deadline = next_deadline(activity.state)) consider(deadline->when_ns, &next);
    const std::int64_t due = activity.state.attempt_scheduled_ns();
    if (may_begin(run, activity.state) && due > now) consider(due, &next);
  }
  return next;
}

void Service::run_due(RunKey key) {
  const auto it = open_.find(key);
  if (it == open_.end()) return;
  OpenRun& run = *it->second;
  run.armed_ns = 0;
  const std::int64_t now = now_ns();
  if (starting_over_) return overdue_.push_back(key);  // nothing may be decided now
  if (turn_.rows.size() >= kRowsPerTurn) flush();
  if (run.batch != nullptr) return batch_due(run);
  if (run.facts.kind() == pb::RUN_KIND_SCHEDULE) return schedule_due(run);
  if (fire_run_timeout(run, now)) return;
  fire_timers(run, now);
  if (!run.open()) return;
  fire_activities(run, now);
  if (!run.open()) return;
  fire_workflow_task(run, now);
  if (run.open()) arm(run);
}

bool Service::fire_run_timeout(OpenRun& run, std::int64_t now) {
  const std::int64_t run_end = run.facts.run_expires_ns(), execution_end = run.facts.execution_expires_ns();
  const bool execution_over = execution_end != 0 && execution_end <= now;
  if (!execution_over && (run_end == 0 || run_end > now)) return false;
  Draft draft(run, clock_.now());
  force_close_task(draft);
  Succession next = after_timeout(draft, random_);
  auto* event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT)
                    .mutable_workflow_execution_timed_out_event_attributes();
  event->set_retry_state(next.retry_state);
  if (next.plan) {
    event->set_new_execution_run_id(next.plan->run_id);
    draft.edit_progress().set_new_run_id(next.plan->run_id);
  }
  close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
  commit(run, std::move(draft));
  if (next.plan) start(std::move(*next.plan));
  return true;
}

void Service::fire_timers(OpenRun& run, std::int64_t now) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> due;
  for (const auto& [id, timer] : run.timers) {
    if (timer.fires_ns() <= now) due.emplace_back(timer.fires_ns(), timer.started_event_id(), id);
  }
  if (due.empty()) return;
  std::sort(due.begin(), due.end());
  Draft draft(run, clock_.now());
  for (const auto& [when, started, id] : due) {
    auto* event = draft.record(enums::EVENT_TYPE_TIMER_FIRED).mutable_timer_fired_event_attributes();
    event->set_timer_id(id);
    event->set_started_event_id(started);
    draft.remove_timer(id);
  }
  if (!draft.buffering()) schedule_task_if_idle(draft);
  (void)grow(run, std::move(draft));
}

void Service::fire_activities(OpenRun& run, std::int64_t now) {
  struct Due {
    std::int64_t when, id;
    enums::TimeoutType type;
  };
  std::vector<Due> due;
  for (const auto& [id, activity] : run.activities) {
    if (const auto deadline = next_deadline(activity.state); deadline && deadline->when_ns <= now) {
      due.push_back({deadline->when_ns, id, deadline->type});
    }
  }
  if (!due.empty()) {
    std::sort(due.begin(), due.end(),
              [](const Due& a, const Due& b) { return std::tie(a.when, a.id) < std::tie(b.when, b.id); });
    Draft draft(run, clock_.now());
    for (const Due& one : due) time_out_activity(draft, one.id, one.type);
    if (grow(run, std::move(draft))) return;
  }
  enqueue_due(run);
}

/// Whatever of the run waits for a worker and stands in no queue yet.
void Service::enqueue_due(OpenRun& run) {
  std::vector<std::int64_t> ids;
  for (const auto& [id, activity] : run.activities) ids.push_back(id);
  const std::int64_t now = now_ns();
  for (const std::int64_t id : ids) {
    const auto it = run.activities.find(id);
    if (it != run.activities.end()) enqueue_if_due(run, it->second, now);
  }
}

void Service::fire_workflow_task(OpenRun& run, std::int64_t now) {
  const pb::WorkflowTask& task = run.task;
  Draft draft(run, clock_.now());
  if (run.progress.backoff_until_ns() != 0 && run.progress.backoff_until_ns() <= now) {
    draft.edit_progress().set_backoff_until_ns(0);
    draft.write_speculative_task();  // it is the first one now, even if its updates come to nothing
    schedule_task_if_idle(draft);
  } else if (task.state() == pb::WorkflowTask::STARTED &&
             add_nanos(task.started_ns(), task.start_to_close_ns()) <= now) {
    time_out_task(draft);
  } else if (const std::int64_t end = schedule_to_start_end(run); end != 0 && end <= now) {
    time_out_scheduled_task(draft);
    run.task_queued = false;
  } else {
    return;
  }
  commit(run, std::move(draft));
}

void Service::give_up_lost_work(OpenRun& run) {
  const auto lost = [this](const std::string& identity) { return identity.starts_with(options_.own_workers); };
  std::vector<std::pair<std::int64_t, enums::TimeoutType>> attempts;
  for (const auto& [id, activity] : run.activities) {
    if (activity.state.started_ns() == 0 || !lost(activity.state.identity())) continue;
    const bool beats = activity.state.heartbeat_ns() != 0;
    attempts.emplace_back(id, beats ? enums::TIMEOUT_TYPE_HEARTBEAT : enums::TIMEOUT_TYPE_START_TO_CLOSE);
  }
  const bool task = run.task.state() == pb::WorkflowTask::STARTED && lost(run.task.identity());
  if (attempts.empty() && !task) return;
  Draft draft(run, clock_.now());
  for (const auto& [id, type] : attempts) time_out_activity(draft, id, type);
  if (task) time_out_task(draft);
  commit(run, std::move(draft));
}

}  // namespace callimport::engine
