#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <utility>

#include "engine/worker/payloads.h"
#include "engine/worker/workflow_tasks.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

enums::WorkflowTaskFailedCause cause_of(const Error& error) {
  return error.code == Code::kNondeterministic ? enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
                                               : enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE;
}

}  // namespace

void WorkflowTasks::answer_task(Slot& slot, Task& task, Answer kind) {
  Run& run = *slot.run;
  auto request = std::make_shared<api::RespondWorkflowTaskCompletedRequest>();  // shared by the attempts to send it
  request->set_namespace_(options_.name_space);
  request->set_identity(options_.identity);
  request->set_task_token(task.task_token());
  run.take_commands(request->mutable_commands());
  run.take_messages(request->mutable_messages());
  if (run.closed()) warn_of_unfinished(run);
  for (const auto& [key, query] : task.queries()) {
    auto answer = run.answer(query.query_type(), json_of(query.query_args()));
    auto& result = (*request->mutable_query_results())[key];
    if (answer) {
      result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
      set_json(result.mutable_answer(), std::move(*answer));
    } else {
      result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
      result.set_error_message(answer.error().message);
      set_failure(result.mutable_failure(), answer.error());
    }
  }
  if (!sticky_queue_.empty()) {
    auto* sticky = request->mutable_sticky_attributes();
    sticky->mutable_worker_task_queue()->set_name(sticky_queue_);
    sticky->mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    sticky->mutable_worker_task_queue()->set_normal_name(options_.task_queue);
    set_duration(sticky->mutable_schedule_to_start_timeout(), options_.sticky_schedule_to_start);
  }
  const bool heartbeat = kind == Answer::Heartbeat;
  request->set_force_create_new_workflow_task(heartbeat);
  request->set_return_new_workflow_task(heartbeat || (!sticky_queue_.empty() && !stopping_));
  if (sdk_metadata_) run.take_metadata(request->mutable_sdk_metadata());

  auto kept = std::make_shared<Task>();  // shared with the callback: what is needed to fail it
  kept->set_task_token(task.task_token());
  kept->set_attempt(task.attempt());
  auto done = [weak = weak_from_this(), run_id = slot.run_id, kept](const PortStatus& status,
                                                                    api::RespondWorkflowTaskCompletedResponse* reply) {
    if (auto self = weak.lock()) self->completed(run_id, kept, status, reply);
  };
  call<api::RespondWorkflowTaskCompletedRequest, api::RespondWorkflowTaskCompletedResponse>(
      port_, &WorkflowService::RespondWorkflowTaskCompleted, std::move(request), std::move(done));
}

void WorkflowTasks::warn_of_unfinished(const Run& run) const {
  if (!options_.warn) return;
  for (const auto& id : run.unfinished_updates()) {
    options_.warn("workflow " + run.info().workflow_id + " of type " + run.info().type +
                  " returned while its handler was still at update " + id + ": whoever asked is told that it failed");
  }
}

/// Whatever the refusal, the run here is ahead of the history then: it is dropped, and rebuilt when the service asks
/// (D21).
void WorkflowTasks::completed(const std::string& run_id, TaskPtr task, const PortStatus& status,
                              api::RespondWorkflowTaskCompletedResponse* reply) {
  if (!status.ok()) {
    if (is_too_large(status)) {
      report_failure(*task, enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE, status.message);
    }
    return release(run_id, false);
  }
  Slot& slot = *slots_[run_id];
  if (!slot.run) return release(run_id, false);  // its local activities ended with the worker
  if (reply->reset_history_event_id() > 0) slot.run->rewind(reply->reset_history_event_id());
  const bool goes_on = reply->has_workflow_task() && !reply->workflow_task().task_token().empty();
  if (goes_on) {
    auto next = std::make_shared<Task>();
    next->Swap(reply->mutable_workflow_task());
    slot.waiting.push_front(std::move(next));
  }
  const bool local = goes_on && slot.run->waits_for_locals();
  release(run_id, (local || !sticky_queue_.empty()) && !slot.run->closed());
}

void WorkflowTasks::release(const std::string& run_id, bool keep) {
  Slot& slot = *slots_[run_id];
  slot.busy = false;
  --busy_;
  if (!keep) forget(slot);
  if (!slot.waiting.empty()) {
    auto next = std::move(slot.waiting.front());
    slot.waiting.pop_front();
    return process(slot, std::move(next));
  }
  if (keep) {
    slot.idle = idle_runs_.insert(idle_runs_.begin(), &slot);
    evict_beyond_limit();
  } else {
    erase(slot);
  }
  check_idle();
}

void WorkflowTasks::answer_query(Slot& slot, Task& task) {
  auto answer = slot.run->answer(task.query().query_type(), json_of(task.query().query_args()));
  if (!answer) {
    fail_query(task, answer.error().message);
  } else {
    auto request = std::make_shared<api::RespondQueryTaskCompletedRequest>();
    request->set_namespace_(options_.name_space);
    request->set_task_token(task.task_token());
    request->set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
    set_json(request->mutable_query_result(), std::move(*answer));
    auto kept = std::make_shared<Task>();  // shared with the callback
    kept->set_task_token(task.task_token());
    call<api::RespondQueryTaskCompletedRequest, api::RespondQueryTaskCompletedResponse>(
        port_, &WorkflowService::RespondQueryTaskCompleted, std::move(request),
        [weak = weak_from_this(), kept](const PortStatus& status, api::RespondQueryTaskCompletedResponse*) {
          auto self = weak.lock();
          if (self && is_too_large(status)) self->fail_query(*kept, "the answer is too large: " + status.message);
        });
  }
  release(slot.run_id, !sticky_queue_.empty() && !slot.run->closed());
}

void WorkflowTasks::fail_query(Task& task, const std::string& why) {
  auto request = std::make_shared<api::RespondQueryTaskCompletedRequest>();
  request->set_namespace_(options_.name_space);
  request->set_task_token(task.task_token());
  request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
  request->set_error_message(why);
  Failure failure;
  failure.type = "QueryFailed";
  failure.message = why;
  set_failure(request->mutable_failure(), failure);
  call<api::RespondQueryTaskCompletedRequest, api::RespondQueryTaskCompletedResponse>(
      port_, &WorkflowService::RespondQueryTaskCompleted, std::move(request), nullptr);
}

/// From the second attempt on nothing is reported: the service has no delay between reported failures (C14), so the
/// task is left to time out.
void WorkflowTasks::fail_task(Slot& slot, Task& task, const Error& error) {
  if (task.has_query()) {
    fail_query(task, error.message);
  } else if (task.attempt() <= 1) {
    report_failure(task, cause_of(error), error.message);
  }
  release(std::string(slot.run_id), false);
}

void WorkflowTasks::report_failure(const Task& task, int cause, const std::string& why) {
  auto request = std::make_shared<api::RespondWorkflowTaskFailedRequest>();
  request->set_namespace_(options_.name_space);
  request->set_identity(options_.identity);
  request->set_task_token(task.task_token());
  request->set_cause(static_cast<enums::WorkflowTaskFailedCause>(cause));
  Failure failure;
  failure.type =
      cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR ? "NondeterminismError" : "WorkflowTaskError";
  failure.message = why;
  set_failure(request->mutable_failure(), failure);
  call<api::RespondWorkflowTaskFailedRequest, api::RespondWorkflowTaskFailedResponse>(
      port_, &WorkflowService::RespondWorkflowTaskFailed, std::move(request), nullptr);
}

}  // namespace callimport::engine::worker
