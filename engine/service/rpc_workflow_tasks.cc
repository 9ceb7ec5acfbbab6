// RespondWorkflowTaskCompleted and RespondWorkflowTaskFailed (conformance C12 to C22).
#include <utility>

#include "engine/service/activities.h"
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/retry.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

constexpr const char* kReturnedTask = "request-from-RespondWorkflowTaskCompleted";  // C11

/// Starts the activities that the worker has kept slots for, in the change that schedules them: they come back in the
/// answer, which saves their polls. @return scheduled event ids.
std::vector<std::int64_t> start_eagerly(Draft& draft, const api::RespondWorkflowTaskCompletedRequest& request,
                                        Random& random) {
  std::vector<std::int64_t> started;
  for (const auto& command : request.commands()) {
    const auto& asked = command.schedule_activity_task_command_attributes();
    if (!asked.request_eager_execution()) continue;
    const auto scheduled = draft.activity_by_id(asked.activity_id());
    if (!scheduled || !may_begin(draft.run(), *draft.activity(*scheduled))) continue;
    start_activity(draft, *scheduled, {request.identity(), random.uuid4()});
    started.push_back(*scheduled);
  }
  return started;
}

/// A good token of another kind names nothing there is.
PortStatus nothing_of(pb::TaskToken::Kind kind) {
  if (kind == pb::TaskToken::WORKFLOW) return errors::task_not_found();
  if (kind == pb::TaskToken::ACTIVITY) return errors::activity_not_found();
  return errors::not_found("query task not found, or already expired");
}

}  // namespace

/// `token` comes with the namespace of the request, if that names one.
std::optional<PortStatus> Service::parse_token(const std::string& bytes, pb::TaskToken::Kind kind,
                                               pb::TaskToken* token) const {
  if (stopping_) return errors::unavailable("the service is shutting down");
  if (starting_over_) return errors::unavailable("the journal could not be written; recovering, try again");
  const std::string asked = token->name_space();
  if (!asked.empty()) {
    if (auto wrong = check_namespace(asked)) return wrong;
  }
  if (bytes.empty()) return errors::invalid("Task token not set on request.");
  if (!token->ParseFromString(bytes) || token->kind() == pb::TaskToken::NONE)
    return errors::invalid("Error deserializing task token.");
  if (token->name_space().empty()) return errors::invalid("Namespace not set on request.");
  if (!asked.empty() && asked != token->name_space()) {
    return errors::invalid("Operation requested with a token from a different namespace.");
  }
  if (token->kind() != kind) return nothing_of(kind);
  return check_namespace(token->name_space());
}

/// C12: the run whose started task the token names.
OpenRun* Service::task_of(const pb::TaskToken& token) {
  const Found found = find_id(token.run_id());
  if (found.open == nullptr) return nullptr;
  const pb::WorkflowTask& task = found.open->task;
  const bool holds = task.state() == pb::WorkflowTask::STARTED &&
                     task.scheduled_event_id() == token.scheduled_event_id() &&
                     task.started_event_id() == token.started_event_id() && task.started_ns() == token.started_ns() &&
                     task.attempt() == token.attempt();
  return holds ? found.open : nullptr;
}

void Service::RespondWorkflowTaskCompleted(const api::RespondWorkflowTaskCompletedRequest& request, CallContext context,
                                           Reply<api::RespondWorkflowTaskCompletedResponse> reply) {
  auto call = enter(context, std::move(reply));
  pb::TaskToken token;
  token.set_name_space(request.namespace_());
  if (auto wrong = parse_token(request.task_token(), pb::TaskToken::WORKFLOW, &token)) {
    return refuse(std::move(call), std::move(*wrong));
  }
  OpenRun* found = task_of(token);
  if (found == nullptr) return refuse(std::move(call), errors::task_not_found());
  OpenRun& run = *found;
  const RunKey key = run.key;
  Completion done = decide_completion(run, run.admitted, request, clock_.now(), options_, namespaces_, random_);
  if (!done.draft) return refuse(std::move(call), std::move(done.status));
  const bool completed = done.status.ok();
  // A task handed back is started in the same append, before any poller can have it.
  const bool hand_back = completed && request.return_new_workflow_task() && !run.paused();
  if (hand_back) run.task_queued = true;
  std::vector<std::uint64_t> asked = completed ? std::exchange(run.queries, {}) : std::vector<std::uint64_t>();
  run.update_news = std::move(done.updates);
  std::vector<std::int64_t> eager;
  if (completed) eager = start_eagerly(*done.draft, request, random_);
  commit(run, std::move(*done.draft));
  if (done.successor) start(std::move(*done.successor));
  if (completed) settle_queries(std::move(asked), request.query_results());
  if (!completed) return refuse(std::move(call), std::move(done.status));
  api::RespondWorkflowTaskCompletedResponse out;
  const auto it = open_.find(key);
  if (hand_back && it != open_.end()) {
    run.task_queued = false;
    if (run.task.state() == pb::WorkflowTask::SCHEDULED) {
      if (run.history.holds(run.progress.previous_started_event_id() + 1)) {
        Draft draft(run, clock_.now());
        start_task(draft, {request.identity(), kReturnedTask, run.updates.size() + run.admitted.size()}, options_);
        commit(run, std::move(draft));
        auto& next = *out.mutable_workflow_task();
        next = workflow_task_reply(run, true);
        const bool again = !request.force_create_new_workflow_task();  // what a heartbeat has, it keeps
        send_updates(run.admitted, again, run.task.started_event_id(), next.mutable_messages());
      } else {
        enqueue_workflow_task(run);
      }
    }
  }
  for (const std::int64_t id : eager) {
    if (it == open_.end()) break;  // the same commands closed it
    auto& task = *out.add_activity_tasks();
    task = activity_task_reply(run, run.activities.at(id));
    task.clear_retry_policy();
  }
  if (done.left_no_trace) out.set_reset_history_event_id(run.progress.previous_started_event_id());
  for (Crossing& crossing : done.crossings) cross(key, crossing);
  answer(std::move(call), std::move(out));
}

void Service::RespondWorkflowTaskFailed(const api::RespondWorkflowTaskFailedRequest& request, CallContext context,
                                        Reply<api::RespondWorkflowTaskFailedResponse> reply) {
  auto call = enter(context, std::move(reply));
  pb::TaskToken token;
  token.set_name_space(request.namespace_());
  if (auto wrong = parse_token(request.task_token(), pb::TaskToken::WORKFLOW, &token)) {
    return refuse(std::move(call), std::move(*wrong));
  }
  OpenRun* run = task_of(token);
  if (run == nullptr) {
    const bool closed = find_id(token.run_id()).closed != nullptr;
    return refuse(std::move(call), closed ? errors::already_completed() : errors::task_not_found());
  }
  const FailureProto failure =
      within(request.failure(), options_.blob_bytes_max, options_.blob_bytes_warn, Retryable::kNo);
  Draft draft(*run, clock_.now());
  fail_task(draft, {request.cause(), request.has_failure() ? &failure : nullptr, request.identity(),
                    request.binary_checksum(), request.has_worker_version() ? &request.worker_version() : nullptr});
  if (auto wrong = grow(*run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
  answer(std::move(call), api::RespondWorkflowTaskFailedResponse());
}

}  // namespace callimport::engine
