// Task queues: what waits for a worker, which worker waits, and the hand-out (conformance A8, C16, C.3, C.4).
#include <algorithm>
#include <utility>

#include "engine/service/activities.h"
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/task_events.h"
#include "engine/service/workflow_tasks.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kStickyPollerGone = 10 * kNanosPerSecond;  // C16
constexpr std::int64_t kPollMargin = kNanosPerSecond;             // A8: answered so long before the deadline
constexpr std::int64_t kPollDeadlineMin = 2 * kNanosPerSecond;
constexpr int kReplyBatchesMax = 256;
constexpr std::size_t kIdBytesMax = 1000;  // C.16

}  // namespace

TaskQueue& Service::queue_of(const WaitingPoll& poll) {
  return (poll.activity ? poll.space->activity_queues : poll.space->workflow_queues)[poll.queue];
}

bool Service::sticky_alive(Namespace& space, const std::string& queue) {
  const auto it = space.workflow_queues.find(queue);
  if (it == space.workflow_queues.end()) return false;
  return next_poll(it->second) != nullptr || callers_now_ns() - it->second.last_poll_ns < kStickyPollerGone;
}

void Service::enqueue_workflow_task(OpenRun& run) {
  run.task_queued = true;
  run.task_stamp = next_id_++;
  run.task_on_sticky = run.task.sticky() && sticky_alive(*run.space, run.progress.sticky_queue());
  const std::string& name = run.task_on_sticky ? run.progress.sticky_queue() : run.facts.task_queue();
  TaskQueue& queue = run.space->workflow_queues[name];
  queue.tasks.push_back({TaskRef::Kind::kWorkflow, run.key, 0, run.task_stamp});
  if (run.task_on_sticky) arm(run);
  match(queue);
}

void Service::enqueue_activity(OpenRun& run, Activity& activity) {
  activity.queued = ticket_of(activity.state);
  TaskQueue& queue = run.space->activity_queues[activity.state.task_queue()];
  queue.tasks.push_back({TaskRef::Kind::kActivity, run.key, activity.state.scheduled_event_id(), activity.queued});
  match(queue);
}

WaitingPoll* Service::next_poll(TaskQueue& queue) {
  while (!queue.polls.empty()) {
    const auto it = polls_.find(queue.polls.front());
    if (it != polls_.end()) return &it->second;
    queue.polls.pop_front();  // expired or cancelled
  }
  return nullptr;
}

bool Service::is_valid(const TaskRef& task) {
  switch (task.kind) {
    case TaskRef::Kind::kQuery: {
      const auto it = queries_.find(static_cast<std::uint64_t>(task.id));
      return it != queries_.end() && !it->second.sent && it->second.queued == task.stamp;
    }
    case TaskRef::Kind::kWorkflow: {
      const auto it = open_.find(task.run);
      return it != open_.end() && it->second->task_stamp == task.stamp && !it->second->paused() &&
             it->second->task.state() == pb::WorkflowTask::SCHEDULED;
    }
    case TaskRef::Kind::kActivity: {
      const auto it = open_.find(task.run);
      if (it == open_.end()) return false;
      const auto activity = it->second->activities.find(task.id);
      return activity != it->second->activities.end() && may_begin(*it->second, activity->second.state) &&
             ticket_of(activity->second.state) == task.stamp;
    }
  }
  return false;
}

/// Hands out as long as there are both a task and a poll.
void Service::match(TaskQueue& queue) {
  if (starting_over_) return;
  while (!queue.tasks.empty()) {
    const TaskRef task = queue.tasks.front();
    if (!is_valid(task)) {
      queue.tasks.pop_front();
      continue;
    }
    WaitingPoll* waiting = next_poll(queue);
    if (waiting == nullptr) return;
    if (queue.rate && !within_rate(queue, *waiting)) return;
    queue.tasks.pop_front();
    queue.polls.pop_front();
    WaitingPoll poll = std::move(*waiting);
    polls_.erase(poll.id);
    poll_deadlines_.remove(poll.deadline_ns, poll.id);
    if (!hand_out(task, poll)) wait_for_task(std::move(poll));
  }
}

