// UpdateWorkflowExecution and PollWorkflowExecutionUpdate (conformance C.8): admission, and those who wait for a stage.
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/workflow_tasks.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr int kFailedAttempts = 3;
constexpr std::int64_t kUpdateWaitMax = 20 * kNanosPerSecond;
constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

UpdateReached reached_stage(UpdateStage stage) {
  UpdateReached out;
  out.stage = stage;
  return out;
}

UpdateReached refused(PortStatus error) {
  UpdateReached out;
  out.error = std::move(error);
  return out;
}

UpdateReached with_outcome(UpdateOutcome outcome) {
  UpdateReached out = reached_stage(kCompleted);
  out.outcome = std::move(outcome);
  return out;
}

/// What history knows of an update; null: nothing.
const pb::UpdateState* find_update(const pb::RunSummary& run, const std::string& id) {
  const auto it = std::find_if(run.updates().begin(), run.updates().end(),
                               [&id](const pb::UpdateState& update) { return update.update_id() == id; });
  return it == run.updates().end() ? nullptr : &*it;
}

std::size_t in_flight(const OpenRun& run) {
  const auto open = std::count_if(run.updates.begin(), run.updates.end(),
                                  [](const auto& entry) { return entry.second.completed_event_id() == 0; });
  return run.admitted.size() + static_cast<std::size_t>(open);
}

std::size_t in_flight_bytes(const OpenRun& run) {
  std::size_t bytes = 0;
  for (const auto& [id, admitted] : run.admitted) bytes += admitted.request.ByteSizeLong();
  return bytes;
}

std::optional<PortStatus> check_limits(const OpenRun& run, const UpdateRequest& request,
                                       const EmbeddedOptions& options) {
  if (in_flight(run) >= options.updates_in_flight_max) {
    return errors::concurrent_limit("limit on number of concurrent in-flight updates has been reached (" +
                                    std::to_string(options.updates_in_flight_max) + ")");
  }
  if (run.updates.size() + run.admitted.size() >= options.updates_max) {
    return errors::plain(errors::kFailedPrecondition,
                         "The limit on the total number of distinct updates in this workflow has been reached (" +
                             std::to_string(options.updates_max) +
                             "). Make sure any duplicate updates share an Update ID so the server can deduplicate "
                             "them, and consider rejecting updates that you aren't going to process. You can also "
                             "Continue-as-New to avoid this; we recommend you check Continue-as-New Suggested in your "
                             "Workflow.");
  }
  if (in_flight_bytes(run) + request.ByteSizeLong() >= options.updates_in_flight_bytes_max) {
    return errors::concurrent_limit("limit on total payload size of in-flight updates has been reached (" +
                                    std::to_string(options.updates_in_flight_bytes_max) + " bytes)");
  }
  return std::nullopt;
}

/// The outcome in the UpdateCompleted event `event_id`; nothing when the history could not be read.
std::optional<UpdateOutcome> outcome_in(const HistoryBatches& history, std::int64_t event_id) {
  if (event_id >= history.next_event_id() || !history.holds(event_id)) return std::nullopt;
  History one;
  add_events(history.batches()[history.find(event_id)], event_id, event_id, &one);
  ENSURE(one.events_size() == 1);
  return one.events(0).workflow_execution_update_completed_event_attributes().outcome();
}

}  // namespace

