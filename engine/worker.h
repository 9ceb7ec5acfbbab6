#pragma once
// Polls one task queue through the port and runs workflow and activity code on the loop.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/activity.h"
#include "engine/workflow.h"
#include "engine/workflow_service.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/random.h"

namespace temporal::api::history::v1 {
class History;
}

namespace callimport::engine {

struct WorkerOptions {
  std::string name_space = "default";
  std::string task_queue{};
  std::string identity{};                      ///< empty: callimport@<random>
  int cached_runs_max = 1'000;                 ///< 0: no stickiness, every task replays
  int workflow_polls = 2, activity_polls = 2;  ///< of a kind, when idle
  int polls_max = 100;      ///< of a kind, while tasks keep coming; each takes a commit of the service
  int activities_max = 64;  ///< running at once, of one queue
  /// Polled for activities as `task_queue` is, and each with `activities_max` of its own: what runs long there keeps
  /// nobody waiting here.
  std::vector<std::string> more_activity_queues{};
  Nanos sticky_schedule_to_start = std::chrono::seconds{10};
  /// What the people who run the worker should know. Empty: they are told nothing.
  std::function<void(const std::string& sentence)> warn{};
  /// Polls were refused for a minute with a code that no second try mends. They go on all the same.
  std::function<void(const PortStatus& status)> refused{};
};

/// Rules B1 to B26 as far as the command set goes. Threads: the loop. Lifetime: `service`, `loop`, `clock` outlive it.
class Worker {
 public:
  static std::unique_ptr<Worker> create(WorkflowService& service, Executor& loop, Clock& clock, Random& random,
                                        WorkerOptions options);
  virtual ~Worker() = default;
  virtual void register_workflow(std::string type, WorkflowFunction function) = 0;  ///< before start
  virtual void register_activity(std::string type, ActivityFunction function) = 0;  ///< before start
  virtual void start() = 0;
  /// Polls are cancelled, running activities see cancelled(); `done` when all have returned or `grace` is over.
  virtual void stop(Nanos grace, std::function<void()> done) = 0;

  struct Figures {
    std::size_t cached_runs = 0, running_activities = 0;
    std::uint64_t replays = 0, evictions = 0, tasks = 0;
  };
  virtual Figures figures() const = 0;
};

/// First difference between today's code and a history.
struct ReplayDifference {
  std::int64_t event_id = 0;
  std::string expected{};  ///< what the history holds
  std::string got{};       ///< what the code did
};
/// Runs `function` over a whole history with nothing else attached. @error kNondeterministic with the difference in the
/// text; kInvalid when the history is not one. `difference` is filled in the first case.
Result<> replay(const temporal::api::history::v1::History& history, const WorkflowFunction& function,
                ReplayDifference* difference);

}  // namespace callimport::engine
