#include "engine/worker/local_runner.h"

#include <algorithm>
#include <utility>

#include "engine/worker/attempt.h"

namespace callimport::engine::worker {

std::optional<Nanos> next_attempt_after(const std::optional<RetryPolicy>& policy, const Failure& failure,
                                        std::optional<Nanos> told, int failed) {
  if (!policy || failure.non_retryable || failure.kind == Failure::Kind::kCancelled) return std::nullopt;
  if (policy->attempts_max > 0 && failed >= policy->attempts_max) return std::nullopt;
  if (std::ranges::find(policy->non_retryable, failure.type) != policy->non_retryable.end()) return std::nullopt;
  if (told) return told;
  const Nanos most = policy->maximum > Nanos{0} ? policy->maximum : policy->initial * 100;
  auto wait = static_cast<double>(policy->initial.count());
  for (int i = 1; i < failed && wait < static_cast<double>(most.count()); ++i) wait *= policy->coefficient;
  return std::min(most, Nanos{static_cast<std::int64_t>(std::min(wait, static_cast<double>(most.count())))});
}

LocalRunner::LocalRunner(const Port& port, const std::map<std::string, ActivityFunction>& functions,
                         std::shared_ptr<const bool> stopping, Finished finished)
    : port_(port), functions_(functions), stopping_(std::move(stopping)), finished_(std::move(finished)) {}

LocalRunner::~LocalRunner() {
  for (auto& [number, job] : jobs_) {
    if (job.attempt) job.attempt->give_up();
    port_.clock.cancel(job.timer);
  }
}

Result<> LocalRunner::start(const WorkflowInfo& run, LocalRequest request) {
  if (!functions_.contains(request.type)) {
    return fail(Code::kInvalid, "local activity type " + request.type + " is not registered on this worker");
  }
  const std::int64_t number = request.number;
  Job job;
  job.run = run;
  job.request = std::move(request);
  jobs_.emplace(number, std::move(job));
  begin(number);
  return {};
}

std::optional<Timestamp> LocalRunner::deadline_of(const LocalRequest& request) const {
  if (request.options.schedule_to_close <= Nanos{0}) return std::nullopt;
  return request.scheduled + request.options.schedule_to_close;
}

namespace {

ActivityInfo info_of(const WorkflowInfo& run, const LocalRequest& request, Timestamp now) {
  ActivityInfo info;
  info.name_space = run.name_space;
  info.workflow_id = run.workflow_id;
  info.run_id = run.run_id;
  info.workflow_type = run.type;
  info.activity_id = std::to_string(request.number);
  info.activity_type = request.type;
  info.task_queue = run.task_queue;
  info.attempt = request.attempt;
  info.scheduled = request.scheduled;
  info.started = now;
  return info;
}

}  // namespace

void LocalRunner::begin(std::int64_t number) {
  Job& job = jobs_.at(number);
  const Timestamp now = port_.clock.now();
  auto info = info_of(job.run, job.request, now);
  auto deadline = deadline_of(job.request);
  if (job.request.options.start_to_close > Nanos{0}) {
    const Timestamp end = now + job.request.options.start_to_close;
    deadline = deadline ? std::min(*deadline, end) : end;
  }
  info.deadline = deadline;
  job.attempt = std::make_shared<LocalAttempt>(std::move(info), stopping_);
  const auto watch = std::weak_ptr(self_);
  job.timer = !deadline ? 0 : port_.clock.at(*deadline, [watch, number] {
    if (auto self = watch.lock()) (*self)->timed_out(number);
  });
  auto work = attempt_once(job.attempt, functions_.at(job.request.type), job.request.input);
  spawn(port_.loop, std::move(work), [watch, number, attempt = job.attempt](ActivityResult result) {
    if (auto self = watch.lock()) (*self)->ended(number, attempt, std::move(result));
  });
}

/// An attempt that timed out may still come back; it is another one's turn then.
void LocalRunner::ended(std::int64_t number, const std::shared_ptr<LocalAttempt>& attempt, ActivityResult result) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.attempt != attempt) return;
  Job& job = found->second;
  port_.clock.cancel(std::exchange(job.timer, 0));
  if (result) return finish(number, result_of(job, std::move(*result)));
  const auto& error = result.error();
  if (error.cancelled && !job.cancel_requested) return finish(number, std::nullopt);
  Failure failure;
  failure.kind = error.cancelled ? Failure::Kind::kCancelled : Failure::Kind::kApplication;
  failure.type = error.cancelled ? "" : error.type;
  failure.message = error.cancelled ? "local activity cancelled" : error.message;
  failure.details = error.details;
  failure.non_retryable = error.non_retryable;
  failed(number, std::move(failure), error.next_retry_delay);
}

void LocalRunner::timed_out(std::int64_t number) {
  Job& job = jobs_.at(number);
  job.timer = 0;
  job.attempt->give_up();
  const auto deadline = deadline_of(job.request);
  const bool for_good = deadline && port_.clock.now() >= *deadline;
  Failure failure;
  failure.kind = Failure::Kind::kTimeout;
  failure.type = for_good ? "ScheduleToClose" : "StartToClose";
  failure.message = "local activity timed out";
  failure.non_retryable = for_good;
  failed(number, std::move(failure), std::nullopt);
}

void LocalRunner::failed(std::int64_t number, Failure failure, std::optional<Nanos> told) {
  Job& job = jobs_.at(number);
  job.attempt.reset();
  const auto& options = job.request.options;
  auto wait = next_attempt_after(options.retry, failure, told, job.request.attempt);
  const auto deadline = deadline_of(job.request);
  if (wait && deadline && port_.clock.now() + *wait >= *deadline) wait.reset();
  auto result = result_of(job, tl::unexpected(std::move(failure)));
  if (!wait || job.cancel_requested) return finish(number, std::move(result));
  if (*wait > options.local_retry_threshold) {
    result.backoff = wait;
    return finish(number, std::move(result));
  }
  ++job.request.attempt;
  job.timer = port_.clock.at(port_.clock.now() + *wait, [watch = std::weak_ptr(self_), number] {
    if (auto self = watch.lock()) (*self)->begin(number);
  });
}

LocalResult LocalRunner::result_of(const Job& job, Outcome<std::string> outcome) const {
  return {std::move(outcome), job.request.attempt, std::nullopt, port_.clock.now()};
}

void LocalRunner::cancel(std::int64_t number) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  job.cancel_requested = true;
  if (job.attempt) return job.attempt->give_up();
  port_.clock.cancel(std::exchange(job.timer, 0));
  Failure failure;
  failure.kind = Failure::Kind::kCancelled;
  failure.message = "local activity cancelled";
  // On the loop's next turn: whoever cancels is in the middle of the run.
  port_.loop.post([watch = std::weak_ptr(self_), number, result = result_of(job, tl::unexpected(std::move(failure)))] {
    if (auto self = watch.lock()) (*self)->finish(number, result);
  });
}

void LocalRunner::finish(std::int64_t number, std::optional<LocalResult> result) {
  if (jobs_.erase(number) == 0) return;
  const auto tell = finished_;  // the runner may be gone when it returns
  tell(number, std::move(result));
}

}  // namespace callimport::engine::worker
