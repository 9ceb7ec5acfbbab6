// Local activities on a worker: attempts, time-outs, the heartbeat of the task, and the worker's end (B23).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/worker.h"
#include "engine/worker/local_runner.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "tests/engine/fake_port.h"
#include "tests/engine/history_builder.h"
#include "tests/engine/task_of.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;
using simulations::SeededRandom;
using simulations::SimLoop;
using testing_support::FakePort;
using testing_support::HistoryBuilder;
using testing_support::task_of;

class WorkerLocals : public testing::Test {
 protected:
  void start(ActivityFunction function, LocalActivityOptions asked, int cached = 1'000) {
    WorkerOptions options;
    options.task_queue = "Q";
    options.cached_runs_max = cached;
    port.GetSystemInfoCalls.always = [](const auto&, auto&) { return PortStatus{}; };
    worker = Worker::create(port, loop, loop, random, options);
    worker->register_workflow("T", [asked](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
      auto outcome = co_await context.local_activity("A", "1", asked);
      if (outcome) co_return *outcome;
      co_return outcome.error();
    });
    worker->register_activity("A", std::move(function));
    worker->start();
    loop.run_idle();
  }
  void hand_out(api::PollWorkflowTaskQueueResponse response) {
    ASSERT_TRUE(port.answer(port.PollWorkflowTaskQueueCalls, std::move(response)));
    loop.run_idle();
  }
  std::size_t answers() const { return port.RespondWorkflowTaskCompletedCalls.size(); }
  const api::RespondWorkflowTaskCompletedRequest& completion() { return port.RespondWorkflowTaskCompletedCalls.last(); }
  std::string kind(int i) { return enums::CommandType_Name(completion().commands(i).command_type()).substr(13); }

  SimLoop loop;
  SeededRandom random{7};
  FakePort port{loop};
  std::unique_ptr<Worker> worker;
  HistoryBuilder history;
  std::vector<int> attempts;
};

TEST_F(WorkerLocals, ShortWaitsBetweenAttemptsAreWithinTheTask) {
  LocalActivityOptions asked;
  asked.retry = RetryPolicy{.initial = 1s, .coefficient = 2};
  start(
      [this](ActivityContext& context, std::string) -> Awaitable<ActivityResult> {
        attempts.push_back(context.info().attempt);
        ActivityError again{.type = "Again"};
        if (attempts.size() < 3) co_return tl::unexpected(again);
        co_return "\"third\"";
      },
      asked);
  history.task();
  hand_out(task_of(history, 0, 1));
  EXPECT_EQ(0u, answers()) << "the task is kept";
  loop.run_for(2900ms);
  EXPECT_EQ(0u, answers());
  loop.run_for(200ms);  // 1 s and 2 s are over
  EXPECT_EQ((std::vector<int>{1, 2, 3}), attempts);
  ASSERT_EQ(1u, answers());
  ASSERT_EQ(2, completion().commands_size());
  EXPECT_EQ("RECORD_MARKER", kind(0));
  EXPECT_EQ("COMPLETE_WORKFLOW_EXECUTION", kind(1));
  EXPECT_FALSE(completion().force_create_new_workflow_task());
}

TEST_F(WorkerLocals, ALongWaitIsATimer) {
  LocalActivityOptions asked;
  asked.retry = RetryPolicy{.initial = 3s};
  asked.local_retry_threshold = 2s;
  start(
      [](ActivityContext&, std::string) -> Awaitable<ActivityResult> {
        ActivityError again{.type = "Again"};
        co_return tl::unexpected(again);
      },
      asked);
  history.task();
  hand_out(task_of(history, 0, 1));
  ASSERT_EQ(1u, answers());
  ASSERT_EQ(2, completion().commands_size());
  EXPECT_EQ("RECORD_MARKER", kind(0));
  EXPECT_EQ("START_TIMER", kind(1));
}

/// Held back until the test lets it go.
Awaitable<ActivityResult> held(Clock& clock, ActivityContext& context, const bool& go) {
  while (!go && !context.cancelled()) {
    auto pause = sleep_for(clock, 100ms);
    co_await std::move(pause);
  }
  ActivityError stopped{.cancelled = true};
  if (!go) co_return tl::unexpected(stopped);
  co_return "\"late\"";
}

class HeldLocal : public WorkerLocals, public testing::WithParamInterface<int> {};

