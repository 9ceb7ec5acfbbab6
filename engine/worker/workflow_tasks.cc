#include "engine/worker/workflow_tasks.h"

#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <algorithm>
#include <utility>

#include "engine/worker/payloads.h"
#include "engine/worker/task_waits.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

std::vector<Run::Query> queries_of(const api::PollWorkflowTaskQueueResponse& task) {
  std::vector<Run::Query> queries;
  const auto add = [&queries](const auto& query) {
    queries.push_back({query.query_type(), json_of(query.query_args())});
  };
  if (task.has_query()) add(task.query());
  for (const auto& [key, query] : task.queries()) add(query);
  return queries;
}

}  // namespace

WorkflowTasks::WorkflowTasks(const Port& port, const WorkerOptions& options, std::uint64_t first_call)
    : port_(port),
      options_(options),
      normal_polls_{PollCount(options.workflow_polls, options.polls_max)},
      sticky_polls_{PollCount(options.workflow_polls, options.polls_max)},
      next_call_(first_call),
      refusals_(options.refused) {
  if (options_.cached_runs_max > 0) sticky_queue_ = options_.identity + "-" + port_.random.uuid4();
}

WorkflowTasks::~WorkflowTasks() {
  for (const auto number : polls_) port_.service.cancel(number);
}

void WorkflowTasks::start(bool sdk_metadata) {
  sdk_metadata_ = sdk_metadata;
  poll_more(false);
  if (!sticky_queue_.empty()) poll_more(true);
}

void WorkflowTasks::stop(std::function<void()> idle) {
  stopping_ = true;
  *locals_stop_ = true;
  idle_ = std::move(idle);
  for (const auto number : std::exchange(polls_, {})) port_.service.cancel(number);
  check_idle();
}

void WorkflowTasks::check_idle() {
  if (stopping_ && busy_ == 0 && idle_) std::exchange(idle_, nullptr)();
}

void WorkflowTasks::poll_more(bool sticky) {
  auto& polls = sticky ? sticky_polls_ : normal_polls_;
  while (!stopping_ && polls.open < polls.count.wanted()) {
    ++polls.open;
    poll(sticky);
  }
}

void WorkflowTasks::poll(bool sticky) {
  api::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(options_.name_space);
  request.set_identity(options_.identity);
  auto* queue = request.mutable_task_queue();
  if (sticky) {
    queue->set_name(sticky_queue_);
    queue->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    queue->set_normal_name(options_.task_queue);
  } else {
    queue->set_name(options_.task_queue);
    queue->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  }
  const std::uint64_t number = next_call_++;
  polls_.insert(number);
  CallContext context{number, port_.clock.now() + kPollDeadline};
  port_.service.PollWorkflowTaskQueue(request, context,
                                      [weak = weak_from_this(), sticky, number](const PortStatus& status, Task* reply) {
                                        if (auto self = weak.lock()) self->polled(sticky, number, status, reply);
                                      });
}

void WorkflowTasks::polled(bool sticky, std::uint64_t number, const PortStatus& status, Task* reply) {
  auto& polls = sticky ? sticky_polls_ : normal_polls_;
  polls_.erase(number);
  refusals_.note(status, port_.clock.now());
  if (!status.ok() && status.code != grpc_code::kDeadlineExceeded) {
    // Whatever it is, the worker's place is at the queue: it comes back, ever more slowly (A9).
    const Backoff backoff{
        .initial = std::chrono::milliseconds{200}, .coefficient = 2, .maximum = std::chrono::seconds{10}};
    const Nanos wait = delay_after(backoff, status, std::min(++poll_failures_, 16), port_.random);
    port_.clock.at(port_.clock.now() + wait, [weak = weak_from_this(), sticky] {
      auto self = weak.lock();
      if (!self) return;
      --(sticky ? self->sticky_polls_ : self->normal_polls_).open;
      self->poll_more(sticky);
    });
    return;
  }
  poll_failures_ = 0;
  --polls.open;
  const bool task_came = status.ok() && !reply->task_token().empty();
  if (task_came) {
    polls.count.brought_task();
  } else {
    polls.count.came_empty();
  }
  poll_more(sticky);
  if (!task_came) return;
  const Nanos waited = time_of(reply->started_time()) - time_of(reply->scheduled_time());
  if (reply->scheduled_time().seconds() > 0) count_task_wait("workflow", options_.task_queue, waited);
  auto task = std::make_shared<Task>();
  task->Swap(reply);
  accept(std::move(task));
}

WorkflowTasks::Slot& WorkflowTasks::slot_of(const std::string& run_id) {
  auto& slot = slots_[run_id];
  if (!slot) {
    slot = std::make_unique<Slot>();
    slot->run_id = run_id;
  }
  return *slot;
}

void WorkflowTasks::begin_work(Slot& slot) {
  slot.busy = true;
  ++busy_;
  if (slot.idle) idle_runs_.erase(*std::exchange(slot.idle, std::nullopt));
  evict_beyond_limit();
}

/// Least recently used first; runs being worked on stay, even beyond the limit.
void WorkflowTasks::evict_beyond_limit() {
  const auto limit = static_cast<std::size_t>(std::max(options_.cached_runs_max, 1));
  while (slots_.size() > limit && !idle_runs_.empty()) {
    ++evictions;
    erase(*idle_runs_.back());
  }
}

