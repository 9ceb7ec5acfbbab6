#pragma once
// The workflow half of a worker: polls, the sticky cache of runs, history fetches, and what is answered to each task.
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/worker.h"
#include "engine/worker/local_runner.h"
#include "engine/worker/rpc.h"
#include "engine/worker/run.h"

namespace callimport::engine::worker {

/// A task that waits for local activities is answered by a heartbeat when this share of its time-out is over (B23).
inline constexpr double kHeartbeatShare = 0.8;
inline constexpr Nanos kPollDeadline = std::chrono::seconds{70};  ///< as Go and core poll (A8)

/// Threads: the loop. Lifetime: held by shared_ptr; replies that come after it is gone are dropped.
class WorkflowTasks : public std::enable_shared_from_this<WorkflowTasks> {
 public:
  WorkflowTasks(const Port& port, const WorkerOptions& options, std::uint64_t first_call);
  ~WorkflowTasks();
  void add(std::string type, WorkflowFunction function) { functions_[std::move(type)] = std::move(function); }
  /// For local activities.
  void add_activity(std::string type, ActivityFunction function) { activities_[std::move(type)] = std::move(function); }
  bool has_functions() const { return !functions_.empty(); }
  void start(bool sdk_metadata);
  /// Cancels the polls; tasks in hand are finished. `idle` runs as soon as none is (at once when none is).
  void stop(std::function<void()> idle);
  const std::string& sticky_queue() const { return sticky_queue_; }

  std::size_t cached_runs() const { return slots_.size(); }
  std::uint64_t replays = 0, evictions = 0, tasks = 0;

 private:
  using Task = api::PollWorkflowTaskQueueResponse;
  using TaskPtr = std::shared_ptr<Task>;  // shared by the callbacks of a fetch

  /// One run we hold or are working on. `busy`: a fetch, local activities or an answer are under way; its next tasks
  /// wait.
  struct Slot {
    std::string run_id;
    std::unique_ptr<Run> run;
    std::unique_ptr<LocalRunner> locals;                             // once there was one; lives and dies with `run`
    std::deque<std::pair<std::int64_t, LocalResult>> local_results;  // came while no task was in hand
    TaskPtr held;                                                    // the task in hand while local activities run
    Clock::TimerId heartbeat = 0;                                    // of `held`
    bool busy = false;
    std::deque<TaskPtr> waiting;
    std::optional<std::list<Slot*>::iterator> idle;  // place in idle_runs_, when it is there
  };

  /// One kind of polls: of the normal queue, or of our sticky one. `open`: polls under way and those waiting to come
  /// back.
  struct Polls {
    PollCount count;
    int open = 0;
  };

  void poll_more(bool sticky);
  void poll(bool sticky);
  void polled(bool sticky, std::uint64_t number, const PortStatus& status, Task* reply);
  void accept(TaskPtr task);
  void process(Slot& slot, TaskPtr task);
  bool history_is_complete(const Slot& slot, const Task& task) const;
  void fetch(const std::string& run_id, TaskPtr task, std::shared_ptr<Events> events, std::string page_token);
  void fetched(const std::string& run_id, TaskPtr task, std::shared_ptr<Events> events);
  void execute(Slot& slot, TaskPtr task);
  Result<> drive(Slot& slot, Task& task);

  // workflow_locals.cc
  void go_on(Slot& slot, TaskPtr task);
  Result<> start_locals(Slot& slot);
  void local_finished(const std::string& run_id, std::int64_t number, std::optional<LocalResult> result);
  void heartbeat(const std::string& run_id);
  TaskPtr take_held(Slot& slot);
  void forget(Slot& slot);

  // workflow_replies.cc
  enum class Answer : std::uint8_t { Done, Heartbeat };
  void answer_task(Slot& slot, Task& task, Answer kind);
  void warn_of_unfinished(const Run& run) const;
  void answer_query(Slot& slot, Task& task);
  void fail_query(Task& task, const std::string& why);
  void fail_task(Slot& slot, Task& task, const Error& error);
  void report_failure(const Task& task, int cause, const std::string& why);
  void completed(const std::string& run_id, TaskPtr task, const PortStatus& status,
                 api::RespondWorkflowTaskCompletedResponse* reply);
  void release(const std::string& run_id, bool keep);

  Slot& slot_of(const std::string& run_id);
  void begin_work(Slot& slot);
  void evict_beyond_limit();
  void erase(Slot& slot);
  void check_idle();

  const Port port_;
  const WorkerOptions options_;
  std::map<std::string, WorkflowFunction> functions_;
  std::map<std::string, ActivityFunction> activities_;
  std::shared_ptr<bool> locals_stop_ = std::make_shared<bool>(false);  // shared with attempts, which may outlive us
  std::string sticky_queue_;                                           // empty: no stickiness
  std::unordered_map<std::string, std::unique_ptr<Slot>> slots_;       // by run id; never iterated
  std::list<Slot*> idle_runs_;     // the one used last in front; runs being worked on are not in it, and stay
  std::set<std::uint64_t> polls_;  // pending, by call number
  Polls normal_polls_, sticky_polls_;
  std::uint64_t next_call_;
  PollRefusals refusals_;
  int poll_failures_ = 0;
  std::size_t busy_ = 0;  // answers and fetches under way
  bool sdk_metadata_ = false, stopping_ = false;
  std::function<void()> idle_;
};

}  // namespace callimport::engine::worker
