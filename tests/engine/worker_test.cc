// The worker against a port with nothing behind it: what it asks, what it answers, and when.
#include "engine/worker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

Flow<WorkflowEnd> wait_for_go(WorkflowContext& context, std::string) {
  int level = 0;
  context.on_signal("go", [&level](std::string text) { level = std::stoi(text); });
  context.on_query("level", [&level](std::string) { return Outcome<std::string>(std::to_string(level)); });
  auto slept = co_await context.timer(1s);
  auto go = context.until([&level] { return level > 1; });
  co_await go;
  co_return std::string(slept ? "\"gone\"" : "!");
}

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() { options.task_queue = "Q"; }
  void start() {
    port.GetSystemInfoCalls.always = [](const auto&, auto& reply) {
      reply.mutable_capabilities()->set_sdk_metadata(true);
      return PortStatus{};
    };
    worker = Worker::create(port, loop, loop, random, options);
    worker->register_workflow("T", wait_for_go);
    for (auto& [type, function] : activities) worker->register_activity(type, function);
    worker->start();
    loop.run_idle();
  }
  void serve_history(const HistoryBuilder& history, int page = 1000) {
    port.GetWorkflowExecutionHistoryCalls.always = [&history, page](const auto& request, auto& reply) {
      const int begin = request.next_page_token().empty() ? 0 : std::stoi(request.next_page_token());
      const int end = std::min(begin + page, history.history().events_size());
      for (int i = begin; i < end; ++i) *reply.mutable_history()->add_events() = history.history().events(i);
      if (end < history.history().events_size()) reply.set_next_page_token(std::to_string(end));
      return PortStatus{};
    };
  }
  void hand_out(api::PollWorkflowTaskQueueResponse response) {
    ASSERT_TRUE(port.answer(port.PollWorkflowTaskQueueCalls, std::move(response)));
    loop.run_idle();
  }
  void accept() {
    ASSERT_TRUE(port.answer(port.RespondWorkflowTaskCompletedCalls, api::RespondWorkflowTaskCompletedResponse{}));
    loop.run_idle();
  }
  const api::RespondWorkflowTaskCompletedRequest& completion() { return port.RespondWorkflowTaskCompletedCalls.last(); }

  SimLoop loop;
  SeededRandom random{7};
  FakePort port{loop};
  WorkerOptions options;
  std::vector<std::pair<std::string, ActivityFunction>> activities;
  std::unique_ptr<Worker> worker;
};

TEST_F(WorkerTest, PollsBothQueuesWithADeadlineAndNamesOfItsOwn) {
  start();
  const auto& polls = port.PollWorkflowTaskQueueCalls.all;
  ASSERT_EQ(4u, polls.size());
  EXPECT_EQ("Q", polls[0].request.task_queue().name());
  EXPECT_EQ(enums::TASK_QUEUE_KIND_STICKY, polls[2].request.task_queue().kind());
  EXPECT_EQ("Q", polls[2].request.task_queue().normal_name());
  EXPECT_NE(0u, polls[0].context.call);
  EXPECT_NE(polls[0].context.call, polls[2].context.call);
  EXPECT_EQ(loop.now() + 70s, *polls[0].context.deadline);
  EXPECT_EQ(0u, port.PollActivityTaskQueueCalls.size());  // it has no activities
}

TEST_F(WorkerTest, MorePollsAreOpenWhileTasksComeAndFewerWhenNoneDoes) {
  options.polls_max = 5;
  options.cached_runs_max = 0;
  start();
  for (const std::size_t open : {3u, 4u, 5u, 5u}) {
    HistoryBuilder history;
    hand_out(task_of(history.task(), 0));
    EXPECT_EQ(open, port.PollWorkflowTaskQueueCalls.waiting(port.cancelled));
  }
  for (const std::size_t open : {4u, 3u, 2u, 2u}) {
    hand_out({});
    EXPECT_EQ(open, port.PollWorkflowTaskQueueCalls.waiting(port.cancelled));
  }
}

