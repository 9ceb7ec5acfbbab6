// QueryWorkflow and RespondQueryTaskCompleted (conformance C.7). Queries live in memory only: nothing of them is
// history.
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kAttachedQueriesMax = 1;
constexpr const char* kBlobTooLarge = "Blob data size exceeds limit.";
constexpr int kFailedAttempts = 3;
constexpr std::int64_t kQueryTimeout = 30 * kNanosPerSecond;  // where the caller gave no deadline
constexpr const char* kTimedOut = "query timed out before a worker could process it";

bool rejected(enums::QueryRejectCondition condition, int status) {
  if (condition == enums::QUERY_REJECT_CONDITION_NOT_OPEN) return status != enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  if (condition != enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY) return false;
  return status != enums::WORKFLOW_EXECUTION_STATUS_RUNNING && status != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
}

}  // namespace

void Service::QueryWorkflow(const api::QueryWorkflowRequest& request, CallContext context,
                            Reply<api::QueryWorkflowResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_execution()) return refuse(std::move(call), errors::execution_not_set());
  if (!request.has_query()) return refuse(std::move(call), errors::invalid("WorkflowQuery is not set on request."));
  if (request.query().query_type().empty()) {
    return refuse(std::move(call), errors::invalid("QueryType is not set on request."));
  }
  if (request.query().query_args().ByteSizeLong() > options_.blob_bytes_max) {
    return refuse(std::move(call), errors::invalid(kBlobTooLarge));
  }
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const pb::RunSummary summary = summary_of(found);
  const auto& progress = summary.progress();
  if (rejected(request.query_reject_condition(), progress.status())) {
    api::QueryWorkflowResponse out;
    out.mutable_query_rejected()->set_status(static_cast<enums::WorkflowExecutionStatus>(progress.status()));
    return answer(std::move(call), std::move(out));
  }
  const std::int64_t deadline = context.deadline ? to_unix_ns(*context.deadline) : callers_now_ns() + kQueryTimeout;
  const bool completed_one = progress.previous_started_event_id() != 0;
  if (found.open == nullptr && !completed_one) {
    return refuse(std::move(call), errors::not_ready("Workflow execution closed before WorkflowTaskStarted event"));
  }
  if (found.open != nullptr) {
    const OpenRun& run = *found.open;
    if (run.paused()) {
      return refuse(std::move(call),
                    errors::plain(errors::kFailedPrecondition, "Workflow is paused. Cannot query the workflow."));
    }
    if (run.task.attempt() >= kFailedAttempts) {
      return refuse(std::move(call),
                    errors::not_ready("Unable to query workflow due to Workflow Task in failed state."));
    }
    const bool idle = run.task.state() == pb::WorkflowTask::NONE;
    if (idle && !completed_one && run.progress.backoff_until_ns() > deadline) {
      return refuse(std::move(call), errors::not_ready("Workflow task is not scheduled yet."));
    }
    if ((!idle || !completed_one) && run.queries.size() >= kAttachedQueriesMax) {
      return refuse(
          std::move(call),
          errors::busy_workflow("consistent query buffer is full, this may be caused by too many queries and workflow "
                                "not able to process query fast enough"));
    }
  }
  const std::uint64_t id = next_id_++;
  PendingQuery& query = queries_[id];
  query.id = id;
  query.uuid = new_uuid();
  query.run = found.open != nullptr ? found.open->key : found.closed->key;
  query.call = std::move(call);
  query.query = request.query();
  query.deadline_ns = deadline;
  queries_by_uuid_[query.uuid] = id;
  query_deadlines_.set(deadline, id);
  const bool attach = found.open != nullptr && (found.open->task.state() != pb::WorkflowTask::NONE || !completed_one);
  if (attach) {
    found.open->queries.push_back(id);
  } else {
    queue_query(query);
  }
}

