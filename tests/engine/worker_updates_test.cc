// Updates between worker and embedded service in virtual time, and real histories with updates on our worker.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/history/history_file.h"
#include "engine/worker/commands.h"
#include "tests/engine/engine_world.h"

namespace callimport::engine {
namespace {

using testing_support::EngineWorld;

ActivityOptions ten_seconds() {
  ActivityOptions options;
  options.start_to_close = 10s;
  return options;
}

/// Adds; from 100 on it returns. `slow` answers three seconds later.
Flow<Outcome<std::string>> add(WorkflowContext& context, int* sum, Nanos wait, std::string input) {
  *sum += std::stoi(input);
  if (wait > Nanos{0}) {
    auto slept = co_await context.timer(wait);
    if (!slept) co_return tl::unexpected(slept.error());
  }
  co_return std::to_string(*sum);
}
Flow<WorkflowEnd> summing(WorkflowContext& context, std::string) {
  int sum = 0;
  UpdateHandler at_once, slow;
  at_once.run = [&](std::string input) { return add(context, &sum, Nanos{0}, std::move(input)); };
  at_once.validate = [](const std::string& input) -> Outcome<> {
    Failure negative;
    negative.message = "negative";
    if (input.starts_with('-')) return tl::unexpected(negative);
    return {};
  };
  slow.run = [&](std::string input) { return add(context, &sum, 3s, std::move(input)); };
  context.on_update("add", at_once);
  context.on_update("slow", slow);
  context.on_query("sum", [&sum](std::string) { return Outcome<std::string>(std::to_string(sum)); });
  auto enough = context.until([&sum] { return sum >= 100; });
  co_await enough;
  co_return std::to_string(sum);
}

TEST(WorkerUpdates, RejectedOnesLeaveTheHistoryAsItWas) {
  for (const int cached : {0, 1000}) {
    EngineWorld world;
    world.start_worker(cached, [](Worker& worker) { worker.register_workflow("T", summing); });
    world.start("w", "T");
    world.loop.run_for(1s);
    for (int i = 0; i < 5; ++i) EXPECT_EQ("failure: negative", world.update("w", "add", "-1"));
    EXPECT_EQ(4, world.history("w").events_size()) << "B20: the worker goes back each time";
    EXPECT_EQ("failure: unknown update nope; this workflow knows: add, slow", world.update("w", "nope", "1"));
    EXPECT_EQ("5", world.update("w", "add", "5"));
    EXPECT_EQ("failure: negative", world.update("w", "add", "-1"));
    EXPECT_EQ("6", world.update("w", "add", "1"));
    EXPECT_EQ("6", world.query("w", "sum"));
    EXPECT_EQ("106", world.update("w", "add", "100"));
    world.loop.run_for(1s);
    EXPECT_EQ("WorkflowExecutionCompleted", worker::event_name(*world.history("w").events().rbegin()));
    EXPECT_TRUE(replay(world.history("w"), summing, nullptr).has_value());
  }
}

TEST(WorkerUpdates, AcceptedOneSurvivesAKill) {
  EngineWorld world;
  const auto add_workflow = [](Worker& worker) { worker.register_workflow("T", summing); };
  world.start_worker(1000, add_workflow);
  world.start("w", "T");
  world.loop.run_for(1s);
  api::UpdateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("w");
  request.mutable_wait_policy()->set_lifecycle_stage(
      temporal::api::enums::v1::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);
  request.mutable_request()->mutable_meta()->set_update_id("u1");
  request.mutable_request()->mutable_input()->set_name("slow");
  EngineWorld::set_json(request.mutable_request()->mutable_input()->mutable_args(), "7");
  EXPECT_TRUE(world.ask(&WorkflowService::UpdateWorkflowExecution, request).ok());
  world.kill_and_reopen();
  world.start_worker(1000, add_workflow);
  EXPECT_EQ("7", world.update("w", "slow", "7", "u1")) << "asked again, done once";
  EXPECT_EQ("7", world.query("w", "sum"));
}

TEST(WorkerUpdates, UnfinishedOnesAreWarnedOf) {
  EngineWorld world;
  std::vector<std::string> warnings;
  WorkerOptions options;
  options.task_queue = "Q";
  options.warn = [&warnings](const std::string& sentence) { warnings.push_back(sentence); };
  world.worker = Worker::create(*world.service, world.loop, world.loop, world.random, options);
  world.worker->register_workflow("T", summing);
  world.worker->start();
  world.start("w", "T");
  EXPECT_EQ("failure: Workflow Update failed because the Workflow completed before the Update completed.",
            world.update("w", "slow", "100", "u1"));
  ASSERT_EQ(1u, warnings.size());
  EXPECT_EQ(
      "workflow w of type T returned while its handler was still at update u1: whoever asked is told that it failed",
      warnings[0]);
}

TEST(WorkerUpdates, WithTheStart) {
  EngineWorld world;
  world.start_worker(1000, [](Worker& worker) { worker.register_workflow("T", summing); });
  for (const char* expected : {"5", "10"}) {
    api::ExecuteMultiOperationRequest request;
    auto& start = *request.add_operations()->mutable_start_workflow();
    start.set_workflow_id("w");
    start.mutable_workflow_type()->set_name("T");
    start.mutable_task_queue()->set_name("Q");
    start.set_workflow_id_conflict_policy(temporal::api::enums::v1::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    auto& update = *request.add_operations()->mutable_update_workflow();
    update.mutable_workflow_execution()->set_workflow_id("w");
    update.mutable_request()->mutable_meta();
    update.mutable_request()->mutable_input()->set_name("add");
    EngineWorld::set_json(update.mutable_request()->mutable_input()->mutable_args(), "5");
    api::ExecuteMultiOperationResponse reply;
    EXPECT_TRUE(world.ask(&WorkflowService::ExecuteMultiOperation, request, &reply).ok());
    ASSERT_EQ(2, reply.responses_size());
    EXPECT_EQ(expected, reply.responses(1).update_workflow().outcome().success().payloads(0).data());
  }
}

// Real histories of other workers, with code of ours that does what theirs did.

Flow<Outcome<std::string>> finish(bool* done, std::string) {
  *done = true;
  co_return std::string();
}
Flow<WorkflowEnd> until_updated(WorkflowContext& context, std::string) {
  bool done = false;
  UpdateHandler handler;
  handler.run = [&done](std::string input) { return finish(&done, std::move(input)); };
  context.on_update("update", handler);
  auto updated = context.until([&done] { return done; });
  co_await updated;
  co_return std::string();
}

Flow<Outcome<std::string>> finish_never(WorkflowContext& context, bool* done, std::string) {
  *done = true;
  auto never = context.until([] { return false; });
  co_await never;
  co_return std::string();
}
Flow<WorkflowEnd> until_told(WorkflowContext& context, const char* name) {
  bool done = false;
  UpdateHandler handler;
  handler.run = [&](std::string input) { return finish_never(context, &done, std::move(input)); };
  context.on_update(name, handler);
  auto told = context.until([&done] { return done; });
  co_await told;
  co_return std::string();
}
Flow<WorkflowEnd> done_update(WorkflowContext& context, std::string) { return until_told(context, "doneUpdate"); }
Flow<WorkflowEnd> my_update(WorkflowContext& context, std::string) { return until_told(context, "my_update"); }

Flow<WorkflowEnd> traced(WorkflowContext& context, std::string) {
  bool updated = false;
  UpdateHandler handler;
  handler.run = [&updated](std::string input) { return finish(&updated, std::move(input)); };
  context.on_update("doupdate", handler);
  auto timer = context.timer(1s);
  auto hello = co_await context.activity("say_hello", "", ten_seconds());
  auto fired = co_await timer;
  co_return std::string(hello && fired && updated ? "true" : "false");
}

struct Real {
  const char* name;
  const char* file;
  WorkflowFunction workflow;
};
void PrintTo(const Real& row, std::ostream* out) { *out << row.name; }
class RealUpdateHistory : public testing::TestWithParam<Real> {};

TEST_P(RealUpdateHistory, ReplaysOnOurWorker) {
  const auto path = std::filesystem::path(CALLIMPORT_SOURCE_DIR) / "../shared/temporal/histories" / GetParam().file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  const auto histories = read_histories(bytes.str());
  ASSERT_TRUE(histories.has_value()) << histories.error().message;
  ASSERT_EQ(1u, histories->size());
  const auto result = replay((*histories)[0], GetParam().workflow, nullptr);
  EXPECT_TRUE(result.has_value()) << result.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Files, RealUpdateHistory,
    testing::Values(
        Real{"GoAcceptAndComplete", "sdk-go/test/replaytests/update_accept_and_complete_and_exit.json", until_updated},
        Real{"TypeScriptUnfinished",
             "sdk-typescript/packages/test/history_files/complete_update_after_workflow_returns_pre1488.json",
             done_update},
        Real{"PythonUnfinished", "sdk-python/tests/worker/test_replayer_command_reordering_backward_compatibility.json",
             my_update},
        Real{"PythonEventTracing", "sdk-python/tests/worker/test_replayer_event_tracing.json", traced},
        Real{"PythonEventTracingSignalAtStart",
             "sdk-python/tests/worker/test_replayer_event_tracing_double_sig_at_start.json", traced}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace callimport::engine