void Service::UpdateWorkflowExecution(const api::UpdateWorkflowExecutionRequest& request, CallContext context,
                                      Reply<api::UpdateWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const auto& execution = request.workflow_execution();
  if (execution.workflow_id().empty()) {
    return refuse(std::move(call), errors::invalid("WorkflowId is not set on request."));
  }
  if (auto wrong = check_update_request(request)) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const Found found = find_run(request.namespace_(), execution, &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const std::string& first = request.first_execution_run_id();
  if (!first.empty() && summary_of(found).facts().first_run_id() != first) {
    return refuse(std::move(call), errors::not_found("workflow execution not found"));
  }
  UpdateRequest asked = request.request();
  if (asked.meta().update_id().empty()) asked.mutable_meta()->set_update_id(new_uuid());
  const std::string id = asked.meta().update_id();
  if (auto wrong = admit(found, asked)) return refuse(std::move(call), std::move(*wrong));
  UpdateWait wait;
  wait.number = call.number;
  wait.update_id = id;
  if (request.wait_policy().lifecycle_stage() != enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED) {
    wait.wanted = request.wait_policy().lifecycle_stage();
  }
  auto held = std::make_shared<decltype(call)>(std::move(call));  // shared: rides in a copyable callback
  wait.done = [this, held, out = update_reply(found, id)](UpdateReached reached) mutable {
    if (!reached.error.ok()) return refuse(std::move(*held), std::move(reached.error));
    out.set_stage(reached.stage);
    if (reached.outcome) *out.mutable_outcome() = std::move(*reached.outcome);
    answer(std::move(*held), std::move(out));
  };
  wait_for_update(found, std::move(wait), context);
}

void Service::PollWorkflowExecutionUpdate(const api::PollWorkflowExecutionUpdateRequest& request, CallContext context,
                                          Reply<api::PollWorkflowExecutionUpdateResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_update_ref()) return refuse(std::move(call), errors::invalid("UpdateRef is not set on request."));
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.update_ref().workflow_execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const std::string& id = request.update_ref().update_id();
  if (!knows_update(found, id)) {
    return refuse(std::move(call), errors::not_found("update \"" + id + "\" not found"));
  }
  UpdateWait wait;
  wait.number = call.number;
  wait.update_id = id;
  wait.wanted = request.wait_policy().lifecycle_stage();
  auto held = std::make_shared<decltype(call)>(std::move(call));  // shared: rides in a copyable callback
  wait.done = [this, held, ref = update_reply(found, id).update_ref()](UpdateReached reached) {
    if (!reached.error.ok()) return refuse(std::move(*held), std::move(reached.error));
    api::PollWorkflowExecutionUpdateResponse out;
    *out.mutable_update_ref() = ref;
    out.set_stage(reached.stage);
    if (reached.outcome) *out.mutable_outcome() = std::move(*reached.outcome);
    answer(std::move(*held), std::move(out));
  };
  wait_for_update(found, std::move(wait), context);
}

api::UpdateWorkflowExecutionResponse Service::update_reply(const Found& found, const std::string& update_id) const {
  api::UpdateWorkflowExecutionResponse out;
  auto* execution = out.mutable_update_ref()->mutable_workflow_execution();
  execution->set_workflow_id(found.workflow_id());
  execution->set_run_id(found.run_id());
  out.mutable_update_ref()->set_update_id(update_id);
  return out;
}

bool Service::knows_update(const Found& found, const std::string& update_id) const {
  if (found.open != nullptr) {
    return found.open->updates.contains(update_id) || found.open->admitted.contains(update_id);
  }
  const pb::RunSummary summary = summary_of(found);
  const pb::UpdateState* known = find_update(summary, update_id);
  return known != nullptr && known->accepted_event_id() != 0;
}

/// An update that is known is not asked for again. The first one of an idle run makes a speculative task.
std::optional<PortStatus> Service::admit(const Found& found, const UpdateRequest& request) {
  const std::string& id = request.meta().update_id();
  if (found.open == nullptr) {
    if (knows_update(found, id)) return std::nullopt;
    return errors::already_completed();
  }
  OpenRun& run = *found.open;
  if (run.task.attempt() >= kFailedAttempts) {
    return errors::not_ready("Unable to perform workflow execution update due to Workflow Task in failed state.");
  }
  if (run.progress.close_attempted() && run.task.state() == pb::WorkflowTask::STARTED) return errors::closing();
  if (knows_update(found, id)) return std::nullopt;
  if (run.paused())
    return errors::plain(errors::kFailedPrecondition, "Workflow is paused. Cannot update the workflow.");
  if (auto wrong = check_limits(run, request, options_)) return wrong;
  AdmittedUpdate& admitted = run.admitted[id];
  admitted.order = next_id_++;
  admitted.request = request;
  if (run.task.state() != pb::WorkflowTask::NONE) return std::nullopt;
  Draft draft(run, clock_.now());
  schedule_speculative_task(draft);
  commit(run, std::move(draft));
  return std::nullopt;
}

void Service::wait_for_update(const Found& found, UpdateWait wait, const CallContext& context) {
  wait.id = next_id_++;
  wait.run = found.open != nullptr ? found.open->key : found.closed->key;
  wait.deadline_ns = add_nanos(callers_now_ns(), kUpdateWaitMax);
  if (context.deadline && to_unix_ns(*context.deadline) < wait.deadline_ns) {
    wait.deadline_ns = to_unix_ns(*context.deadline);
    wait.callers_patience = true;
  }
  if (found.open != nullptr) found.open->update_waits.push_back(wait.id);
  update_deadlines_.set(wait.deadline_ns, wait.id);
  const std::uint64_t id = wait.id;
  look_at_update(update_waits_.emplace(id, std::move(wait)).first->second);
}

