// The embedded service by the figures it must reach: one-step workflows a second, the latency of one durable step, and
// a restart with many open runs. The worker here is made by hand, on the port, so that only the service is measured.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "engine/embedded.h"
#include "storage/journal/journal.h"
#include "storage/model/ensure.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "storage/runtime/posix_disk.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "tests/bench/bench_folder.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;

using tests::BenchFolder;

/// The service over a journal on this disk, its loop run by the bench.
struct Host {
  explicit Host(const std::string& path) {
    auto opened = storage::open_journal(disk, loop, {.path = path});
    ENSURE(opened.has_value());
    journal = std::move(*opened);
    auto made = EmbeddedService::open(*journal, loop, loop, random, {});
    ENSURE(made.has_value());
    service = std::move(*made);
  }
  PosixDisk disk;
  OsRandom random;
  AsioLoop loop;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<EmbeddedService> service;
};

/// Starts one-step workflows, so many open at once, and does their work.
class OneStep {
 public:
  OneStep(Host& host, int polls) : host_(host), polls_(polls) {}

  /// Runs `total` workflows through, `open` of them at once; returns when the last is closed.
  void run(std::int64_t open, std::int64_t total) {
    left_to_start_ = total;
    left_to_close_ = total;
    if (!polling_) {
      polling_ = true;
      for (int i = 0; i < polls_; ++i) {
        poll_workflow();
        poll_activity();
      }
    }
    for (std::int64_t i = 0; i < open && left_to_start_ > 0; ++i) start();
    host_.loop.run();
  }

  static std::string id_of(std::int64_t number) { return "workflow-" + std::to_string(number); }

  void start() {
    --left_to_start_;
    api::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id_of(next_++));
    request.mutable_workflow_type()->set_name("one-step");
    request.mutable_task_queue()->set_name("queue");
    request.set_request_id(request.workflow_id());
    request.set_identity("bench");
    fill(request.mutable_input());
    host_.service->StartWorkflowExecution(request, {}, [](const PortStatus& status, auto*) { ENSURE(status.ok()); });
  }

 private:
  static void fill(temporal::api::common::v1::Payloads* out) {
    auto* payload = out->add_payloads();
    (*payload->mutable_metadata())["encoding"] = "json/plain";
    payload->set_data("{\"import\":\"imp_0123456789\",\"batch\":17}");
  }
  CallContext patient() const { return {0, host_.loop.now() + std::chrono::seconds{70}}; }

  void poll_workflow() {
    api::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("queue");
    request.set_identity("bench");
    host_.service->PollWorkflowTaskQueue(request, patient(), [this](const PortStatus& status, auto* task) {
      ENSURE(status.ok());
      if (!task->task_token().empty()) do_workflow_task(*task);
      poll_workflow();
    });
  }

  void do_workflow_task(const api::PollWorkflowTaskQueueResponse& task) {
    api::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(task.task_token());
    request.set_identity("bench");
    auto* command = request.add_commands();
    const bool first = task.previous_started_event_id() == 0;
    if (first) {
      command->set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
      auto* a = command->mutable_schedule_activity_task_command_attributes();
      a->set_activity_id("1");
      a->mutable_activity_type()->set_name("step");
      a->mutable_task_queue()->set_name("queue");
      a->mutable_start_to_close_timeout()->set_seconds(60);
      fill(a->mutable_input());
    } else {
      command->set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
      fill(command->mutable_complete_workflow_execution_command_attributes()->mutable_result());
    }
    host_.service->RespondWorkflowTaskCompleted(request, {}, [this, first](const PortStatus& status, auto*) {
      ENSURE(status.ok());
      if (first) return;
      if (left_to_start_ > 0) start();
      if (--left_to_close_ == 0) host_.loop.stop();
    });
  }

  void poll_activity() {
    api::PollActivityTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("queue");
    request.set_identity("bench");
    host_.service->PollActivityTaskQueue(request, patient(), [this](const PortStatus& status, auto* task) {
      ENSURE(status.ok());
      if (!task->task_token().empty()) {
        api::RespondActivityTaskCompletedRequest done;
        done.set_namespace_("default");
        done.set_task_token(task->task_token());
        done.set_identity("bench");
        fill(done.mutable_result());
        host_.service->RespondActivityTaskCompleted(done, {},
                                                    [](const PortStatus& answer, auto*) { ENSURE(answer.ok()); });
      }
      poll_activity();
    });
  }

  Host& host_;
  int polls_;
  bool polling_ = false;
  std::int64_t next_ = 0, left_to_start_ = 0, left_to_close_ = 0;
};

