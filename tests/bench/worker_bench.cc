// What a durable workflow costs, all in one process: embedded service, journal with its thread, worker. Run it in a
// folder on the disk you ask about.
#include <benchmark/benchmark.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/embedded.h"
#include "engine/worker.h"
#include "storage/journal/journal.h"
#include "storage/model/ensure.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "storage/runtime/posix_disk.h"
#include "storage/sqlite/database.h"
#include "tests/bench/bench_folder.h"

namespace callimport::engine {
namespace {

using WallClock = std::chrono::steady_clock;

using tests::BenchFolder;

/// Hands every call on, and says when a completed workflow task was acknowledged, which is when it is durable.
class Forwarding : public WorkflowService {
 public:
  explicit Forwarding(WorkflowService& inner) : inner_(inner) {}
#define X(Name)                                                                                                  \
  void Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) override { \
    inner_.Name(request, context, std::move(reply));                                                             \
  }
#include "engine/rpcs.inc"
#undef X
  void cancel(std::uint64_t call) override { inner_.cancel(call); }

 private:
  WorkflowService& inner_;
};

class Watching final : public Forwarding {
 public:
  using Forwarding::Forwarding;
  std::function<void(bool closing)> acknowledged;
  void RespondWorkflowTaskCompleted(const api::RespondWorkflowTaskCompletedRequest& request, CallContext context,
                                    Reply<api::RespondWorkflowTaskCompletedResponse> reply) override {
    namespace enums = ::temporal::api::enums::v1;
    const bool closing = request.commands_size() > 0 &&
                         request.commands().rbegin()->command_type() == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION;
    Forwarding::RespondWorkflowTaskCompleted(
        request, context, [this, closing, reply = std::move(reply)](const PortStatus& status, auto* response) {
          ENSURE(status.ok());
          reply(status, response);
          acknowledged(closing);
        });
  }
};

Flow<WorkflowEnd> one_task(WorkflowContext&, std::string input) { co_return input; }
Flow<WorkflowEnd> one_activity(WorkflowContext& context, std::string input) {
  auto outcome = co_await context.activity("echo", input, ActivityOptions{.start_to_close = 10s});
  co_return outcome ? *outcome : std::string("null");
}
Flow<WorkflowEnd> per_signal(WorkflowContext& context, std::string) {
  int waiting = 0;
  context.on_signal("step", [&waiting](std::string) { ++waiting; });
  for (;;) {
    auto more = context.until([&waiting] { return waiting > 0; });
    co_await more;
    --waiting;
  }
  co_return std::string();
}
Awaitable<ActivityResult> echo(ActivityContext&, std::string input) { co_return input; }

/// Service, journal and worker over one folder.
class Engine {
 public:
  Engine() {
    auto journal = storage::open_journal(disk_, loop, {.path = folder_.file("journal.db")});
    ENSURE(journal.has_value());
    journal_ = std::move(*journal);
    auto service = EmbeddedService::open(*journal_, loop, loop, random_, EmbeddedOptions{});
    ENSURE(service.has_value());
    service_ = std::move(*service);
    watching = std::make_unique<Watching>(*service_);
    WorkerOptions options;
    options.task_queue = "Q";
    options.cached_runs_max = 2'000;
    options.polls_max = 500;
    options.activities_max = 500;
    worker_ = Worker::create(*watching, loop, loop, random_, options);
    worker_->register_workflow("one_task", one_task);
    worker_->register_workflow("one_activity", one_activity);
    worker_->register_workflow("per_signal", per_signal);
    worker_->register_activity("echo", echo);
    loop.post([this] { worker_->start(); });
  }

  void start(const std::string& type) {
    api::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id("w" + std::to_string(++started_));
    request.mutable_workflow_type()->set_name(type);
    request.mutable_task_queue()->set_name("Q");
    request.set_request_id(request.workflow_id());
    auto* input = request.mutable_input()->add_payloads();
    (*input->mutable_metadata())["encoding"] = "json/plain";
    input->set_data("{\"call\":\"call_0123456789\"}");
    service_->StartWorkflowExecution(request, CallContext{},
                                     [](const PortStatus& status, auto*) { ENSURE(status.ok()); });
  }
  void signal(const std::string& id) {
    api::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name("step");
    service_->SignalWorkflowExecution(request, CallContext{},
                                      [](const PortStatus& status, auto*) { ENSURE(status.ok()); });
  }
  storage::Journal::Figures figures() const { return journal_->figures(); }