TEST_F(WorkerTest, StaysCachedAndRunsOnWhatComesAfter) {  // B4, B26, B.7
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  ASSERT_EQ(1u, port.RespondWorkflowTaskCompletedCalls.size());
  EXPECT_EQ(1, completion().commands_size());
  EXPECT_EQ(enums::TASK_QUEUE_KIND_STICKY, completion().sticky_attributes().worker_task_queue().kind());
  EXPECT_EQ(10, completion().sticky_attributes().schedule_to_start_timeout().seconds());
  EXPECT_EQ("callimport-cpp", completion().sdk_metadata().sdk_name());
  ASSERT_EQ(1, completion().sdk_metadata().lang_used_flags_size());
  accept();
  EXPECT_EQ(1u, worker->figures().cached_runs);

  history.completed().timer_started("1").timer_fired("1", 5).signaled("go", "2").task();
  hand_out(task_of(history, 3, 4));
  ASSERT_EQ(2u, port.RespondWorkflowTaskCompletedCalls.size());
  EXPECT_EQ(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, completion().commands(0).command_type());
  EXPECT_TRUE(completion().sdk_metadata().sdk_name().empty());  // only what is new
  accept();
  EXPECT_EQ(0u, worker->figures().cached_runs);
  EXPECT_EQ(0u, worker->figures().replays);
  EXPECT_EQ(0u, port.GetWorkflowExecutionHistoryCalls.size());
}

TEST_F(WorkerTest, FetchesAllPagesOnACacheMissAndReplays) {  // B2, B3, B4
  start();
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).signaled("go", "2").task();
  serve_history(history, 2);
  hand_out(task_of(history, 3, 4));
  EXPECT_EQ(5u, port.GetWorkflowExecutionHistoryCalls.size());
  ASSERT_EQ(1u, port.RespondWorkflowTaskCompletedCalls.size());
  EXPECT_EQ(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, completion().commands(0).command_type());
  EXPECT_EQ(1u, worker->figures().replays);
}

TEST_F(WorkerTest, FollowsTheNextPagesOfATask) {
  start();
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).signaled("go", "2").task();
  serve_history(history);
  auto first_page = task_of(history, 3);
  first_page.mutable_history()->mutable_events()->DeleteSubrange(4, 5);
  first_page.set_next_page_token("4");
  hand_out(first_page);
  ASSERT_EQ(1u, port.GetWorkflowExecutionHistoryCalls.size());
  ASSERT_EQ(1u, port.RespondWorkflowTaskCompletedCalls.size());
  EXPECT_EQ(1, completion().commands_size());
}

TEST_F(WorkerTest, ATaskWhoseHistoryEndsTooEarlyFails) {  // B3
  start();
  HistoryBuilder history;
  auto cut = task_of(history.task(), 0);
  cut.set_started_event_id(9);
  hand_out(cut);
  ASSERT_EQ(1u, port.RespondWorkflowTaskFailedCalls.size());
  EXPECT_EQ("premature end of stream: the history does not reach event 9",
            port.RespondWorkflowTaskFailedCalls.last().failure().message());
}

TEST_F(WorkerTest, NondeterminismIsReportedOnceAndThenLeftToTimeOut) {  // B12, C14
  start();
  HistoryBuilder history;
  history.turn().activity_scheduled("1", "A").signaled("go", "1").task();
  auto wrong = task_of(history, 3);
  hand_out(wrong);
  ASSERT_EQ(1u, port.RespondWorkflowTaskFailedCalls.size());
  const auto& failed = port.RespondWorkflowTaskFailedCalls.last();
  EXPECT_EQ(enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, failed.cause());
  EXPECT_EQ(
      "nondeterministic workflow w at event 5: the history has ActivityTaskScheduled 1 of type A, "
      "the workflow code made StartTimer 1",
      failed.failure().message());
  EXPECT_EQ("callimport", failed.failure().source());
  wrong.set_attempt(2);
  hand_out(wrong);
  EXPECT_EQ(1u, port.RespondWorkflowTaskFailedCalls.size());
  EXPECT_EQ(0u, worker->figures().cached_runs);
}

TEST_F(WorkerTest, ARefusedCompletionDropsTheRun) {  // D21
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  ASSERT_TRUE(port.refuse(port.RespondWorkflowTaskCompletedCalls, 5, "Workflow task not found."));
  loop.run_idle();
  EXPECT_EQ(0u, worker->figures().cached_runs);
}