/// @return false: not now, the poll keeps waiting.
bool Service::hand_out(const TaskRef& task, WaitingPoll& poll) {
  switch (task.kind) {
    case TaskRef::Kind::kWorkflow: return hand_out_workflow_task(task, poll);
    case TaskRef::Kind::kActivity: return hand_out_activity(task, poll);
    case TaskRef::Kind::kQuery: return hand_out_query(task, poll);
  }
  return false;
}

bool Service::hand_out_workflow_task(const TaskRef& task, WaitingPoll& poll) {
  OpenRun& run = *open_.at(task.run);
  if (started_needs_history(run, poll.sticky)) {
    const std::uint64_t stamp = task.stamp;
    with_history(run, [this, stamp](OpenRun& loaded) {
      if (loaded.task_stamp != stamp || loaded.task.state() != pb::WorkflowTask::SCHEDULED) return;
      const std::string& name = loaded.task_on_sticky ? loaded.progress.sticky_queue() : loaded.facts.task_queue();
      TaskQueue& queue = loaded.space->workflow_queues[name];
      queue.tasks.push_front({TaskRef::Kind::kWorkflow, loaded.key, 0, stamp});
      match(queue);
    });
    return false;
  }
  Draft draft(run, clock_.now());
  start_task(draft, {poll.identity, new_uuid(), run.updates.size() + run.admitted.size()}, options_);
  run.task_queued = false;
  run.task_on_sticky = false;
  if (grow(run, std::move(draft))) return false;
  api::PollWorkflowTaskQueueResponse reply = workflow_task_reply(run, poll.sticky);
  send_updates(run.admitted, true, run.task.started_event_id(), reply.mutable_messages());
  answer(Call<api::PollWorkflowTaskQueueResponse>{poll.number, std::move(poll.workflow_reply)}, std::move(reply));
  return true;
}

bool Service::started_needs_history(const OpenRun& run, bool sticky) const {
  const std::int64_t from = sticky ? run.progress.previous_started_event_id() + 1 : 1;
  return !run.history.holds(from);
}

/// The reply for the task that was just started. @param sticky  only what the worker has not seen.
api::PollWorkflowTaskQueueResponse Service::workflow_task_reply(OpenRun& run, bool sticky) {
  api::PollWorkflowTaskQueueResponse out;
  pb::TaskToken token;
  token.set_kind(pb::TaskToken::WORKFLOW);
  token.set_name_space(run.facts.name_space());
  token.set_workflow_id(run.facts.workflow_id());
  token.set_run_id(run.facts.run_id());
  token.set_scheduled_event_id(run.task.scheduled_event_id());
  token.set_started_event_id(run.task.started_event_id());
  token.set_started_ns(run.task.started_ns());
  token.set_attempt(run.task.attempt());
  token.SerializeToString(out.mutable_task_token());
  out.mutable_workflow_execution()->set_workflow_id(run.facts.workflow_id());
  out.mutable_workflow_execution()->set_run_id(run.facts.run_id());
  out.mutable_workflow_type()->set_name(run.facts.type());
  out.set_previous_started_event_id(run.progress.previous_started_event_id());
  out.set_started_event_id(run.task.started_event_id());
  out.set_attempt(run.task.attempt());
  out.mutable_workflow_execution_task_queue()->set_name(run.facts.task_queue());
  out.mutable_workflow_execution_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  set_nanos(out.mutable_scheduled_time(), run.task.scheduled_ns());
  set_nanos(out.mutable_started_time(), run.task.started_ns());
  for (const std::uint64_t id : run.queries) {
    const auto query = queries_.find(id);
    if (query != queries_.end()) (*out.mutable_queries())[query->second.uuid] = query->second.query;
  }
  const std::int64_t from = sticky ? run.progress.previous_started_event_id() + 1 : 1;
  const std::int64_t end = run.history.next_event_id() - 1;
  const bool transient = run.task.attempt() > 1 || run.task.speculative();
  const auto& batches = run.history.batches();
  std::size_t at = run.history.find(from);
  const std::size_t stop = std::min(batches.size(), at + kReplyBatchesMax);
  for (; at < stop; ++at) add_events(batches[at], from, end, out.mutable_history());
  if (at < batches.size()) {
    pb::HistoryToken page;
    page.set_run_id(run.facts.run_id());
    page.set_next_event_id(batches[at].first_event_id());
    page.set_end_event_id(end);
    if (transient) *page.mutable_transient() = run.task;
    page.SerializeToString(out.mutable_next_page_token());
  } else if (transient) {
    add_unwritten_events(run.facts, run.task, out.mutable_history());
  }
  return out;
}

