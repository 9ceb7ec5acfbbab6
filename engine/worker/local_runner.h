#pragma once
// Runs the local activities of one workflow run: attempts, the waits between them that are short, and time-outs.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/activity.h"
#include "engine/worker/locals.h"
#include "engine/worker/rpc.h"

namespace callimport::engine::worker {

/// One attempt, as its function sees it. Shared with the coroutine that runs it: it may outlive the runner.
class LocalAttempt final : public ActivityContext {
 public:
  LocalAttempt(ActivityInfo info, std::shared_ptr<const bool> stopping)
      : info_(std::move(info)), stopping_(std::move(stopping)) {}
  const ActivityInfo& info() const override { return info_; }
  void heartbeat(std::string) override {}  // it lives within a task, there is nobody to tell
  bool cancelled() const override { return unwanted_ || *stopping_; }
  void give_up() { unwanted_ = true; }

 private:
  const ActivityInfo info_;
  std::shared_ptr<const bool> stopping_;  // shared by the worker and all its attempts
  bool unwanted_ = false;
};

/// How long after attempt `failed` the next one comes; nothing: there is none. Pure.
std::optional<Nanos> next_attempt_after(const std::optional<RetryPolicy>& policy, const Failure& failure,
                                        std::optional<Nanos> told, int failed);

/// Threads: the loop. Destroying it tells what runs to stop, and ignores what comes of it.
class LocalRunner {
 public:
  /// `result` is empty when the worker stops and the function heeded it. The runner may be destroyed inside.
  using Finished = std::function<void(std::int64_t number, std::optional<LocalResult> result)>;
  /// @param functions  outlives it.
  LocalRunner(const Port& port, const std::map<std::string, ActivityFunction>& functions,
              std::shared_ptr<const bool> stopping, Finished finished);
  ~LocalRunner();
  LocalRunner(const LocalRunner&) = delete;
  LocalRunner& operator=(const LocalRunner&) = delete;

  /// @error kInvalid  nobody registered a function for that type
  Result<> start(const WorkflowInfo& run, LocalRequest request);
  /// Its function is told; one that waits for its next attempt ends at once.
  void cancel(std::int64_t number);

 private:
  struct Job {
    WorkflowInfo run;
    LocalRequest request;
    std::shared_ptr<LocalAttempt> attempt;  // shared with its coroutine; null while waiting for the next
    Clock::TimerId timer = 0;               // the attempt's time-out, or the next attempt
    bool cancel_requested = false;
  };
  void begin(std::int64_t number);
  void ended(std::int64_t number, const std::shared_ptr<LocalAttempt>& attempt, ActivityResult result);
  void timed_out(std::int64_t number);
  void failed(std::int64_t number, Failure failure, std::optional<Nanos> told);
  void finish(std::int64_t number, std::optional<LocalResult> result);
  LocalResult result_of(const Job& job, Outcome<std::string> outcome) const;
  std::optional<Timestamp> deadline_of(const LocalRequest& request) const;

  const Port port_;
  const std::map<std::string, ActivityFunction>& functions_;
  const std::shared_ptr<const bool> stopping_;
  Finished finished_;
  std::map<std::int64_t, Job> jobs_;
  std::shared_ptr<LocalRunner*> self_ =
      std::make_shared<LocalRunner*>(this);  // watched by attempts that may outlive it
};

}  // namespace callimport::engine::worker