TEST_F(WorkerTest, ATooLargeCompletionFailsTheTask) {  // 0.6
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  ASSERT_TRUE(
      port.refuse(port.RespondWorkflowTaskCompletedCalls, 8, "grpc: received message larger than max (5 vs. 4)"));
  loop.run_for(20s);
  EXPECT_EQ(1u, port.RespondWorkflowTaskCompletedCalls.size());
  ASSERT_EQ(1u, port.RespondWorkflowTaskFailedCalls.size());
  EXPECT_EQ(enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE,
            port.RespondWorkflowTaskFailedCalls.last().cause());
}

TEST_F(WorkerTest, ATaskThatComesBeforeTheLastAnswerIsAcknowledgedWaits) {
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  history.completed().timer_started("1").timer_fired("1", 5).task();
  hand_out(task_of(history, 3, 4));
  EXPECT_EQ(1u, port.RespondWorkflowTaskCompletedCalls.size());
  accept();
  EXPECT_EQ(2u, port.RespondWorkflowTaskCompletedCalls.size());
}

TEST_F(WorkerTest, TheNextTaskInAReplyIsTaken) {  // C22
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  EXPECT_TRUE(completion().return_new_workflow_task());
  history.completed().timer_started("1").timer_fired("1", 5).task();
  api::RespondWorkflowTaskCompletedResponse reply;
  *reply.mutable_workflow_task() = task_of(history, 3, 4);
  ASSERT_TRUE(port.answer(port.RespondWorkflowTaskCompletedCalls, reply));
  loop.run_idle();
  EXPECT_EQ(2u, port.RespondWorkflowTaskCompletedCalls.size());
}

TEST_F(WorkerTest, ADroppedSpeculativeTaskIsForgotten) {  // B20, E13
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  accept();
  history.completed().timer_started("1");
  HistoryBuilder speculative = history;
  hand_out(task_of(speculative.task(), 3, 4));
  api::RespondWorkflowTaskCompletedResponse reply;
  reply.set_reset_history_event_id(3);
  ASSERT_TRUE(port.answer(port.RespondWorkflowTaskCompletedCalls, reply));
  loop.run_idle();
  EXPECT_EQ(1u, worker->figures().cached_runs);
}

TEST_F(WorkerTest, AnswersQueriesBothWays) {  // B21, E17
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  accept();
  history.completed().timer_started("1").signaled("go", "1").task();
  auto with_query = task_of(history, 3, 4);
  (*with_query.mutable_queries())["q1"].set_query_type("level");
  (*with_query.mutable_queries())["q2"].set_query_type("nothing");
  hand_out(with_query);
  EXPECT_EQ("1", completion().query_results().at("q1").answer().payloads(0).data());
  EXPECT_EQ(enums::QUERY_RESULT_TYPE_FAILED, completion().query_results().at("q2").result_type());
  EXPECT_EQ("unknown query nothing; this workflow knows: level", completion().query_results().at("q2").error_message());
  accept();

  api::PollWorkflowTaskQueueResponse direct;
  direct.set_task_token("query");
  direct.mutable_workflow_execution()->set_run_id("run-1");
  direct.mutable_workflow_type()->set_name("T");
  direct.set_attempt(1);
  direct.set_previous_started_event_id(8);
  direct.mutable_query()->set_query_type("level");
  hand_out(direct);
  ASSERT_EQ(1u, port.RespondQueryTaskCompletedCalls.size());
  EXPECT_EQ("1", port.RespondQueryTaskCompletedCalls.last().query_result().payloads(0).data());
  EXPECT_EQ(2u, port.RespondWorkflowTaskCompletedCalls.size());

  serve_history(history.completed());
  direct.mutable_workflow_execution()->set_run_id("run-2");  // not cached: fetched
  hand_out(direct);
  ASSERT_EQ(2u, port.RespondQueryTaskCompletedCalls.size());
  EXPECT_EQ("1", port.RespondQueryTaskCompletedCalls.last().query_result().payloads(0).data());
}