void WorkflowTasks::erase(Slot& slot) {
  if (slot.idle) idle_runs_.erase(*slot.idle);
  slots_.erase(std::string(slot.run_id));
}

void WorkflowTasks::accept(TaskPtr task) {
  Slot& slot = slot_of(task->workflow_execution().run_id());
  if (slot.busy) {
    slot.waiting.push_back(std::move(task));
  } else {
    process(slot, std::move(task));
  }
}

/// B2, B4: what came fits on what we hold, or begins at the beginning, and nothing is missing at its end.
bool WorkflowTasks::history_is_complete(const Slot& slot, const Task& task) const {
  if (!task.next_page_token().empty()) return false;
  const auto& events = task.history().events();
  const bool whole = !events.empty() && events[0].event_id() == 1;
  if (slot.run == nullptr) return whole;
  return events.empty() || events[0].event_id() <= slot.run->next_event_id();
}

void WorkflowTasks::process(Slot& slot, TaskPtr task) {
  begin_work(slot);
  // Another worker may have gone on with the run since, or its last task was dropped: what we hold is of no use then.
  if (slot.run && slot.run->last_started_id() != task->previous_started_event_id()) forget(slot);
  if (history_is_complete(slot, *task)) return execute(slot, std::move(task));

  auto events = std::make_shared<Events>();  // shared by the callbacks of the fetch
  const auto& held = task->history().events();
  const std::int64_t due = slot.run ? slot.run->next_event_id() : 1;
  const bool continues = !task->next_page_token().empty() && !held.empty() && held[0].event_id() <= due;
  if (continues) {
    events->Swap(task->mutable_history()->mutable_events());
    std::string token = task->next_page_token();
    return fetch(slot.run_id, std::move(task), std::move(events), std::move(token));
  }
  forget(slot);
  fetch(slot.run_id, std::move(task), std::move(events), {});
}

void WorkflowTasks::fetch(const std::string& run_id, TaskPtr task, std::shared_ptr<Events> events,
                          std::string page_token) {
  auto request = std::make_shared<api::GetWorkflowExecutionHistoryRequest>();
  request->set_namespace_(options_.name_space);
  *request->mutable_execution() = task->workflow_execution();
  request->set_next_page_token(std::move(page_token));
  auto done = [weak = weak_from_this(), run_id, task, events](const PortStatus& status,
                                                              api::GetWorkflowExecutionHistoryResponse* reply) {
    auto self = weak.lock();
    if (!self) return;
    if (!status.ok()) {  // the task is left to time out; the service hands it out again
      if (task->has_query()) self->fail_query(*task, "the history could not be read: " + status.message);
      return self->release(run_id, false);
    }
    auto* page = reply->mutable_history()->mutable_events();
    for (auto& event : *page) events->Add(std::move(event));
    if (!reply->next_page_token().empty()) return self->fetch(run_id, task, events, reply->next_page_token());
    self->fetched(run_id, task, events);
  };
  call<api::GetWorkflowExecutionHistoryRequest, api::GetWorkflowExecutionHistoryResponse>(
      port_, &WorkflowService::GetWorkflowExecutionHistory, std::move(request), std::move(done));
}

/// Reads leave out the events of an attempt that is not yet stored (C34): those came with the task. What happened after
/// this task was started belongs to a later one.
void WorkflowTasks::fetched(const std::string& run_id, TaskPtr task, std::shared_ptr<Events> events) {
  const std::int64_t last = events->empty() ? 0 : events->rbegin()->event_id();
  for (auto& event : *task->mutable_history()->mutable_events()) {
    if (event.event_id() > last) events->Add(std::move(event));
  }
  const std::int64_t end = task->started_event_id();
  while (end > 0 && !events->empty() && events->rbegin()->event_id() > end) events->RemoveLast();
  task->mutable_history()->mutable_events()->Swap(events.get());
  execute(*slots_[run_id], std::move(task));
}

Result<> WorkflowTasks::drive(Slot& slot, Task& task) {
  const auto& events = task.history().events();
  const bool query_only = task.has_query();
  if (!query_only && (events.empty() || events.rbegin()->event_id() != task.started_event_id())) {
    return fail(Code::kCorrupt, "premature end of stream: the history does not reach event " +
                                    std::to_string(task.started_event_id()));  // B3
  }
  if (slot.run == nullptr) {
    const auto function = functions_.find(task.workflow_type().name());
    if (function == functions_.end()) {
      return fail(Code::kInvalid, "workflow type " + task.workflow_type().name() + " is not registered on this worker");
    }
    slot.run = std::make_unique<Run>(function->second, options_.name_space, task.workflow_execution().workflow_id(),
                                     task.workflow_execution().run_id());
    if (task.previous_started_event_id() > 0) ++replays;
  }
  slot.run->expect_queries(queries_of(task));
  return slot.run->apply(events, query_only ? Delivery::Query : Delivery::Task, task.messages());
}

void WorkflowTasks::execute(Slot& slot, TaskPtr task) {
  ++tasks;
  const auto driven = drive(slot, *task);
  if (!driven) return fail_task(slot, *task, driven.error());
  if (task->has_query()) return answer_query(slot, *task);
  go_on(slot, std::move(task));
}

}  // namespace callimport::engine::worker
