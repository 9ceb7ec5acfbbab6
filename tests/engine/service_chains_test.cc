// Chains of runs: retry, cron, continue-as-new and their timeouts (conformance C.5, E11, E18).
#include <gtest/gtest.h>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// Starts W as asked and names its run R1.
std::string begin(ServiceWorld& world, const api::StartWorkflowExecutionRequest& request) {
  const auto answer = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  world.name_run(answer.reply.run_id(), "R1");
  return answer.reply.run_id();
}

TEST(Transcript, E18CronChain) {
  ServiceWorld world;
  auto request = world.start_request();
  request.set_cron_schedule("@every 1s");
  const std::string first = begin(world, request);
  EXPECT_EQ(world.history().events_size(), 1) << "C10: no task in the first backoff";
  world.advance(Seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow("\"res\"")}).ok());
  EXPECT_EQ(world.transcript("W", first),
            "[1 WorkflowExecutionStarted initiator=CRON_SCHEDULE original_run=R1 first_run=R1 attempt=1 "
            "cron_schedule=@every 1s backoff=1s\n"
            "[2 WorkflowTaskScheduled attempt=1\n"
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            " 5 WorkflowExecutionCompleted result=[\"res\"] wtc=4 new_run=R2\n");
  const std::string second = world.describe().workflow_execution_info().execution().run_id();
  world.advance(Seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {fail_workflow("cf")}).ok());
  EXPECT_EQ(world.transcript("W", second),
            "[1 WorkflowExecutionStarted continued_run=R1 initiator=CRON_SCHEDULE last_completion_result=[\"res\"] "
            "original_run=R2 first_run=R1 attempt=1 cron_schedule=@every 1s backoff=1s prev_auto_reset_points\n"
            "[2 WorkflowTaskScheduled attempt=1\n"
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            " 5 WorkflowExecutionFailed failure={message=cf app={type=E}} retry_state=RETRY_POLICY_NOT_SET wtc=4 "
            "new_run=R3\n");
  EXPECT_EQ(world.transcript(),
            "[1 WorkflowExecutionStarted continued_run=R2 initiator=CRON_SCHEDULE continued_failure={message=cf "
            "app={type=E}} last_completion_result=[\"res\"] original_run=R3 first_run=R1 attempt=1 "
            "cron_schedule=@every 1s backoff=1s prev_auto_reset_points\n");
}

TEST(Cron, GoesOnAfterARunTimeout) {
  ServiceWorld world;
  auto request = world.start_request();
  request.set_cron_schedule("@every 1s");
  *request.mutable_workflow_run_timeout() = seconds(1.5);
  (void)begin(world, request);
  world.advance(Seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow("\"res\"")}).ok());
  world.advance(milliseconds{2'500});  // the second run's backoff, then its timeout
  EXPECT_EQ(world.transcript(),
            "[1 WorkflowExecutionStarted run_timeout=1.5s wft_timeout=1.5s continued_run=R2 initiator=CRON_SCHEDULE "
            "continued_failure={message=workflow timeout source=Server timeout={timeout_type=START_TO_CLOSE}} "
            "last_completion_result=[\"res\"] original_run=R3 first_run=R1 attempt=1 cron_schedule=@every 1s "
            "backoff=1s prev_auto_reset_points\n");
}

TEST(Cron, RetriesFirstThenGoesOn) {  // as seen on server 1.29.1: a retry forgets the last result
  ServiceWorld world;
  auto request = world.start_request();
  request.set_cron_schedule("@every 1s");
  request.mutable_retry_policy()->set_maximum_attempts(2);
  (void)begin(world, request);
  world.advance(Seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow("\"res\"")}).ok());
  world.advance(Seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {fail_workflow("f1")}).ok());
  const auto started = [&] { return world.history().events(0).workflow_execution_started_event_attributes(); };
  EXPECT_EQ(started().initiator(), enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
  EXPECT_EQ(started().attempt(), 2);
  EXPECT_EQ(started().cron_schedule(), "@every 1s");
  EXPECT_FALSE(started().has_last_completion_result());
  world.advance(Seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {fail_workflow("f2")}).ok());
  EXPECT_EQ(started().initiator(), enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  EXPECT_EQ(started().attempt(), 1);
  EXPECT_EQ(started().continued_failure().message(), "f2");
}

TEST(Cron, EndsWhenItIsCancelledOrTerminated) {
  for (const bool cancel : {true, false}) {
    ServiceWorld world;
    auto request = world.start_request();
    request.set_cron_schedule("* * * * *");
    (void)begin(world, request);
    EXPECT_TRUE(world.cancel().ok());  // C.6: ends the backoff
    if (cancel) {
      EXPECT_TRUE(world.complete(world.poll(), {cancel_workflow()}).ok());
    } else {
      EXPECT_TRUE(world.terminate("x").ok());
    }
    world.advance(std::chrono::minutes{3});
    EXPECT_NE(world.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  }
}

TEST(Cron, ARunThatTookTooLongSkipsMoments) {
  ServiceWorld world;
  auto request = world.start_request();
  request.set_cron_schedule("@every 10s");
  (void)begin(world, request);
  world.advance(Seconds{10});
  const WorkflowTask task = world.poll();
  world.advance(Seconds{5});
  (void)world.complete(task, {start_timer("t", 30)});
  world.advance(Seconds{30});
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());  // 45 s after the start
  const auto backoff = world.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(backoff.first_workflow_task_backoff().seconds(), 5);
}