TEST_F(WorkerTest, TheLeastRecentlyUsedRunIsEvicted) {
  options.cached_runs_max = 2;
  start();
  for (const char* run : {"run-1", "run-2", "run-1", "run-3"}) {
    HistoryBuilder history;
    auto handed = task_of(history.task(), 0);
    handed.mutable_workflow_execution()->set_run_id(run);
    hand_out(handed);
    accept();
  }
  EXPECT_EQ(2u, worker->figures().cached_runs);
  EXPECT_EQ(1u, worker->figures().evictions);
}

TEST_F(WorkerTest, WithoutACacheNothingIsSticky) {
  options.cached_runs_max = 0;
  start();
  EXPECT_EQ(2u, port.PollWorkflowTaskQueueCalls.size());
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  EXPECT_FALSE(completion().has_sticky_attributes());
  accept();
  EXPECT_EQ(0u, worker->figures().cached_runs);
}

TEST_F(WorkerTest, PollsComeBackEverMoreSlowlyWhileTheServiceIsAway) {
  options.workflow_polls = 1;
  options.cached_runs_max = 0;
  start();
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(port.refuse(port.PollWorkflowTaskQueueCalls, 14, "away"));
    loop.run_idle();
    EXPECT_EQ(0u, port.PollWorkflowTaskQueueCalls.waiting(port.cancelled));
    loop.run_for(10s);
    EXPECT_EQ(1u, port.PollWorkflowTaskQueueCalls.waiting(port.cancelled));
  }
}

TEST_F(WorkerTest, PollsRefusedForAMinuteAreToldOnce) {  // A9
  std::vector<int> told;
  options.workflow_polls = 1;
  options.cached_runs_max = 0;
  options.refused = [&told](const PortStatus& status) { told.push_back(status.code); };
  port.PollWorkflowTaskQueueCalls.always = [](const auto&, auto&) { return PortStatus{14, "away", {}, {}}; };
  start();
  loop.run_for(120s);
  EXPECT_TRUE(told.empty()) << "an outage is nobody's refusal";
  port.PollWorkflowTaskQueueCalls.always = [](const auto&, auto&) { return PortStatus{7, "not yours", {}, {}}; };
  loop.run_for(50s);
  EXPECT_TRUE(told.empty());
  loop.run_for(300s);
  EXPECT_EQ(told, std::vector<int>{7});
  const auto polls = port.PollWorkflowTaskQueueCalls.size();
  loop.run_for(60s);
  EXPECT_GT(port.PollWorkflowTaskQueueCalls.size(), polls) << "its place is at the queue";
}

TEST_F(WorkerTest, ATransientErrorIsTriedAgainForTenSecondsAtMost) {  // A9
  start();
  HistoryBuilder history;
  port.RespondWorkflowTaskCompletedCalls.always = [](const auto&, auto&) {
    return PortStatus{14, "disk full", {}, {}};
  };
  hand_out(task_of(history.task(), 0));
  EXPECT_EQ(1u, port.RespondWorkflowTaskCompletedCalls.size());
  loop.run_for(1s);
  EXPECT_GT(port.RespondWorkflowTaskCompletedCalls.size(), 2u);
  loop.run_for(9s);
  const auto tries = port.RespondWorkflowTaskCompletedCalls.size();
  EXPECT_GT(tries, 5u);
  EXPECT_LE(tries, 10u);
  loop.run_for(60s);
  EXPECT_EQ(tries, port.RespondWorkflowTaskCompletedCalls.size());
  EXPECT_EQ(0u, worker->figures().cached_runs);
}

TEST_F(WorkerTest, AnAnswerToAQueryThatIsTooLargeFailsTheQuery) {  // 0.6, B21
  start();
  HistoryBuilder history;
  hand_out(task_of(history.task(), 0));
  accept();
  auto query = task_of(history, history.last());
  query.clear_history();
  query.mutable_query()->set_query_type("level");
  hand_out(std::move(query));
  ASSERT_EQ(1u, port.RespondQueryTaskCompletedCalls.size());
  port.refuse(port.RespondQueryTaskCompletedCalls, 8, "grpc: received message larger than max (9 vs. 4)");
  loop.run_idle();
  ASSERT_EQ(2u, port.RespondQueryTaskCompletedCalls.size());
  EXPECT_EQ(enums::QUERY_RESULT_TYPE_FAILED, port.RespondQueryTaskCompletedCalls.last().completed_type());
}