TEST_P(HeldLocal, KeepsItsTaskAliveByHeartbeats) {  // B23, B7
  bool go = false;
  LocalActivityOptions asked;
  asked.start_to_close = 60s;
  start([this, &go](ActivityContext& context, std::string) { return held(loop, context, go); }, asked, GetParam());
  history.task();
  hand_out(task_of(history, 0, 1));
  loop.run_for(7900ms);
  EXPECT_EQ(0u, answers());
  loop.run_for(200ms);  // 80 % of 10 s
  for (std::int64_t previous = 3; previous <= 6; previous += 3) {
    ASSERT_EQ(static_cast<std::size_t>(previous / 3), answers());
    EXPECT_TRUE(completion().force_create_new_workflow_task());
    EXPECT_TRUE(completion().return_new_workflow_task());
    EXPECT_EQ(0, completion().commands_size());
    history.completed().task();
    api::RespondWorkflowTaskCompletedResponse reply;
    *reply.mutable_workflow_task() = task_of(history, previous, static_cast<int>(previous) + 1);
    ASSERT_TRUE(port.answer(port.RespondWorkflowTaskCompletedCalls, reply));
    loop.run_for(8100ms);
  }
  go = true;
  loop.run_for(200ms);
  ASSERT_EQ(3u, answers()) << "the third heartbeat is on its way: the result waits for the next task";
  history.completed().task();
  api::RespondWorkflowTaskCompletedResponse reply;
  *reply.mutable_workflow_task() = task_of(history, 9, 10);
  ASSERT_TRUE(port.answer(port.RespondWorkflowTaskCompletedCalls, reply));
  loop.run_idle();
  ASSERT_EQ(4u, answers());
  EXPECT_FALSE(completion().force_create_new_workflow_task());
  ASSERT_EQ(2, completion().commands_size());
  EXPECT_EQ("RECORD_MARKER", kind(0));
  EXPECT_EQ("COMPLETE_WORKFLOW_EXECUTION", kind(1));
  EXPECT_EQ(0u, worker->figures().replays);
}
INSTANTIATE_TEST_SUITE_P(CachedRuns, HeldLocal, testing::Values(1'000, 0));

TEST_F(WorkerLocals, AWorkerThatStopsLeavesTheTaskToAnother) {
  const bool go = false;
  LocalActivityOptions asked;
  start([this, &go](ActivityContext& context, std::string) { return held(loop, context, go); }, asked);
  history.task();
  hand_out(task_of(history, 0, 1));
  bool stopped = false;
  port.ShutdownWorkerCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  worker->stop(30s, [&stopped] { stopped = true; });
  loop.run_for(200ms);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(0u, answers());
  EXPECT_EQ(0u, port.RespondWorkflowTaskFailedCalls.size());
}

TEST_F(WorkerLocals, AWorkerThatStopsBeforeItsHeartbeatIsAnsweredForgetsTheRun) {
  const bool go = false;
  LocalActivityOptions asked;
  asked.start_to_close = 60s;
  start([this, &go](ActivityContext& context, std::string) { return held(loop, context, go); }, asked);
  history.task();
  hand_out(task_of(history, 0, 1));
  loop.run_for(8100ms);
  ASSERT_EQ(1u, answers());
  bool stopped = false;
  port.ShutdownWorkerCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  worker->stop(30s, [&stopped] { stopped = true; });
  loop.run_for(200ms);
  EXPECT_FALSE(stopped) << "the answer is still to come";
  history.completed().task();
  api::RespondWorkflowTaskCompletedResponse reply;
  *reply.mutable_workflow_task() = task_of(history, 3, 4);
  ASSERT_TRUE(port.answer(port.RespondWorkflowTaskCompletedCalls, reply));
  loop.run_for(200ms);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(1u, answers());
  EXPECT_EQ(0u, worker->figures().cached_runs);
}

TEST_F(WorkerLocals, AnAttemptThatTakesTooLongIsGivenUp) {
  const bool go = false;
  LocalActivityOptions asked;
  asked.start_to_close = 1s;
  asked.retry = RetryPolicy{.initial = 1s, .attempts_max = 2};
  start([this, &go](ActivityContext& context, std::string) { return held(loop, context, go); }, asked);
  history.task();
  hand_out(task_of(history, 0, 1));
  loop.run_for(3100ms);  // one second, the wait, one second
  ASSERT_EQ(1u, answers());
  const auto& marker = completion().commands(0).record_marker_command_attributes();
  EXPECT_EQ(enums::TIMEOUT_TYPE_START_TO_CLOSE, marker.failure().timeout_failure_info().timeout_type());
  EXPECT_EQ("FAIL_WORKFLOW_EXECUTION", kind(1));
}

TEST_F(WorkerLocals, ATypeNobodyRegisteredFailsTheTask) {
  start([](ActivityContext&, std::string) -> Awaitable<ActivityResult> { co_return ""; }, {});
  worker->register_workflow("T", [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    co_await context.local_activity("nobody", "", LocalActivityOptions());
    co_return "";
  });
  history.task();
  hand_out(task_of(history, 0, 1));
  ASSERT_EQ(1u, port.RespondWorkflowTaskFailedCalls.size());
  EXPECT_EQ("local activity type nobody is not registered on this worker",
            port.RespondWorkflowTaskFailedCalls.last().failure().message());
}

struct Next {
  const char* name;
  std::optional<RetryPolicy> policy;
  Failure failure;
  int failed;
  std::optional<Nanos> expected;
};
void PrintTo(const Next& row, std::ostream* out) { *out << row.name; }
class NextAttempt : public testing::TestWithParam<Next> {};

TEST_P(NextAttempt, ComesAfter) {
  const auto& row = GetParam();
  EXPECT_EQ(row.expected, worker::next_attempt_after(row.policy, row.failure, std::nullopt, row.failed));
}

INSTANTIATE_TEST_SUITE_P(
    Table, NextAttempt,
    testing::Values(Next{"First", RetryPolicy{}, Failure{}, 1, 1s}, Next{"Third", RetryPolicy{}, Failure{}, 3, 4s},
                    Next{"HundredTimesTheFirst", RetryPolicy{}, Failure{}, 5000, 100s},
                    Next{"AtMost", RetryPolicy{.maximum = 3s}, Failure{}, 3, 3s},
                    Next{"LastAttempt", RetryPolicy{.attempts_max = 3}, Failure{}, 3, std::nullopt},
                    Next{"OneBeforeTheLast", RetryPolicy{.attempts_max = 3}, Failure{}, 2, 2s},
                    Next{"NoPolicy", std::nullopt, Failure{}, 1, std::nullopt},
                    Next{"NotRetryable", RetryPolicy{}, Failure{.non_retryable = true}, 1, std::nullopt},
                    Next{"ListedType", RetryPolicy{.non_retryable = {"E"}}, Failure{.type = "E"}, 1, std::nullopt},
                    Next{"Cancelled", RetryPolicy{}, Failure{.kind = Failure::Kind::kCancelled}, 1, std::nullopt}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace callimport::engine
