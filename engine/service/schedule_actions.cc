// What a schedule does (conformance C.15): starts runs, makes room for them, hears of their end. A run and what the
// schedule remembers of it are in one append, so each action is taken once, whenever the process ends; and so are a
// run's last event and what the schedule makes of it.
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/proto_time.h"
#include "engine/service/schedules.h"
#include "engine/service/starts.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

constexpr const char* kPaused = "TemporalSchedulePaused";

std::string identity_of(const OpenRun& record) {
  return "temporal-scheduler-" + record.space->name + "-" + schedule_id_of(record.facts);
}

temporal::api::common::v1::Payload json_payload(std::string json, const char* type) {
  temporal::api::common::v1::Payload out;
  (*out.mutable_metadata())["encoding"] = "json/plain";
  (*out.mutable_metadata())["type"] = type;
  out.set_data(std::move(json));
  return out;
}

/// Lists find paused schedules by an attribute.
void show_paused(Draft& draft) {
  const char* now = draft.schedule_progress().state().paused() ? "true" : "false";
  const auto shown = draft.search_attributes().indexed_fields().find(kPaused);
  if (shown != draft.search_attributes().indexed_fields().end() && shown->second.data() == now) return;
  (*draft.edit_search_attributes().mutable_indexed_fields())[kPaused] = json_payload(now, "Bool");
}

/// As a client would ask for it.
api::StartWorkflowExecutionRequest start_request(const OpenRun& record, const Draft& draft,
                                                 const pb::BufferedAction& action) {
  const auto& asked = draft.schedule_plan().action().start_workflow();
  const std::string time = format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ns(action.nominal_ns())));
  api::StartWorkflowExecutionRequest out;
  out.set_namespace_(record.space->name);
  const bool keep = draft.schedule_plan().policies().keep_original_workflow_id();
  out.set_workflow_id(keep ? asked.workflow_id() : asked.workflow_id() + "-" + time);
  out.set_identity(identity_of(record));
  out.set_request_id(uuid_of_name(record.facts.run_id() + ":" + std::to_string(draft.schedule_progress().starts())));
  *out.mutable_workflow_type() = asked.workflow_type();
  *out.mutable_task_queue() = asked.task_queue();
  if (asked.has_input()) *out.mutable_input() = asked.input();
  if (asked.has_workflow_execution_timeout())
    *out.mutable_workflow_execution_timeout() = asked.workflow_execution_timeout();
  if (asked.has_workflow_run_timeout()) *out.mutable_workflow_run_timeout() = asked.workflow_run_timeout();
  if (asked.has_workflow_task_timeout()) *out.mutable_workflow_task_timeout() = asked.workflow_task_timeout();
  if (asked.has_retry_policy()) *out.mutable_retry_policy() = asked.retry_policy();
  if (asked.has_memo()) *out.mutable_memo() = asked.memo();
  if (asked.has_header()) *out.mutable_header() = asked.header();
  if (asked.has_user_metadata()) *out.mutable_user_metadata() = asked.user_metadata();
  if (asked.has_versioning_override()) *out.mutable_versioning_override() = asked.versioning_override();
  if (asked.has_priority()) *out.mutable_priority() = asked.priority();
  if (asked.has_search_attributes()) *out.mutable_search_attributes() = asked.search_attributes();
  auto& attributes = *out.mutable_search_attributes()->mutable_indexed_fields();
  attributes["TemporalScheduledById"] = json_payload(nlohmann::json(schedule_id_of(record.facts)).dump(), "Keyword");
  attributes["TemporalScheduledStartTime"] = json_payload("\"" + time + "\"", "Datetime");
  const pb::ScheduleOutcome& before = draft.schedule_outcome();
  if (before.has_result()) *out.mutable_last_completion_result() = before.result();
  if (before.has_failure()) *out.mutable_continued_failure() = before.failure();
  return out;
}

}  // namespace

