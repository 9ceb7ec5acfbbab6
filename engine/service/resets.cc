#include "engine/service/resets.h"

#include <algorithm>
#include <utility>

#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/rebuild.h"
#include "engine/service/reset_news.h"
#include "engine/service/run_options.h"
#include "engine/service/starts.h"
#include "engine/service/workflow_tasks.h"
#include "storage/model/ensure.h"
#include "temporal/api/enums/v1/reset.pb.h"

namespace callimport::engine {
namespace {

bool excluded(const ResetRequest& request, enums::ResetReapplyExcludeType type) {
  const auto& types = request.reset_reapply_exclude_types();
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// What others told counts where the kept part asked for it: numbers of its events mean nothing in a later run.
bool wanted(const ResetRequest& request, const HistoryEvent& event, ResetSource source) {
  const bool none = request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_NONE;  // it means these two
  const bool no_signals = none || excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
  const bool no_updates = none || excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE);
  const bool nothing = no_signals && no_updates && excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_NEXUS) &&
                       excluded(request, enums::RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST);
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: return !no_signals;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: return !nothing;  // no type names them
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: return !no_updates;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:  // without its request: it was admitted by an event
      return !no_updates && event.workflow_execution_update_accepted_event_attributes().has_accepted_request();
    default:
      if (source != ResetSource::kBase) return false;
      if (const std::int64_t asked = asked_outside(event); asked != 0) {
        return asked < request.workflow_task_finish_event_id();
      }
      return !nothing && is_child_news(event);
  }
}

/// The run is a new one of the same chain; its limits count from now.
pb::RunFacts facts_of(const ResetRequest& request, const ResetPlan& plan, std::int64_t now) {
  pb::RunFacts facts = plan.base;
  facts.set_base_run_id(plan.base.run_id());
  facts.set_run_id(plan.run_id);
  facts.set_start_request_id(request.request_id());
  facts.set_start_ns(now);
  facts.set_first_backoff_ns(0);
  facts.clear_run_expires_ns();
  facts.clear_execution_expires_ns();
  if (facts.run_timeout_ns() > 0) facts.set_run_expires_ns(add_nanos(now, facts.run_timeout_ns()));
  if (facts.execution_timeout_ns() > 0) facts.set_execution_expires_ns(add_nanos(now, facts.execution_timeout_ns()));
  return facts;
}

void fail_for_reset(Draft& draft, const ResetRequest& request, const ResetPlan& plan, const EmbeddedOptions& options) {
  if (draft.task().state() == pb::WorkflowTask::SCHEDULED) {
    start_task(draft, {std::string(kHistoryService), plan.task_request_id}, options);
  }
  auto* out = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED).mutable_workflow_task_failed_event_attributes();
  out->set_scheduled_event_id(draft.task().scheduled_event_id());
  out->set_started_event_id(draft.task().started_event_id());
  out->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  out->mutable_failure()->set_message(request.reason());
  (void)out->mutable_failure()->mutable_reset_workflow_failure_info();
  out->set_identity(std::string(kHistoryService));
  out->set_base_run_id(plan.base.run_id());
  out->set_new_run_id(plan.run_id);
  draft.edit_task().Clear();
}

/// The worker finds it in the history: no message is sent for it.
void readmit(Draft& draft, const temporal::api::update::v1::Request& request) {
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED);
  auto* out = event.mutable_workflow_execution_update_admitted_event_attributes();
  *out->mutable_request() = request;
  out->set_origin(enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
  draft.edit_update(request.meta().update_id()).set_admitted_event_id(event.event_id());
}

void reapply(Draft& draft, const HistoryEvent& event) {
  if (event.has_workflow_execution_signaled_event_attributes()) {
    const auto& signal = event.workflow_execution_signaled_event_attributes();
    signal_run(draft, {.name = signal.signal_name(),
                       .identity = signal.identity(),
                       .request_id = signal.request_id(),
                       .input = signal.has_input() ? &signal.input() : nullptr,
                       .header = signal.has_header() ? &signal.header() : nullptr});
  } else if (event.has_workflow_execution_options_updated_event_attributes()) {
    update_options(draft, event.workflow_execution_options_updated_event_attributes());
  } else if (event.has_workflow_execution_update_admitted_event_attributes()) {
    readmit(draft, event.workflow_execution_update_admitted_event_attributes().request());
  } else if (event.has_workflow_execution_update_accepted_event_attributes()) {
    readmit(draft, event.workflow_execution_update_accepted_event_attributes().accepted_request());
  } else if (asked_outside(event) != 0) {
    repeat_event(draft, event);
  } else {
    repeat_child_news(draft, event);
  }
}

}  // namespace

void pick_events(const ResetRequest& request, const History& events, ResetSource source,
                 std::vector<HistoryEvent>* later) {
  for (const auto& event : events.events()) {
    if (wanted(request, event, source)) later->push_back(event);
  }
}

std::optional<PortStatus> split_history(const ResetRequest& request, const HistoryBatches& history,
                                        std::vector<pb::Batch>* kept, std::vector<HistoryEvent>* later) {
  const std::int64_t finish = request.workflow_task_finish_event_id();
  if (finish <= 1 || finish >= history.next_event_id()) {
    return errors::invalid("Workflow task finish ID must be > 1 && <= workflow last event ID.");
  }
  for (const auto& batch : history.batches()) {
    if (batch.first_event_id() + batch.count() <= finish) {
      kept->push_back(batch);
    } else if (batch.first_event_id() >= finish) {
      History events;
      ENSURE(events.ParseFromString(batch.events()));
      pick_events(request, events, ResetSource::kBase, later);
    } else {
      return errors::invalid("StateRebuilder unable to Rebuild mutable state to event ID: " +
                             std::to_string(finish - 1) + ", version: 0, this event must be at the boundary");
    }
  }
  return std::nullopt;
}

std::string continued_in(const HistoryBatches& history) {
  History last;
  ENSURE(last.ParseFromString(history.batches().back().events()));
  const HistoryEvent& event = last.events(last.events_size() - 1);
  return event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
}

std::optional<PortStatus> reset_run(const ResetRequest& request, ResetPlan plan, Timestamp now,
                                    const EmbeddedOptions& options, std::int64_t* task_id, pb::Transition* out) {
  Run run;
  run.facts = facts_of(request, plan, to_unix_ns(now));
  run.transitions = 1;  // the kept part counts as one
  rebuild(plan.kept, to_unix_ns(now), &run);
  if (run.task.state() == pb::WorkflowTask::NONE) {
    return errors::invalid(
        "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, "
        "WorkflowTaskStarted + 1]: " +
        std::to_string(request.workflow_task_finish_event_id()));
  }
  Draft draft(run, now);
  fail_for_reset(draft, request, plan, options);
  for (const HistoryEvent& event : plan.later) reapply(draft, event);
  schedule_task(draft);
  *out = std::move(draft).finish(task_id);
  *out->mutable_rebuilt() = to_snapshot(run);
  out->mutable_rebuilt()->set_next_event_id(1);  // the events come with the Transition
  out->mutable_rebuilt()->set_history_size_bytes(0);
  out->mutable_rebuilt()->set_batches(0);
  for (auto& batch : plan.kept) *out->add_copied() = std::move(batch);
  return std::nullopt;
}

}  // namespace callimport::engine