TEST_F(WorkerTest, StopWaitsForItsGoodbyeNoLongerThanItsGrace) {
  for (const bool answered : {true, false}) {
    start();
    bool stopped = false;
    worker->stop(5s, [&stopped] { stopped = true; });
    loop.run_for(1s);
    EXPECT_FALSE(stopped);
    if (answered) ASSERT_TRUE(port.answer(port.ShutdownWorkerCalls, api::ShutdownWorkerResponse{}));
    loop.run_for(answered ? 1s : 5s);
    EXPECT_TRUE(stopped);
    worker.reset();
    loop.run_for(60s);
  }
}

// Activities.

api::PollActivityTaskQueueResponse activity_task(const std::string& type, int heartbeat_s = 0) {
  api::PollActivityTaskQueueResponse task;
  task.set_task_token("a-token");
  task.mutable_workflow_execution()->set_workflow_id("w");
  task.mutable_activity_type()->set_name(type);
  task.set_activity_id("1");
  task.set_attempt(3);
  task.mutable_started_time()->set_seconds(1000);
  task.mutable_start_to_close_timeout()->set_seconds(10);
  task.mutable_heartbeat_timeout()->set_seconds(heartbeat_s);
  HistoryBuilder::set_json(task.mutable_input()->add_payloads(), "{\"n\":1}");
  HistoryBuilder::set_json(task.mutable_heartbeat_details()->add_payloads(), "\"half\"");
  return task;
}

class ActivityWorkerTest : public WorkerTest {
 protected:
  void run(ActivityFunction function, int heartbeat_s = 0) {
    activities = {{"A", std::move(function)}};
    start();
    ASSERT_TRUE(port.answer(port.PollActivityTaskQueueCalls, activity_task("A", heartbeat_s)));
    loop.run_idle();
  }
};

TEST_F(ActivityWorkerTest, SeesItsInfoAndAnswersItsResult) {
  ActivityInfo seen;
  run([&seen](ActivityContext& context, std::string input) -> Awaitable<ActivityResult> {
    seen = context.info();
    co_return input + "!";
  });
  EXPECT_EQ(3, seen.attempt);
  EXPECT_EQ("\"half\"", seen.heartbeat_details);
  EXPECT_EQ(Timestamp{1010s}, *seen.deadline);
  ASSERT_EQ(1u, port.RespondActivityTaskCompletedCalls.size());
  const auto& payload = port.RespondActivityTaskCompletedCalls.last().result().payloads(0);
  EXPECT_EQ("{\"n\":1}!", payload.data());
  EXPECT_EQ("json/plain", payload.metadata().at("encoding"));
}

TEST_F(ActivityWorkerTest, AFailureCarriesTypeDelayAndDetails) {
  run([](ActivityContext&, std::string) -> Awaitable<ActivityResult> {
    ActivityError error{.type = "platform.rate_limited",
                        .message = "busy",
                        .non_retryable = true,
                        .next_retry_delay = 1500ms,
                        .details = "7"};
    co_return tl::unexpected(std::move(error));
  });
  ASSERT_EQ(1u, port.RespondActivityTaskFailedCalls.size());
  const auto& failure = port.RespondActivityTaskFailedCalls.last().failure();
  EXPECT_EQ("busy", failure.message());
  EXPECT_EQ("callimport", failure.source());
  EXPECT_EQ("platform.rate_limited", failure.application_failure_info().type());
  EXPECT_TRUE(failure.application_failure_info().non_retryable());
  EXPECT_EQ(1, failure.application_failure_info().next_retry_delay().seconds());
  EXPECT_EQ(500'000'000, failure.application_failure_info().next_retry_delay().nanos());
  EXPECT_EQ("7", failure.application_failure_info().details().payloads(0).data());
}

