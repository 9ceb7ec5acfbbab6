#include "engine/worker.h"

#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <utility>

#include "engine/worker/activity_tasks.h"
#include "engine/worker/workflow_tasks.h"

namespace callimport::engine {
namespace {

using worker::ActivityTasks;
using worker::Port;
using worker::WorkflowTasks;

/// Call numbers are the caller's, and the service has other callers: each worker takes a range of its own by chance.
std::uint64_t first_call(Random& random) { return (random.next() | (1ull << 63)) & ~((1ull << 32) - 1); }
constexpr std::uint64_t kActivityCalls = 1ull << 31;

class PollingWorker final : public Worker {
 public:
  PollingWorker(const Port& port, WorkerOptions options)
      : port_(port),
        options_(named(std::move(options), port.random)),
        first_call_(first_call(port.random)),
        workflows_(std::make_shared<WorkflowTasks>(port, options_, first_call_)) {
    activities_.push_back(std::make_shared<ActivityTasks>(port, options_, first_call_ + kActivityCalls));
    for (const std::string& queue : options_.more_activity_queues) {
      WorkerOptions own = options_;
      own.task_queue = queue;
      activities_.push_back(std::make_shared<ActivityTasks>(port, own, first_call(port_.random)));
    }
  }

  PollingWorker(const PollingWorker&) = delete;
  PollingWorker& operator=(const PollingWorker&) = delete;
  ~PollingWorker() override { *port_.alive = false; }

  void register_workflow(std::string type, WorkflowFunction function) override {
    workflows_->add(std::move(type), std::move(function));
  }
  void register_activity(std::string type, ActivityFunction function) override {
    workflows_->add_activity(type, function);
    for (const auto& queue : activities_) queue->add(type, function);
  }

  /// What the service can do comes first (A1): sdk_metadata decides whether flags are written.
  void start() override {
    auto request = std::make_shared<api::GetSystemInfoRequest>();
    const std::vector<std::weak_ptr<ActivityTasks>> queues(activities_.begin(), activities_.end());
    auto done = [workflows = std::weak_ptr(workflows_), queues](const PortStatus& status,
                                                                api::GetSystemInfoResponse* reply) {
      const bool metadata = status.ok() && reply->capabilities().sdk_metadata();
      if (auto held = workflows.lock(); held && held->has_functions()) held->start(metadata);
      for (const auto& queue : queues) {
        if (auto held = queue.lock(); held && held->has_functions()) held->start();
      }
    };
    worker::call<api::GetSystemInfoRequest, api::GetSystemInfoResponse>(port_, &WorkflowService::GetSystemInfo,
                                                                        std::move(request), std::move(done));
  }

  void stop(Nanos grace, std::function<void()> done) override {
    struct Stop {
      std::size_t waiting = 2;  // besides the queues of activities
      Clock::TimerId timer = 0;
      std::function<void()> done;
    };
    auto stop = std::make_shared<Stop>();  // shared by the parts, the last call and the timer
    stop->done = std::move(done);
    stop->waiting += activities_.size();
    Clock* clock = &port_.clock;
    const auto finish = [stop, clock] {
      clock->cancel(stop->timer);
      if (stop->done) std::exchange(stop->done, nullptr)();
    };
    stop->timer = clock->at(clock->now() + grace, finish);
    Executor* loop = &port_.loop;
    const auto part = [stop, finish, loop] {
      if (--stop->waiting == 0) loop->post(finish);
    };
    leave_sticky_queue(part);
    workflows_->stop(part);
    for (const auto& queue : activities_) queue->stop(part);
  }

  Figures figures() const override {
    std::size_t running = 0;
    for (const auto& queue : activities_) running += queue->running();
    return {workflows_->cached_runs(), running, workflows_->replays, workflows_->evictions, workflows_->tasks};
  }

 private:
  static WorkerOptions named(WorkerOptions options, Random& random) {
    if (options.identity.empty()) options.identity = "callimport@" + random.id_text(8);
    return options;
  }

  /// So that tasks waiting on our sticky queue need not time out there; what it answers does not matter.
  void leave_sticky_queue(std::function<void()> answered) {
    if (workflows_->sticky_queue().empty()) return answered();
    api::ShutdownWorkerRequest request;
    request.set_namespace_(options_.name_space);
    request.set_identity(options_.identity);
    request.set_sticky_task_queue(workflows_->sticky_queue());
    request.set_task_queue(options_.task_queue);
    request.set_reason("the worker stops");
    CallContext context;
    context.deadline = port_.clock.now() + std::chrono::seconds{10};
    port_.service.ShutdownWorker(
        request, context,
        [answered = std::move(answered), alive = port_.alive](const PortStatus&, api::ShutdownWorkerResponse*) {
          if (*alive) answered();
        });
  }

  const Port port_;
  WorkerOptions options_;
  std::uint64_t first_call_;
  std::shared_ptr<WorkflowTasks> workflows_;                // shared with replies under way, for the length of each
  std::vector<std::shared_ptr<ActivityTasks>> activities_;  // the same; one a queue, its own first
};

}  // namespace

std::unique_ptr<Worker> Worker::create(WorkflowService& service, Executor& loop, Clock& clock, Random& random,
                                       WorkerOptions options) {
  return std::make_unique<PollingWorker>(Port{service, loop, clock, random}, std::move(options));
}

}  // namespace callimport::engine