/// Ends the wait if its stage is reached already, or never will be.
void Service::look_at_update(UpdateWait& wait) {
  const Found found = find(wait.run);
  const pb::RunSummary closed = found.closed != nullptr ? summary_of(found) : pb::RunSummary();
  const pb::UpdateState* known = find_update(closed, wait.update_id);
  if (found.open != nullptr) {
    const auto it = found.open->updates.find(wait.update_id);
    known = it == found.open->updates.end() ? nullptr : &it->second;
  }
  const bool accepted = known != nullptr && known->accepted_event_id() != 0;
  if (accepted && known->completed_event_id() != 0) return read_outcome(wait, found, known->completed_event_id());
  if (accepted && found.open == nullptr) return end_update_wait(wait.id, with_outcome(abandoned_outcome()));
  if (accepted && wait.wanted <= kAccepted) return end_update_wait(wait.id, reached_stage(kAccepted));
  if (wait.wanted <= kAdmitted) end_update_wait(wait.id, reached_stage(kAdmitted));
}

void Service::read_outcome(UpdateWait& wait, const Found& found, std::int64_t event_id) {
  wait.reading = true;
  const auto read = [this, id = wait.id, event_id](const HistoryBatches& history) {
    auto outcome = outcome_in(history, event_id);
    end_update_wait(id, outcome ? with_outcome(std::move(*outcome))
                                : refused(errors::unavailable("the history could not be read; try again")));
  };
  if (found.open != nullptr) {
    with_history(*found.open, [read](OpenRun& run) { read(run.history); });
  } else {
    with_closed_history(*found.closed, [read](const pb::RunSummary&, const HistoryBatches& whole) { read(whole); });
  }
}

void Service::end_update_wait(std::uint64_t id, UpdateReached reached) {
  const auto it = update_waits_.find(id);
  if (it == update_waits_.end()) return;  // cancelled, or ended otherwise
  UpdateWait wait = std::move(it->second);
  update_waits_.erase(it);
  update_deadlines_.remove(wait.deadline_ns, id);
  if (const auto run = open_.find(wait.run); run != open_.end()) std::erase(run->second->update_waits, id);
  wait.done(std::move(reached));
}

/// The service's patience ended: the caller is told how far it got and asks again. The caller's own: it is gone.
void Service::update_wait_due(std::uint64_t id) {
  const auto it = update_waits_.find(id);
  if (it == update_waits_.end() || it->second.reading) return;
  const Found found = find(it->second.run);
  if (found.open == nullptr) return;  // being told
  if (it->second.callers_patience) {
    return end_update_wait(id, refused(errors::plain(errors::kDeadlineExceeded, "context deadline exceeded")));
  }
  const auto known = found.open->updates.find(it->second.update_id);
  const bool accepted = known != found.open->updates.end() && known->second.accepted_event_id() != 0;
  end_update_wait(id, reached_stage(accepted ? kAccepted : kAdmitted));
}

/// After a decision: whoever waits is told what became of the update, and all are when the run closed under them.
void Service::settle_updates(OpenRun& run) {
  const UpdateNews news = std::exchange(run.update_news, {});
  for (const auto& [id, reached] : news) run.admitted.erase(id);
  for (const std::uint64_t id : std::vector<std::uint64_t>(run.update_waits)) {
    const auto it = update_waits_.find(id);
    if (it == update_waits_.end()) {  // cancelled
      std::erase(run.update_waits, id);
      continue;
    }
    const UpdateWait& wait = it->second;
    const auto told = news.find(wait.update_id);
    const bool over = told != news.end() && (!told->second.error.ok() || told->second.stage == kCompleted);
    if (over || (run.open() && told != news.end() && told->second.stage >= wait.wanted)) {
      end_update_wait(id, told->second);
    } else if (!run.open()) {
      abandon_update(run, wait);
    }
  }
  if (!run.open()) run.admitted.clear();
}

void Service::abandon_update(const OpenRun& run, const UpdateWait& wait) {
  const auto known = run.updates.find(wait.update_id);
  const bool accepted = known != run.updates.end() && known->second.accepted_event_id() != 0;
  if (accepted && known->second.completed_event_id() == 0) {
    end_update_wait(wait.id, with_outcome(abandoned_outcome()));
  } else if (accepted) {  // its outcome is being read; from the closed history then
    after_flush([this, id = wait.id] {
      if (const auto it = update_waits_.find(id); it != update_waits_.end()) look_at_update(it->second);
    });
  } else {
    const bool continued = !run.progress.new_run_id().empty();
    end_update_wait(wait.id, refused(continued ? errors::closing() : errors::aborted_by_closing()));
  }
}

}  // namespace callimport::engine