std::optional<ScheduleTimes> times_of(const OpenRun& record, const pb::SchedulePlan& plan) {
  auto times = ScheduleTimes::of(plan.spec(), record.space->id + schedule_id_of(record.facts));
  return times ? std::optional(std::move(*times)) : std::nullopt;
}

/// What is due, then what is buffered, as far as it may begin. Commits the draft.
void Service::act_on_schedule(OpenRun& record, Draft draft) {
  if (record.space->state.being_deleted()) return;
  const auto times = times_of(record, draft.schedule_plan());
  pb::ScheduleProgress& progress = draft.edit_schedule_progress();
  if (times) take_due(draft.schedule_plan(), *times, draft.now(), &progress);
  for (bool again = true; again;) {
    again = false;
    const BufferDecision decided = decide_buffer(draft.schedule_plan(), &progress);
    for (const auto& action : decided.starts) (void)take_action(record, draft, action, false);
    if (decided.lone_start) again = !take_action(record, draft, *decided.lone_start, true);
    if (decided.terminate_running || decided.cancel_running) end_running(record, progress, decided.terminate_running);
  }
  bool ends = false;
  progress.set_wake_ns(times ? wake_time(*times, draft.now(), progress, &ends) : 0);
  if (ends && progress.wake_ns() <= draft.now()) return end_record(record);
  show_paused(draft);
  commit(record, std::move(draft));
}

/// @return false: it was not started, and another may be in its place.
bool Service::take_action(const OpenRun& record, Draft& draft, const pb::BufferedAction& action, bool watched) {
  pb::ScheduleProgress& progress = draft.edit_schedule_progress();
  if (!may_take(action, &progress) || !draft.schedule_plan().action().has_start_workflow()) return false;
  progress.set_starts(progress.starts() + 1);
  const auto request = start_request(record, draft, action);
  const StartAnswer started = start_workflow(request, nullptr);
  if (!started.status.ok()) return false;  // its id is taken, or no server would start it
  note_started(action, request.workflow_id(), started.reply.run_id(), watched, draft.now(), &progress);
  return true;
}

/// The runs that an action waits for. What they say when they close is heard before the turn is over.
void Service::end_running(const OpenRun& record, const pb::ScheduleProgress& progress, bool terminate) {
  for (const auto& run : progress.info().running_workflows()) {
    const Found found = find_current(record.space->name, run.workflow_id());
    if (found.open == nullptr || found.open->facts.first_run_id() != run.run_id()) {  // it has ended
      scheduled_ends_.push_back({record.key, run.run_id(), {}});
      continue;
    }
    Draft draft(*found.open, clock_.now());
    if (terminate) {
      terminate_run(draft, "terminated by schedule overlap policy", nullptr, identity_of(record));
    } else {
      (void)request_cancel_run(draft, {.cause = "cancelled by schedule overlap policy",
                                       .identity = identity_of(record),
                                       .request_id = "",
                                       .external = nullptr,
                                       .external_initiated = 0});
    }
    (void)grow(*found.open, std::move(draft));
  }
}

void Service::schedule_due(OpenRun& record) {
  const std::int64_t wake = record.schedule->progress.wake_ns();
  if (wake == 0 || wake > now_ns()) return arm(record);
  act_on_schedule(record, Draft(record, clock_.now()));
}

void Service::hear_ended(const ScheduledEnd& end) {
  const auto it = open_.find(end.schedule);
  if (it == open_.end()) return;
  watched_.erase(end.first_run_id);
  Draft draft(*it->second, clock_.now());
  pb::ScheduleOutcome outcome = draft.schedule_outcome();
  if (!note_ended(draft.schedule_plan(), end.first_run_id, end.event, &draft.edit_schedule_progress(), &outcome))
    return;
  if (outcome.has_result() || outcome.has_failure() || draft.schedule_outcome().has_result())
    draft.edit_schedule_outcome() = std::move(outcome);
  act_on_schedule(*it->second, std::move(draft));
}

}  // namespace callimport::engine