TEST_F(ActivityWorkerTest, AResultBeyondTheMessageLimitIsAFailureForGood) {
  run([](ActivityContext&, std::string) -> Awaitable<ActivityResult> { co_return std::string("1"); });
  ASSERT_TRUE(
      port.refuse(port.RespondActivityTaskCompletedCalls, 8, "grpc: received message larger than max (5 vs. 4)"));
  loop.run_idle();
  ASSERT_EQ(1u, port.RespondActivityTaskFailedCalls.size());
  const auto& failure = port.RespondActivityTaskFailedCalls.last().failure();
  EXPECT_EQ("ResultTooLarge", failure.application_failure_info().type());
  EXPECT_TRUE(failure.application_failure_info().non_retryable());
}

TEST_F(ActivityWorkerTest, AnExceptionAndAnUnknownTypeAreRetryableFailures) {
  run([](ActivityContext&, std::string) -> Awaitable<ActivityResult> {
    throw std::runtime_error("oops");
    co_return std::string();
  });
  EXPECT_EQ("oops", port.RespondActivityTaskFailedCalls.last().failure().message());
  ASSERT_TRUE(port.answer(port.PollActivityTaskQueueCalls, activity_task("B")));
  loop.run_idle();
  const auto& failure = port.RespondActivityTaskFailedCalls.last().failure();
  EXPECT_EQ("activity type B is not registered on this worker", failure.message());
  EXPECT_FALSE(failure.application_failure_info().non_retryable());
}

TEST_F(ActivityWorkerTest, HeartbeatsAreThrottledAndTheNewestWins) {
  Clock* clock = &loop;
  port.RecordActivityTaskHeartbeatCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  run(
      [clock](ActivityContext& context, std::string) -> Awaitable<ActivityResult> {
        for (int i = 0; i < 100; ++i) {
          context.heartbeat(std::to_string(i));
          co_await sleep_for(*clock, 100ms);
        }
        co_return std::string();
      },
      5);
  loop.run_for(10s);
  const auto& calls = port.RecordActivityTaskHeartbeatCalls.all;  // at 0, 4 and 8 s
  ASSERT_EQ(3u, calls.size());
  EXPECT_EQ("0", calls[0].request.details().payloads(0).data());
  EXPECT_NEAR(40, std::stoi(calls[1].request.details().payloads(0).data()), 1);
  EXPECT_NEAR(80, std::stoi(calls[2].request.details().payloads(0).data()), 1);
  EXPECT_EQ(1u, port.RespondActivityTaskCompletedCalls.size());
  loop.run_for(60s);
  EXPECT_EQ(3u, calls.size());  // none after it returned
}

ActivityFunction until_cancelled(Clock* clock) {
  return [clock](ActivityContext& context, std::string) -> Awaitable<ActivityResult> {
    while (!context.cancelled()) {
      context.heartbeat("1");
      co_await sleep_for(*clock, 1s);
    }
    ActivityError error{.details = "\"stopped\"", .cancelled = true};
    co_return tl::unexpected(std::move(error));
  };
}

TEST_F(ActivityWorkerTest, CancellationComesWithAHeartbeatReply) {
  bool cancel = false;
  port.RecordActivityTaskHeartbeatCalls.always = [&cancel](const auto&, auto& reply) {
    reply.set_cancel_requested(cancel);
    return PortStatus{};
  };
  run(until_cancelled(&loop), 2);
  loop.run_for(10s);
  EXPECT_EQ(0u, port.RespondActivityTaskCanceledCalls.size());
  cancel = true;
  loop.run_for(3s);
  ASSERT_EQ(1u, port.RespondActivityTaskCanceledCalls.size());
  EXPECT_EQ("\"stopped\"", port.RespondActivityTaskCanceledCalls.last().details().payloads(0).data());
}

TEST_F(ActivityWorkerTest, APausedActivityStopsAndMayBeTriedLater) {  // C28
  port.RecordActivityTaskHeartbeatCalls.always = [](const auto&, auto& reply) {
    reply.set_activity_paused(true);
    return PortStatus{};
  };
  run(until_cancelled(&loop), 2);
  loop.run_for(5s);
  EXPECT_EQ(0u, port.RespondActivityTaskCanceledCalls.size());
  ASSERT_EQ(1u, port.RespondActivityTaskFailedCalls.size());
  const auto& failure = port.RespondActivityTaskFailedCalls.last().failure().application_failure_info();
  EXPECT_EQ("PutOff", failure.type());
  EXPECT_FALSE(failure.non_retryable());
}