bool Service::hand_out_activity(const TaskRef& task, WaitingPoll& poll) {
  OpenRun& run = *open_.at(task.run);
  Draft draft(run, clock_.now());
  start_activity(draft, task.id, {poll.identity, new_uuid()});
  if (grow(run, std::move(draft))) return false;
  answer(Call<api::PollActivityTaskQueueResponse>{poll.number, std::move(poll.activity_reply)},
         activity_task_reply(run, run.activities.at(task.id)));
  return true;
}

api::PollActivityTaskQueueResponse Service::activity_task_reply(const OpenRun& run, const Activity& activity) const {
  const pb::ActivityState& state = activity.state;
  HistoryEvent event;
  ENSURE(event.ParseFromString(activity.scheduled_event));
  auto& scheduled = *event.mutable_activity_task_scheduled_event_attributes();
  api::PollActivityTaskQueueResponse out;
  pb::TaskToken token;
  token.set_kind(pb::TaskToken::ACTIVITY);
  token.set_name_space(run.facts.name_space());
  token.set_workflow_id(run.facts.workflow_id());
  token.set_run_id(run.facts.run_id());
  token.set_scheduled_event_id(state.scheduled_event_id());
  token.set_started_ns(state.started_ns());
  token.set_attempt(state.attempt());
  token.SerializeToString(out.mutable_task_token());
  out.set_workflow_namespace(run.facts.name_space());
  out.mutable_workflow_type()->set_name(run.facts.type());
  out.mutable_workflow_execution()->set_workflow_id(run.facts.workflow_id());
  out.mutable_workflow_execution()->set_run_id(run.facts.run_id());
  out.mutable_activity_type()->Swap(scheduled.mutable_activity_type());
  out.set_activity_id(state.activity_id());
  if (scheduled.has_header()) out.mutable_header()->Swap(scheduled.mutable_header());
  if (scheduled.has_input()) out.mutable_input()->Swap(scheduled.mutable_input());
  if (state.has_heartbeat_details()) *out.mutable_heartbeat_details() = state.heartbeat_details();
  *out.mutable_scheduled_time() = event.event_time();
  set_nanos(out.mutable_current_attempt_scheduled_time(), state.attempt_scheduled_ns());
  set_nanos(out.mutable_started_time(), state.started_ns());
  out.set_attempt(state.attempt());
  set_nanos(out.mutable_schedule_to_close_timeout(), state.schedule_to_close_ns());
  set_nanos(out.mutable_start_to_close_timeout(), state.start_to_close_ns());
  set_nanos(out.mutable_heartbeat_timeout(), state.heartbeat_ns());
  if (scheduled.has_retry_policy()) out.mutable_retry_policy()->Swap(scheduled.mutable_retry_policy());
  if (scheduled.has_priority()) out.mutable_priority()->Swap(scheduled.mutable_priority());
  return out;
}

void Service::wait_for_task(WaitingPoll poll) {
  const std::uint64_t id = poll.id;
  TaskQueue& queue = queue_of(poll);
  (void)next_poll(queue);  // drops stale ones in front
  queue.polls.push_back(id);
  poll_deadlines_.set(poll.deadline_ns, id);
  polls_.emplace(id, std::move(poll));
}

