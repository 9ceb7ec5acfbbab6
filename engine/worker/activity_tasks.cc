#include "engine/worker/activity_tasks.h"

#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <algorithm>
#include <utility>

#include "engine/worker/attempt.h"
#include "engine/worker/payloads.h"
#include "engine/worker/task_waits.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

Nanos heartbeat_interval(Nanos heartbeat_timeout) {
  if (heartbeat_timeout <= Nanos{0}) return kHeartbeatEvery;
  return std::min(heartbeat_timeout * 8 / 10, kHeartbeatEveryMax);
}

ActivityAttempt::ActivityAttempt(const Port& port, const WorkerOptions& options,
                                 const api::PollActivityTaskQueueResponse& task)
    : port_(port), name_space_(options.name_space), identity_(options.identity), token_(task.task_token()) {
  info_.name_space = options.name_space;
  info_.workflow_id = task.workflow_execution().workflow_id();
  info_.run_id = task.workflow_execution().run_id();
  info_.workflow_type = task.workflow_type().name();
  info_.activity_id = task.activity_id();
  info_.activity_type = task.activity_type().name();
  info_.task_queue = options.task_queue;
  info_.attempt = std::max(1, task.attempt());
  info_.scheduled = time_of(task.scheduled_time());
  info_.started = time_of(task.started_time());
  const Nanos limit = duration_of(task.start_to_close_timeout());
  if (limit > Nanos{0}) info_.deadline = info_.started + limit;
  info_.heartbeat_details = json_of(task.heartbeat_details());
  interval_ = heartbeat_interval(duration_of(task.heartbeat_timeout()));
}

void ActivityAttempt::heartbeat(std::string details) {
  if (finished_ || !*port_.alive) return;
  newest_ = std::move(details);
  newest_due_ = true;
  if (throttle_ == 0) send_heartbeat();
}

void ActivityAttempt::send_heartbeat() {
  auto request = std::make_shared<api::RecordActivityTaskHeartbeatRequest>();
  request->set_namespace_(name_space_);
  request->set_identity(identity_);
  request->set_task_token(token_);
  if (!newest_.empty()) set_json(request->mutable_details(), std::exchange(newest_, {}));
  newest_due_ = false;
  throttle_ = port_.clock.at(port_.clock.now() + interval_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || !*self->port_.alive) return;
    self->throttle_ = 0;
    if (self->newest_due_ && !self->finished_) self->send_heartbeat();
  });
  auto done = [weak = weak_from_this()](const PortStatus& status, api::RecordActivityTaskHeartbeatResponse* reply) {
    if (auto self = weak.lock()) self->heartbeat_answered(status, reply);
  };
  call<api::RecordActivityTaskHeartbeatRequest, api::RecordActivityTaskHeartbeatResponse>(
      port_, &WorkflowService::RecordActivityTaskHeartbeat, std::move(request), std::move(done));
}

void ActivityAttempt::heartbeat_answered(const PortStatus& status,
                                         const api::RecordActivityTaskHeartbeatResponse* reply) {
  if (status.code == grpc_code::kNotFound) gone_ = true;
  if (!status.ok()) return;
  cancel_requested_ = cancel_requested_ || reply->cancel_requested();
  put_off_ = put_off_ || reply->activity_paused() || reply->activity_reset();  // C28
}

void ActivityAttempt::finish(ActivityResult result, std::function<void()> done) {
  finished_ = true;
  if (!*port_.alive) return;
  if (throttle_ != 0) port_.clock.cancel(std::exchange(throttle_, 0));
  if (!result) {
    if (!result.error().cancelled) return respond_failed(std::move(result.error()), std::move(done));
    if (cancel_requested_ || gone_) return respond_cancelled(std::move(result.error().details), std::move(done));
    // Nobody asked the service to cancel: another attempt may succeed, elsewhere or later.
    ActivityError error{.type = "WorkerStopped", .message = "the worker stopped while the activity ran"};
    if (put_off_) error = {.type = "PutOff", .message = "the activity was paused or reset while it ran"};
    return respond_failed(std::move(error), std::move(done));
  }
  auto request = std::make_shared<api::RespondActivityTaskCompletedRequest>();
  request->set_namespace_(name_space_);
  request->set_identity(identity_);
  request->set_task_token(token_);
  if (!result->empty()) set_json(request->mutable_result(), std::move(*result));
  call<api::RespondActivityTaskCompletedRequest, api::RespondActivityTaskCompletedResponse>(
      port_, &WorkflowService::RespondActivityTaskCompleted, std::move(request),
      [self = shared_from_this(), done = std::move(done)](const PortStatus& status,
                                                          api::RespondActivityTaskCompletedResponse*) {
        if (!is_too_large(status)) return done();
        ActivityError error{.type = "ResultTooLarge", .message = status.message, .non_retryable = true};
        self->respond_failed(std::move(error), done);  // left to time out, it would run again for the same result
      });
}