 private:
  BenchFolder folder_;
  PosixDisk disk_;
  OsRandom random_;

 public:
  AsioLoop loop;

 private:
  std::unique_ptr<storage::Journal> journal_;
  std::unique_ptr<EmbeddedService> service_;

 public:
  std::unique_ptr<Watching> watching;

 private:
  std::unique_ptr<Worker> worker_;
  int started_ = 0;
};

/// Median of 200 commits of one row in plain SQLite with WAL and synchronous=FULL, in microseconds.
double one_row_commit_us() {
  BenchFolder folder;
  PosixDisk disk;
  auto db = storage::Database::open(disk, folder.file("plain.db"), {});
  ENSURE(db.has_value());
  ENSURE(db->exec("CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB) STRICT").has_value());
  storage::Statement insert(*db, "INSERT INTO row(body) VALUES(?1)");
  std::vector<double> took;
  for (int i = 0; i < 200; ++i) {
    const auto begin = WallClock::now();
    auto transaction = storage::Transaction::begin(*db);
    ENSURE(transaction.has_value());
    ENSURE(insert.bind_blob(1, std::string(1024, 'r')).run().has_value());
    ENSURE(std::move(*transaction).commit().has_value());
    took.push_back(std::chrono::duration<double, std::micro>(WallClock::now() - begin).count());
  }
  std::nth_element(took.begin(), took.begin() + 100, took.end());
  return took[100];
}

/// Closed loop: so many workflows open at once; each that ends is replaced until `total` ended.
void closed_loop(benchmark::State& state, const std::string& type) {
  Engine engine;
  const int open = static_cast<int>(state.range(0)), total = open == 1 ? 100 : 40'000;
  for (auto _ : state) {
    int to_start = total, to_end = total;
    const auto start_one = [&] {
      if (to_start-- > 0) engine.start(type);
    };
    engine.watching->acknowledged = [&](bool closing) {
      if (!closing) return;
      start_one();
      if (--to_end == 0) engine.loop.stop();
    };
    engine.loop.post([&] {
      for (int i = 0; i < open; ++i) start_one();
    });
    engine.loop.run();
  }
  state.SetItemsProcessed(state.iterations() * total);
  const auto figures = engine.figures();
  state.counters["rows_per_commit"] = static_cast<double>(figures.rows) / static_cast<double>(figures.commits);
}
void one_step_workflows(benchmark::State& state) { closed_loop(state, "one_task"); }
void one_activity_workflows(benchmark::State& state) { closed_loop(state, "one_activity"); }
BENCHMARK(one_step_workflows)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(one_activity_workflows)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

/// One workflow open; a step is a signal that it answers with a completed task: from the call to the acknowledgement.
void one_durable_step(benchmark::State& state) {
  const double row_us = one_row_commit_us();
  Engine engine;
  engine.watching->acknowledged = [&](bool) { engine.loop.stop(); };
  engine.loop.post([&] { engine.start("per_signal"); });
  engine.loop.run();
  std::vector<double> took;
  for (auto _ : state) {
    const auto begin = WallClock::now();
    engine.loop.post([&] { engine.signal("w1"); });
    engine.loop.run();
    took.push_back(std::chrono::duration<double, std::micro>(WallClock::now() - begin).count());
  }
  std::nth_element(took.begin(), took.begin() + std::ssize(took) / 2, took.end());
  state.counters["one_row_commit_us"] = row_us;
  state.counters["step_us"] = took[took.size() / 2];
  state.counters["times_one_row_commit"] = took[took.size() / 2] / row_us;
}
BENCHMARK(one_durable_step)->UseRealTime()->Unit(benchmark::kMicrosecond)->Iterations(1500);

}  // namespace
}  // namespace callimport::engine

BENCHMARK_MAIN();