/// A8: no task is an empty message, not an error.
void Service::poll_expired(std::uint64_t id) {
  const auto it = polls_.find(id);
  if (it == polls_.end()) return;
  WaitingPoll poll = std::move(it->second);
  polls_.erase(it);
  if (poll.activity) {
    answer(Call<api::PollActivityTaskQueueResponse>{poll.number, std::move(poll.activity_reply)}, {});
  } else {
    answer(Call<api::PollWorkflowTaskQueueResponse>{poll.number, std::move(poll.workflow_reply)}, {});
  }
}

std::optional<PortStatus> Service::check_poll(const CallContext& context, const std::string& queue,
                                              const std::string& identity) const {
  if (!context.deadline) return errors::invalid("Context timeout is not set.");
  if (to_unix_ns(*context.deadline) - callers_now_ns() < kPollDeadlineMin) {
    return errors::plain(errors::kFailedPrecondition, "Context timeout is too short.");
  }
  if (queue.empty()) return errors::invalid("taskQueue is not set");
  if (queue.size() > kIdBytesMax) return errors::invalid("taskQueue length exceeds limit");
  if (queue.starts_with("/_sys/")) return errors::invalid("task queue name cannot start with reserved prefix /_sys/");
  if (identity.size() > kIdBytesMax) return errors::invalid("Identity length exceeds limit.");
  return std::nullopt;
}

std::int64_t Service::poll_deadline(const CallContext& context) const {
  const std::int64_t longest = std::chrono::duration_cast<Nanos>(options_.long_poll).count();
  return std::min(to_unix_ns(*context.deadline), callers_now_ns() + longest) - kPollMargin;
}

/// @param fill  sets what only one kind of poll has, the reply among it. @return tasks a second it asks for; 0: any.
template <class Request, class Response, class Fill>
void Service::take_poll(const Request& request, CallContext context, Reply<Response> reply, Fill fill) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_poll(context, request.task_queue().name(), request.identity())) {
    return refuse(std::move(call), std::move(*wrong));
  }
  WaitingPoll poll;
  poll.id = next_id_++;
  poll.number = call.number;
  poll.space = &space(request.namespace_());
  poll.queue = request.task_queue().name();
  poll.identity = request.identity();
  poll.deadline_ns = poll_deadline(context);
  const double rate = fill(poll, std::move(call.reply));
  TaskQueue& queue = queue_of(poll);
  note_poller(queue, poll.identity, rate);
  if (rate > 0) queue.worker_rate = rate;
  if (poll.activity) set_rate(*poll.space, poll.queue, queue);
  wait_for_task(std::move(poll));
  match(queue);
}

void Service::PollWorkflowTaskQueue(const api::PollWorkflowTaskQueueRequest& request, CallContext context,
                                    Reply<api::PollWorkflowTaskQueueResponse> reply) {
  take_poll(request, context, std::move(reply), [&request](WaitingPoll& poll, auto answer) {
    poll.sticky = request.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY;
    poll.workflow_reply = std::move(answer);
    return 0.0;
  });
}

void Service::PollActivityTaskQueue(const api::PollActivityTaskQueueRequest& request, CallContext context,
                                    Reply<api::PollActivityTaskQueueResponse> reply) {
  take_poll(request, context, std::move(reply), [&request](WaitingPoll& poll, auto answer) {
    poll.activity = true;
    poll.activity_reply = std::move(answer);
    return request.task_queue_metadata().max_tasks_per_second().value();
  });
}

void Service::ShutdownWorker(const api::ShutdownWorkerRequest& request, CallContext context,
                             Reply<api::ShutdownWorkerResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (request.has_worker_heartbeat()) note_worker(space(request.namespace_()), request.worker_heartbeat());
  auto& queues = space(request.namespace_()).workflow_queues;
  const auto it = queues.find(request.sticky_task_queue());
  if (it != queues.end()) it->second.last_poll_ns = 0;  // tasks go to the normal queue from now on
  answer(std::move(call), api::ShutdownWorkerResponse());
}

}  // namespace callimport::engine