/// Items are workflows: start, task, one activity, task, close; `range(0)` open at once.
void one_step_workflows(benchmark::State& state) {
  BenchFolder folder;
  Host host(folder.file("journal.db"));
  OneStep work(host, static_cast<int>(std::min<std::int64_t>(state.range(0), 500)));
  constexpr std::int64_t kBatch = 20'000;
  const std::int64_t total = state.range(0) == 1 ? 200 : kBatch;
  std::int64_t done = 0;
  const auto before = host.journal->figures();
  for (auto _ : state) {
    work.run(state.range(0), total);
    done += total;
  }
  const auto after = host.journal->figures();
  state.SetItemsProcessed(done);
  state.counters["commits_per_workflow"] =
      static_cast<double>(after.commits - before.commits) / static_cast<double>(done);
  state.counters["rows_per_workflow"] = static_cast<double>(after.rows - before.rows) / static_cast<double>(done);
}
BENCHMARK(one_step_workflows)->Arg(1'000)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);

/// Calls `work` so many times, a thousand a turn, so that turns stay small.
void feed(Host& host, std::int64_t times, const std::function<void(std::int64_t)>& work) {
  std::int64_t done = 0;
  std::function<void()> more = [&] {
    for (int i = 0; i < 1'000 && done < times; ++i) work(done++);
    if (done < times) {
      host.loop.post(more);
    } else {
      host.loop.post([&host] { host.loop.post([&host] { host.loop.stop(); }); });
    }
  };
  host.loop.post(more);
  host.loop.run();
}

/// `runs` open ones with a task to hand out, each of `rows` journal rows: its start, and signals.
void leave_open_runs(const std::string& path, std::int64_t runs, std::int64_t rows) {
  Host host(path);
  OneStep work(host, 0);
  feed(host, runs, [&work](std::int64_t) { work.start(); });
  for (std::int64_t row = 1; row < rows; ++row) {
    feed(host, runs, [&host](std::int64_t run) {
      api::SignalWorkflowExecutionRequest request;
      request.set_namespace_("default");
      request.mutable_workflow_execution()->set_workflow_id(OneStep::id_of(run));
      request.set_signal_name("s");
      host.service->SignalWorkflowExecution(request, {}, [](const PortStatus& status, auto*) { ENSURE(status.ok()); });
    });
  }
  host.service->stop([&host] { host.loop.stop(); });
  host.loop.run();
}

/// From opening the journal with `range(0)` open runs of `range(1)` rows each to the first task in a worker's hands.
void restart_with_open_runs(benchmark::State& state) {
  BenchFolder folder;
  leave_open_runs(folder.file("journal.db"), state.range(0), state.range(1));
  for (auto _ : state) {
    Host host(folder.file("journal.db"));
    ENSURE(host.service->figures().open_runs == static_cast<std::size_t>(state.range(0)));
    api::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("queue");
    const CallContext patient{0, host.loop.now() + std::chrono::seconds{70}};
    host.service->PollWorkflowTaskQueue(request, patient, [&host](const PortStatus& status, auto* task) {
      ENSURE(status.ok() && !task->task_token().empty());
      host.loop.stop();
    });
    host.loop.run();
    state.PauseTiming();  // closing is not what is measured
    host.service.reset();
    host.journal.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(restart_with_open_runs)
    ->ArgNames({"runs", "rows"})
    ->Args({100'000, 1})
    ->Args({100'000, 5})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace callimport::engine

BENCHMARK_MAIN();