TEST_F(ActivityWorkerTest, AnActivityWhoseRunIsGoneIsCancelled) {
  run(until_cancelled(&loop), 2);
  ASSERT_TRUE(port.refuse(port.RecordActivityTaskHeartbeatCalls, 5, "workflow execution already completed"));
  loop.run_for(3s);
  EXPECT_EQ(1u, port.RespondActivityTaskCanceledCalls.size());
}

TEST_F(ActivityWorkerTest, NoMoreRunAtOnceThanAllowed) {
  options.activities_max = 3;
  options.activity_polls = 2;
  run(until_cancelled(&loop));
  EXPECT_EQ(2u, port.PollActivityTaskQueueCalls.waiting(port.cancelled));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(port.answer(port.PollActivityTaskQueueCalls, activity_task("A")));
    loop.run_idle();
  }
  EXPECT_EQ(3u, worker->figures().running_activities);
  EXPECT_EQ(0u, port.PollActivityTaskQueueCalls.waiting(port.cancelled));
}

TEST_F(ActivityWorkerTest, EachQueueOfActivitiesHasPlacesOfItsOwn) {
  options.activities_max = 2;
  options.activity_polls = 1;
  options.more_activity_queues = {"Q-bulk"};
  activities = {{"A", until_cancelled(&loop)}};
  start();
  const auto bring = [this](const std::string& queue) {
    for (auto& call : port.PollActivityTaskQueueCalls.all) {
      if (!call.reply || call.request.task_queue().name() != queue) continue;
      auto task = activity_task("A");
      std::exchange(call.reply, nullptr)(PortStatus{}, &task);
      loop.run_idle();
      return true;
    }
    return false;
  };
  EXPECT_TRUE(bring("Q-bulk"));
  EXPECT_TRUE(bring("Q-bulk"));
  EXPECT_FALSE(bring("Q-bulk")) << "its places are taken";
  EXPECT_TRUE(bring("Q"));
  EXPECT_EQ(3u, worker->figures().running_activities);
  bool stopped = false;
  port.RespondActivityTaskFailedCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  port.ShutdownWorkerCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  worker->stop(10s, [&stopped] { stopped = true; });
  loop.run_for(1s);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(3u, port.RespondActivityTaskFailedCalls.size());
}

TEST_F(ActivityWorkerTest, StopCancelsPollsTellsActivitiesAndWaitsForThem) {
  port.RespondActivityTaskFailedCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  port.ShutdownWorkerCalls.always = [](const auto&, auto&) { return PortStatus{}; };
  run(until_cancelled(&loop));
  bool stopped = false;
  worker->stop(10s, [&stopped] { stopped = true; });
  EXPECT_EQ(0u, port.PollActivityTaskQueueCalls.waiting(port.cancelled));
  EXPECT_EQ(0u, port.PollWorkflowTaskQueueCalls.waiting(port.cancelled));
  loop.run_idle();
  EXPECT_FALSE(stopped);
  loop.run_for(1s);
  EXPECT_TRUE(stopped);
  ASSERT_EQ(1u, port.RespondActivityTaskFailedCalls.size());  // nobody asked the service to cancel it
  EXPECT_EQ("WorkerStopped", port.RespondActivityTaskFailedCalls.last().failure().application_failure_info().type());
  EXPECT_EQ(1u, port.ShutdownWorkerCalls.size());
}

TEST_F(ActivityWorkerTest, StopGivesUpAfterItsGraceAndTheActivityMayOutliveTheWorker) {
  Clock* clock = &loop;
  bool returned = false;
  run([clock, &returned](ActivityContext& context, std::string) -> Awaitable<ActivityResult> {
    co_await sleep_for(*clock, 60s);
    context.heartbeat("1");
    returned = context.cancelled();
    co_return std::string();
  });
  bool stopped = false;
  worker->stop(10s, [&stopped] { stopped = true; });
  loop.run_for(10s);
  EXPECT_TRUE(stopped);
  worker.reset();
  loop.run_for(60s);
  EXPECT_TRUE(returned);
  EXPECT_EQ(0u, port.RespondActivityTaskCompletedCalls.size());
}

}  // namespace
}  // namespace callimport::engine