TEST(Cron, HoldsAcrossARestart) {
  ServiceWorld world;
  auto request = world.start_request();
  request.set_cron_schedule("@every 10s");
  *request.mutable_input() = payloads("\"in\"");
  (void)begin(world, request);
  world.advance(Seconds{5});
  world.restart();
  world.advance(Seconds{5});
  const WorkflowTask task = world.poll();
  world.restart();
  EXPECT_TRUE(world.complete(task, {complete_workflow("\"1\"")}).ok());
  world.restart();
  world.advance(Seconds{10});
  const WorkflowTask next = world.poll();
  const auto& started = next.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.last_completion_result().payloads(0).data(), "\"1\"");
  EXPECT_EQ(started.input().payloads(0).data(), "\"in\"");
}

TEST(Cron, IsCheckedAtTheDoor) {  // C7
  ServiceWorld world;
  auto request = world.start_request();
  request.set_cron_schedule("nope");
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, request).status.message, "invalid CronSchedule.");
  request.set_cron_schedule("0 0 30 2 *");
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, request).status.message,
            "invalid CronSchedule, no time can be found to satisfy the schedule");
  request.set_cron_schedule("@hourly");
  *request.mutable_workflow_start_delay() = seconds(1);
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, request).status.message,
            "CronSchedule and WorkflowStartDelay may not be used together.");
}

TEST(Chains, AnExecutionTimeoutSpansThem) {  // as seen on server 1.29.1
  ServiceWorld world;
  auto request = world.start_request();
  request.mutable_retry_policy();
  *request.mutable_workflow_execution_timeout() = seconds(3);
  *request.mutable_workflow_run_timeout() = seconds(1);
  const std::string first = begin(world, request);
  world.advance(milliseconds{3'100});
  EXPECT_EQ(world.transcript("W", first, 3), "[3 WorkflowExecutionTimedOut retry_state=IN_PROGRESS new_run=R2\n");
  EXPECT_EQ(world.transcript("W", "", 2),
            "[2 WorkflowTaskScheduled st2c=1s attempt=1\n"
            "[3 WorkflowExecutionTimedOut retry_state=TIMEOUT\n");
}

TEST(Chains, AnExecutionTimeoutAloneHasItsOwnRetryState) {
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_execution_timeout() = seconds(2);
  (void)begin(world, request);
  world.advance(Seconds{2});
  EXPECT_EQ(world.transcript("W", "", 3), "[3 WorkflowExecutionTimedOut retry_state=TIMEOUT\n");
}

TEST(Chains, ARetryStartsFromWhatTheFirstRunWasGiven) {  // as seen on server 1.29.1: upserts are not handed on
  EmbeddedOptions options;
  options.search_attributes["CustomKeywordField"] = "Keyword";
  ServiceWorld world(options);
  auto request = world.start_request();
  request.mutable_retry_policy()->set_maximum_attempts(2);
  (*request.mutable_memo()->mutable_fields())["m"].set_data("1");
  (void)begin(world, request);
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
  (*upsert.mutable_modify_workflow_properties_command_attributes()->mutable_upserted_memo()->mutable_fields())["m"]
      .set_data("2");
  EXPECT_TRUE(world.complete(world.poll(), {upsert, fail_workflow("f")}).ok());
  EXPECT_EQ(world.describe().workflow_execution_info().memo().fields().at("m").data(), "1");
}

TEST(Chains, SearchAttributesOfTheNextRunTellTheirTypes) {  // as seen on server 1.29.1, in both events
  EmbeddedOptions options;
  options.search_attributes["CustomKeywordField"] = "Keyword";
  ServiceWorld world(options);
  const std::string first = begin(world, world.start_request());
  Command next = continue_as_new("1");
  auto& asked = *next.mutable_continue_as_new_workflow_execution_command_attributes()->mutable_search_attributes();
  auto& payload = (*asked.mutable_indexed_fields())["CustomKeywordField"];
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data("\"sink\"");
  EXPECT_TRUE(world.complete(world.poll(), {next}).ok());
  const History before = world.history("W", first), after = world.history();
  const auto& closing =
      before.events().rbegin()->workflow_execution_continued_as_new_event_attributes().search_attributes();
  const auto& started = after.events(0).workflow_execution_started_event_attributes().search_attributes();
  EXPECT_EQ("Keyword", closing.indexed_fields().at("CustomKeywordField").metadata().at("type"));
  EXPECT_EQ("Keyword", started.indexed_fields().at("CustomKeywordField").metadata().at("type"));
}

TEST(SignalWithStart, RequestIdsAreOfSignals) {  // as seen on server 1.29.1
  ServiceWorld world;
  api::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("W");
  request.mutable_workflow_type()->set_name("T");
  request.mutable_task_queue()->set_name("W");
  request.set_signal_name("s");
  request.set_request_id("r1");
  const auto send = [&] { return world.call(&WorkflowService::SignalWithStartWorkflowExecution, request); };
  EXPECT_TRUE(send().reply.started());
  EXPECT_FALSE(send().reply.started());
  EXPECT_EQ(world.history().events_size(), 3) << "one signal";
  request.set_request_id("r2");
  request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING);
  const auto second = send();
  EXPECT_TRUE(second.reply.started());
  const auto third = send();
  EXPECT_TRUE(third.reply.started()) << "it makes room even for itself";
  EXPECT_NE(third.reply.run_id(), second.reply.run_id());
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
  request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
  EXPECT_EQ(send().status.code, 6);
  request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY);
  EXPECT_EQ(send().status.code, 6);
}

}  // namespace
}  // namespace callimport::engine::testing_world