/// Direct: to the sticky worker first, else to anybody with the whole history.
void Service::queue_query(PendingQuery& query) {
  const Found found = find(query.run);
  if (!found) return refuse_query(query.id, errors::not_found("workflow execution not found"));
  query.queued = next_id_++;
  query.sticky_until_ns = 0;
  std::string name;
  Namespace& space = *found.space();
  if (found.open != nullptr) {
    const auto& progress = found.open->progress;
    name = found.open->facts.task_queue();
    if (!progress.sticky_queue().empty() && sticky_alive(space, progress.sticky_queue())) {
      name = progress.sticky_queue();
      query.sticky_until_ns = add_nanos(callers_now_ns(), progress.sticky_timeout_ns());
      query_deadlines_.set(query.sticky_until_ns, query.id);
    }
  } else {
    name = summary_of(found).facts().task_queue();
  }
  TaskQueue& queue = space.workflow_queues[name];
  queue.tasks.push_back({TaskRef::Kind::kQuery, query.run, static_cast<std::int64_t>(query.id), query.queued});
  match(queue);
}

bool Service::hand_out_query(const TaskRef& task, WaitingPoll& poll) {
  PendingQuery& query = queries_.at(static_cast<std::uint64_t>(task.id));
  const Found found = find(query.run);
  if (!found) {
    refuse_query(query.id, errors::not_found("workflow execution not found"));
    return false;
  }
  query.sent = true;
  const std::uint64_t id = query.id;
  auto call = std::make_shared<Call<api::PollWorkflowTaskQueueResponse>>(  // shared: rides in copyable callbacks
      Call<api::PollWorkflowTaskQueueResponse>{poll.number, std::move(poll.workflow_reply)});
  const auto send = [this, id, call](const pb::RunSummary& summary, const HistoryBatches* whole) {
    send_query(id, std::move(*call), summary, whole);
  };
  if (found.open != nullptr && poll.sticky) {
    send(to_summary(*found.open), nullptr);
  } else if (found.open != nullptr) {
    with_history(*found.open, [send](OpenRun& run) { send(to_summary(run), &run.history); });
  } else {
    with_closed_history(*found.closed,
                        [send](const pb::RunSummary& summary, const HistoryBatches& whole) { send(summary, &whole); });
  }
  return true;
}

/// @param whole  null: the worker has the history.
void Service::send_query(std::uint64_t id, Call<api::PollWorkflowTaskQueueResponse> call, const pb::RunSummary& summary,
                         const HistoryBatches* whole) {
  const auto it = queries_.find(id);
  if (it == queries_.end())
    return answer(std::move(call), api::PollWorkflowTaskQueueResponse());  // nobody waits any more
  api::PollWorkflowTaskQueueResponse out;
  const auto& facts = summary.facts();
  pb::TaskToken token;
  token.set_kind(pb::TaskToken::QUERY);
  token.set_name_space(facts.name_space());
  token.set_workflow_id(facts.workflow_id());
  token.set_query_id(it->second.uuid);
  token.SerializeToString(out.mutable_task_token());
  out.mutable_workflow_execution()->set_workflow_id(facts.workflow_id());
  out.mutable_workflow_execution()->set_run_id(facts.run_id());
  out.mutable_workflow_type()->set_name(facts.type());
  out.set_previous_started_event_id(summary.progress().previous_started_event_id());
  out.set_attempt(1);
  out.mutable_workflow_execution_task_queue()->set_name(facts.task_queue());
  out.mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  *out.mutable_query() = it->second.query;
  History* history = out.mutable_history();  // set, though empty, for a sticky worker
  if (whole != nullptr) {
    for (const auto& batch : whole->batches()) add_events(batch, 1, whole->next_event_id(), history);
  }
  answer(std::move(call), std::move(out));
}