void ActivityAttempt::respond_failed(ActivityError error, std::function<void()> done) {
  auto request = std::make_shared<api::RespondActivityTaskFailedRequest>();
  request->set_namespace_(name_space_);
  request->set_identity(identity_);
  request->set_task_token(token_);
  set_failure(request->mutable_failure(), std::move(error));
  if (newest_due_ && !newest_.empty()) set_json(request->mutable_last_heartbeat_details(), std::move(newest_));
  call<api::RespondActivityTaskFailedRequest, api::RespondActivityTaskFailedResponse>(
      port_, &WorkflowService::RespondActivityTaskFailed, std::move(request),
      [done = std::move(done)](const PortStatus&, api::RespondActivityTaskFailedResponse*) { done(); });
}

void ActivityAttempt::respond_cancelled(std::string details, std::function<void()> done) {
  auto request = std::make_shared<api::RespondActivityTaskCanceledRequest>();
  request->set_namespace_(name_space_);
  request->set_identity(identity_);
  request->set_task_token(token_);
  if (!details.empty()) set_json(request->mutable_details(), std::move(details));
  call<api::RespondActivityTaskCanceledRequest, api::RespondActivityTaskCanceledResponse>(
      port_, &WorkflowService::RespondActivityTaskCanceled, std::move(request),
      [done = std::move(done)](const PortStatus&, api::RespondActivityTaskCanceledResponse*) { done(); });
}

ActivityTasks::ActivityTasks(const Port& port, const WorkerOptions& options, std::uint64_t first_call)
    : port_(port),
      options_(options),
      next_call_(first_call),
      refusals_(options.refused),
      poll_count_(options.activity_polls, options.polls_max) {}

ActivityTasks::~ActivityTasks() {
  for (const auto number : polls_) port_.service.cancel(number);
}

void ActivityTasks::start() {
  started_ = true;
  poll_more();
}

void ActivityTasks::stop(std::function<void()> idle) {
  stopping_ = true;
  idle_ = std::move(idle);
  for (const auto number : std::exchange(polls_, {})) port_.service.cancel(number);
  for (const auto& attempt : running_) attempt->worker_stops();
  check_idle();
}

void ActivityTasks::check_idle() {
  if (stopping_ && running_.empty() && idle_) std::exchange(idle_, nullptr)();
}

/// A poll may bring a task, so it counts as one.
void ActivityTasks::poll_more() {
  if (!started_ || stopping_) return;
  const auto under_way = [this] { return static_cast<int>(polls_.size()) + backing_off_; };
  while (under_way() < poll_count_.wanted() &&
         static_cast<int>(running_.size()) + under_way() < options_.activities_max) {
    poll();
  }
}

void ActivityTasks::poll() {
  api::PollActivityTaskQueueRequest request;
  request.set_namespace_(options_.name_space);
  request.set_identity(options_.identity);
  request.mutable_task_queue()->set_name(options_.task_queue);
  request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  const std::uint64_t number = next_call_++;
  polls_.insert(number);
  CallContext context{number, port_.clock.now() + std::chrono::seconds{70}};
  port_.service.PollActivityTaskQueue(request, context,
                                      [weak = weak_from_this(), number](const PortStatus& status, Task* reply) {
                                        if (auto self = weak.lock()) self->polled(number, status, reply);
                                      });
}

void ActivityTasks::polled(std::uint64_t number, const PortStatus& status, Task* reply) {
  polls_.erase(number);
  refusals_.note(status, port_.clock.now());
  if (!status.ok() && status.code != grpc_code::kDeadlineExceeded) {
    const Backoff backoff{
        .initial = std::chrono::milliseconds{200}, .coefficient = 2, .maximum = std::chrono::seconds{10}};
    const Nanos wait = delay_after(backoff, status, std::min(++poll_failures_, 16), port_.random);
    ++backing_off_;
    port_.clock.at(port_.clock.now() + wait, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self) return;
      --self->backing_off_;
      self->poll_more();
    });
    return;
  }
  poll_failures_ = 0;
  if (status.ok() && !reply->task_token().empty()) {
    poll_count_.brought_task();
    run(*reply);
  } else {
    poll_count_.came_empty();
  }
  poll_more();
}

namespace {

Awaitable<ActivityResult> unknown_activity(ActivityContext& context, std::string) {
  ActivityError error{.type = "NotRegistered",
                      .message = "activity type " + context.info().activity_type + " is not registered on this worker"};
  co_return tl::unexpected(std::move(error));
}

}  // namespace

void ActivityTasks::run(const Task& task) {
  const Nanos waited = time_of(task.started_time()) - time_of(task.current_attempt_scheduled_time());
  if (task.current_attempt_scheduled_time().seconds() > 0) count_task_wait("activity", options_.task_queue, waited);
  auto attempt = std::make_shared<ActivityAttempt>(port_, options_, task);
  running_.insert(attempt);
  const auto function = functions_.find(task.activity_type().name());
  auto work =
      attempt_once(attempt, function != functions_.end() ? function->second : ActivityFunction(unknown_activity),
                   json_of(task.input()));
  spawn(port_.loop, std::move(work), [weak = weak_from_this(), attempt](ActivityResult result) {
    attempt->finish(std::move(result), [weak, attempt] {
      if (auto self = weak.lock()) self->finished(attempt);
    });
  });
}

void ActivityTasks::finished(const std::shared_ptr<ActivityAttempt>& attempt) {
  running_.erase(attempt);
  poll_more();
  check_idle();
}

}  // namespace callimport::engine::worker
