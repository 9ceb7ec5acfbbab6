#pragma once
// The activity half of a worker: polls, running activities, their heartbeats and their answers.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine/activity.h"
#include "engine/worker.h"
#include "engine/worker/rpc.h"

namespace callimport::engine::worker {

/// Without a heartbeat timeout details still go out now and then; with one, well before it is over.
inline constexpr Nanos kHeartbeatEvery = std::chrono::seconds{30}, kHeartbeatEveryMax = std::chrono::seconds{60};
Nanos heartbeat_interval(Nanos heartbeat_timeout);

/// One attempt of one activity. Owned by its coroutine and by callbacks under way, so it outlives a worker that gave up
/// on it.
class ActivityAttempt final : public ActivityContext, public std::enable_shared_from_this<ActivityAttempt> {
 public:
  ActivityAttempt(const Port& port, const WorkerOptions& options, const api::PollActivityTaskQueueResponse& task);
  const ActivityInfo& info() const override { return info_; }
  void heartbeat(std::string details) override;
  bool cancelled() const override { return cancel_requested_ || gone_ || put_off_ || stopping_; }

  void worker_stops() { stopping_ = true; }
  /// Sends what the attempt came to; `done` when the service has it, or never will.
  void finish(ActivityResult result, std::function<void()> done);

 private:
  void send_heartbeat();
  void heartbeat_answered(const PortStatus& status, const api::RecordActivityTaskHeartbeatResponse* reply);
  void respond_failed(ActivityError error, std::function<void()> done);
  void respond_cancelled(std::string details, std::function<void()> done);

  const Port port_;
  std::string name_space_, identity_, token_;
  ActivityInfo info_;
  Nanos interval_;
  std::string newest_;  // heartbeat details not sent yet
  bool newest_due_ = false;
  Clock::TimerId throttle_ = 0;  // 0: a heartbeat may go out now
  bool put_off_ = false;         // paused or reset by somebody: another attempt comes when the service says so
  bool finished_ = false, cancel_requested_ = false, gone_ = false, stopping_ = false;
};

/// Threads: the loop. Lifetime: held by shared_ptr; replies that come after it is gone are dropped.
class ActivityTasks : public std::enable_shared_from_this<ActivityTasks> {
 public:
  ActivityTasks(const Port& port, const WorkerOptions& options, std::uint64_t first_call);
  ~ActivityTasks();
  void add(std::string type, ActivityFunction function) { functions_[std::move(type)] = std::move(function); }
  bool has_functions() const { return !functions_.empty(); }
  void start();
  /// Cancels the polls, tells running activities. `idle` runs as soon as none runs (at once when none does).
  void stop(std::function<void()> idle);
  std::size_t running() const { return running_.size(); }

 private:
  using Task = api::PollActivityTaskQueueResponse;
  void poll_more();
  void poll();
  void polled(std::uint64_t number, const PortStatus& status, Task* reply);
  void run(const Task& task);
  void finished(const std::shared_ptr<ActivityAttempt>& attempt);
  void check_idle();

  const Port port_;
  const WorkerOptions options_;
  std::map<std::string, ActivityFunction> functions_;
  std::set<std::shared_ptr<ActivityAttempt>> running_;  // shared with the coroutine that runs it; order does not matter
  std::set<std::uint64_t> polls_;
  std::uint64_t next_call_;
  PollRefusals refusals_;
  PollCount poll_count_;
  int poll_failures_ = 0, backing_off_ = 0;
  bool started_ = false, stopping_ = false;
  std::function<void()> idle_;
};

}  // namespace callimport::engine::worker