void Service::RespondQueryTaskCompleted(const api::RespondQueryTaskCompletedRequest& request, CallContext context,
                                        Reply<api::RespondQueryTaskCompletedResponse> reply) {
  auto call = enter(context, std::move(reply));
  pb::TaskToken token;
  token.set_name_space(request.namespace_());
  if (auto wrong = parse_token(request.task_token(), pb::TaskToken::QUERY, &token)) {
    return refuse(std::move(call), std::move(*wrong));
  }
  const auto it = queries_by_uuid_.find(token.query_id());
  if (it == queries_by_uuid_.end()) {
    return refuse(std::move(call), errors::not_found("query task not found, or already expired"));
  }
  temporal::api::query::v1::WorkflowQueryResult result;
  result.set_result_type(request.completed_type());
  if (request.has_query_result()) *result.mutable_answer() = request.query_result();
  result.set_error_message(request.error_message());
  if (request.has_failure()) *result.mutable_failure() = request.failure();
  if (request.query_result().ByteSizeLong() > options_.blob_bytes_max) {
    result.Clear();
    result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
    result.set_error_message(kBlobTooLarge);
  }
  answer_query(it->second, result);
  answer(std::move(call), api::RespondQueryTaskCompletedResponse());
}

void Service::answer_query(std::uint64_t id, const temporal::api::query::v1::WorkflowQueryResult& result) {
  if (result.result_type() == enums::QUERY_RESULT_TYPE_FAILED) {
    return refuse_query(
        id, errors::query_failed(result.error_message(), result.has_failure() ? &result.failure() : nullptr));
  }
  const auto it = queries_.find(id);
  api::QueryWorkflowResponse out;
  if (result.has_answer()) *out.mutable_query_result() = result.answer();
  answer(std::move(it->second.call), std::move(out));
  forget_query(it->second);
}

void Service::refuse_query(std::uint64_t id, PortStatus status) {
  const auto it = queries_.find(id);
  if (it == queries_.end()) return;
  refuse(std::move(it->second.call), std::move(status));
  forget_query(it->second);
}

void Service::forget_query(const PendingQuery& query) {
  if (const auto run = open_.find(query.run); run != open_.end()) std::erase(run->second->queries, query.id);
  query_deadlines_.remove(query.deadline_ns, query.id);
  if (query.sticky_until_ns != 0) query_deadlines_.remove(query.sticky_until_ns, query.id);
  queries_by_uuid_.erase(query.uuid);
  queries_.erase(query.id);
}

void Service::query_due(std::uint64_t id) {
  const auto it = queries_.find(id);
  if (it == queries_.end()) return;
  PendingQuery& query = it->second;
  if (query.deadline_ns <= callers_now_ns())
    return refuse_query(id, errors::plain(errors::kDeadlineExceeded, kTimedOut));
  if (query.sent || query.sticky_until_ns == 0) return;
  // The sticky worker did not come: anybody may answer, and the run leaves sticky mode.
  if (const auto run = open_.find(query.run); run != open_.end() && !starting_over_) {
    Draft draft(*run->second, clock_.now());
    draft.edit_progress().clear_sticky_queue();
    commit(*run->second, std::move(draft));
  }
  queue_query(query);
}

/// The task they were attached to was completed: answered ones are answered, the rest are asked directly.
void Service::settle_queries(
    std::vector<std::uint64_t> asked,
    const google::protobuf::Map<std::string, temporal::api::query::v1::WorkflowQueryResult>& results) {
  for (const std::uint64_t id : asked) {
    const auto query = queries_.find(id);
    if (query == queries_.end()) continue;
    const auto result = results.find(query->second.uuid);
    if (result != results.end() && result->second.answer().ByteSizeLong() > options_.blob_bytes_max) {
      refuse_query(id, errors::invalid(kBlobTooLarge));
    } else if (result != results.end()) {
      answer_query(id, result->second);
    } else {
      queue_query(query->second);
    }
  }
}

/// The run closed under its queries.
void Service::release_queries(OpenRun& run) {
  const bool completed_one = run.progress.previous_started_event_id() != 0;
  for (const std::uint64_t id : std::exchange(run.queries, {})) {
    const auto query = queries_.find(id);
    if (query == queries_.end()) continue;
    if (completed_one) {
      queue_query(query->second);
    } else {
      refuse_query(id, errors::not_ready("Workflow execution closed before WorkflowTaskStarted event"));
    }
  }
}

}  // namespace callimport::engine
