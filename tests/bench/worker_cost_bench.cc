// What the worker itself costs a workflow task: a port that hands out prepared tasks and accepts every answer, no
// journal.
#include <benchmark/benchmark.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <deque>
#include <string>

#include "engine/worker.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;

class Nothing : public WorkflowService {
 public:
#define X(Name) \
  void Name(const api::Name##Request&, CallContext, Reply<api::Name##Response>) override {}
#include "engine/rpcs.inc"
#undef X
  void cancel(std::uint64_t) override {}
};

/// Every poll of the normal queue gets the first task of a new run, until `tasks` were handed out.
class HandingOut final : public Nothing {
 public:
  explicit HandingOut(Executor& loop) : loop_(loop) {}
  int tasks = 0, answered = 0;

  void GetSystemInfo(const api::GetSystemInfoRequest&, CallContext, Reply<api::GetSystemInfoResponse> reply) override {
    loop_.post([reply = std::move(reply)] {
      api::GetSystemInfoResponse info;
      info.mutable_capabilities()->set_sdk_metadata(true);
      reply({}, &info);
    });
  }
  void PollWorkflowTaskQueue(const api::PollWorkflowTaskQueueRequest& request, CallContext,
                             Reply<api::PollWorkflowTaskQueueResponse> reply) override {
    if (request.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY) return;
    polls_.push_back(std::move(reply));
    hand_out();
  }
  void RespondWorkflowTaskCompleted(const api::RespondWorkflowTaskCompletedRequest& request, CallContext,
                                    Reply<api::RespondWorkflowTaskCompletedResponse> reply) override {
    benchmark::DoNotOptimize(request.ByteSizeLong());
    ++answered;
    loop_.post([reply = std::move(reply)] {
      api::RespondWorkflowTaskCompletedResponse accepted;
      reply({}, &accepted);
    });
  }
  void hand_out() {
    while (tasks > 0 && !polls_.empty()) {
      --tasks;
      auto reply = std::move(polls_.front());
      polls_.pop_front();
      loop_.post([this, reply = std::move(reply)] {
        auto task = first_task();
        reply({}, &task);
      });
    }
  }

 private:
  api::PollWorkflowTaskQueueResponse first_task() {
    api::PollWorkflowTaskQueueResponse task;
    task.set_task_token(std::string(60, 't'));
    task.mutable_workflow_execution()->set_workflow_id("w");
    task.mutable_workflow_execution()->set_run_id("0190a0a0-0000-7000-8000-" + std::to_string(++runs_));
    task.mutable_workflow_type()->set_name("T");
    task.set_attempt(1);
    task.set_started_event_id(3);
    auto* events = task.mutable_history()->mutable_events();
    for (int i = 1; i <= 3; ++i) events->Add()->set_event_id(i);
    (*events)[0].set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    auto* started = (*events)[0].mutable_workflow_execution_started_event_attributes();
    started->mutable_workflow_type()->set_name("T");
    started->mutable_task_queue()->set_name("Q");
    started->set_original_execution_run_id(task.workflow_execution().run_id());
    auto* input = started->mutable_input()->add_payloads();
    (*input->mutable_metadata())["encoding"] = "json/plain";
    input->set_data("{\"call\":\"call_0123456789\"}");
    (*events)[1].set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    (*events)[2].set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
    (*events)[2].mutable_workflow_task_started_event_attributes()->set_scheduled_event_id(2);
    return task;
  }

  Executor& loop_;
  std::deque<Reply<api::PollWorkflowTaskQueueResponse>> polls_;
  std::int64_t runs_ = 0;
};

Flow<WorkflowEnd> one_task(WorkflowContext&, std::string input) { co_return input; }
Flow<WorkflowEnd> five_activities(WorkflowContext& context, std::string input) {
  std::vector<Future<Outcome<std::string>>> futures;
  for (int i = 0; i < 5; ++i) futures.push_back(context.activity("A", input, ActivityOptions{.start_to_close = 10s}));
  for (auto& future : futures) {
    auto outcome = co_await future;
    if (!outcome) co_return outcome.error();
  }
  co_return input;
}

void worker_task(benchmark::State& state, const WorkflowFunction& function) {
  simulations::SimLoop loop;
  simulations::SeededRandom random(1);
  HandingOut port(loop);
  WorkerOptions options;
  options.task_queue = "Q";
  auto worker = Worker::create(port, loop, loop, random, options);
  worker->register_workflow("T", function);
  worker->start();
  loop.run_idle();
  constexpr int kTasks = 1000;
  for (auto _ : state) {
    port.tasks = kTasks;
    port.hand_out();
    loop.run_idle();
  }
  if (port.answered != kTasks * state.iterations()) state.SkipWithError("a task was not answered");
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK_CAPTURE(worker_task, returns_at_once, WorkflowFunction(one_task))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(worker_task, schedules_five_activities, WorkflowFunction(five_activities))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace callimport::engine

BENCHMARK_MAIN();
