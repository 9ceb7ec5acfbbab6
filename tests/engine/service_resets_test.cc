// ResetWorkflowExecution (conformance C.11, E14). The refusals and event sequences are those of server 1.29.1.
#include <gtest/gtest.h>

#include "engine/history/history_rules.h"
#include "tests/engine/service_world.h"
#include "tests/engine/update_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

api::ResetWorkflowExecutionRequest reset_request(const std::string& run_id, std::int64_t finish,
                                                 const std::string& request_id = "reset-1") {
  api::ResetWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  request.mutable_workflow_execution()->set_run_id(run_id);
  request.set_reason("rsn");
  request.set_workflow_task_finish_event_id(finish);
  request.set_request_id(request_id);
  return request;
}

std::string reset(ServiceWorld& world, const api::ResetWorkflowExecutionRequest& request) {
  const auto answer = world.call(&WorkflowService::ResetWorkflowExecution, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply.run_id();
}

api::DescribeWorkflowExecutionResponse describe(ServiceWorld& world, const std::string& run_id) {
  api::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("W");
  request.mutable_execution()->set_run_id(run_id);
  const auto answer = world.call(&WorkflowService::DescribeWorkflowExecution, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply;
}

/// E14's run: events 1 to 11, s2 after the reset point 9, activity a pending on AQ.
std::string run_of_e14(ServiceWorld& world) {
  const std::string run = world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a", "AQ")}).ok());
  EXPECT_TRUE(world.signal("s1").ok());
  EXPECT_TRUE(world.complete(world.poll()).ok());
  EXPECT_TRUE(world.signal("s2").ok());
  return run;
}

TEST(Reset, E14ToTheSecondCompletedTask) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  const History before = world.history("W", base);
  const std::string made = reset(world, reset_request(base, 9));
  EXPECT_EQ(world.transcript("W", base, 8),
            "[8 WorkflowTaskStarted scheduled=7\n"
            "[9 WorkflowTaskCompleted scheduled=7 started=8\n"
            "[10 WorkflowExecutionSignaled signal_name=s2\n"
            " 11 WorkflowTaskScheduled attempt=1\n"
            "[12 WorkflowExecutionTerminated reason=rsn identity=history-resetter\n");
  EXPECT_EQ(world.transcript("W", made, 5),
            " 5 ActivityTaskScheduled activity_id=a queue=AQ wtc=4\n"
            "[6 WorkflowExecutionSignaled signal_name=s1\n"
            " 7 WorkflowTaskScheduled attempt=1\n"
            "[8 WorkflowTaskStarted scheduled=7\n"
            "[9 WorkflowTaskFailed scheduled=7 started=8 cause=RESET_WORKFLOW failure={message=rsn "
            "reset_workflow_failure_info={}} identity=history-service base_run_id=R1 new_run_id=R2\n"
            " 10 WorkflowExecutionSignaled signal_name=s2\n"
            " 11 WorkflowTaskScheduled attempt=1\n");
  const History after = world.history("W", made);
  for (int i = 0; i < 8; ++i) {  // copied unchanged, task ids and run ids too
    EXPECT_EQ(after.events(i).SerializeAsString(), before.events(i).SerializeAsString()) << i + 1;
  }
}

TEST(Reset, TheNewRunGoesOnFromTheKeptPart) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  const ActivityTask old = world.poll_activity("AQ");
  const std::string made = reset(world, reset_request(base, 9));
  EXPECT_EQ(world.complete_activity(old).message, "workflow execution already completed");
  const ActivityTask again = world.poll_activity("AQ");  // dispatched anew, as attempt 1
  EXPECT_EQ(again.workflow_execution().run_id(), made);
  EXPECT_EQ(again.attempt(), 1);
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.previous_started_event_id(), 3);  // of the kept part
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(task.history().events_size(), 12);
  EXPECT_TRUE(world.complete(task).ok());
  EXPECT_TRUE(world.complete_activity(again).ok());
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow("\"ok\"")}).ok());
  EXPECT_EQ(describe(world, made).workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
}

TEST(Reset, DescribeTellsBothSides) {
  ServiceWorld world;
  auto start = world.start_request();
  *start.mutable_workflow_run_timeout() = testing_world::seconds(500);
  *start.mutable_workflow_execution_timeout() = testing_world::seconds(900);
  const std::string base = world.call(&WorkflowService::StartWorkflowExecution, start).reply.run_id();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a", "AQ")}).ok());
  world.signal("s1");
  EXPECT_TRUE(world.complete(world.poll()).ok());
  const std::int64_t began = to_unix_ns(world.loop.now()) / 1'000'000'000;
  world.advance(seconds{100});
  const std::string made = reset(world, reset_request(base, 9));
  for (const bool restarted : {false, true}) {
    if (restarted) world.restart();
    const auto old = describe(world, base);
    EXPECT_EQ(old.workflow_extended_info().reset_run_id(), made);
    EXPECT_FALSE(old.workflow_extended_info().has_last_reset_time());
    const auto now = describe(world, made);
    const auto& info = now.workflow_execution_info();
    EXPECT_EQ(info.start_time().seconds(), began + 100);
    EXPECT_EQ(info.execution_time().seconds(), began + 100);
    EXPECT_EQ(info.first_run_id(), base);
    EXPECT_EQ(info.state_transition_count(), 2);
    ASSERT_EQ(info.auto_reset_points().points_size(), 1);
    EXPECT_EQ(info.auto_reset_points().points(0).run_id(), made);
    EXPECT_EQ(info.auto_reset_points().points(0).first_workflow_task_completed_id(), 4);
    const auto& extended = now.workflow_extended_info();
    EXPECT_EQ(extended.last_reset_time().seconds(), began + 100);
    EXPECT_EQ(extended.original_start_time().seconds(), began);
    EXPECT_EQ(extended.run_expiration_time().seconds(), began + 600);  // limits count from the reset
    EXPECT_EQ(extended.execution_expiration_time().seconds(), began + 1000);
    ASSERT_EQ(extended.request_id_infos().size(), 1u);
    EXPECT_EQ(extended.request_id_infos().begin()->first, "reset-1");
    ASSERT_EQ(now.pending_activities_size(), 1);
    EXPECT_EQ(now.pending_activities(0).scheduled_time().seconds(), began + 100);
    EXPECT_EQ(now.pending_activities(0).attempt(), 1);
  }
}

TEST(Reset, TheSameRequestIsDoneOnce) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  const std::string made = reset(world, reset_request(base, 9, "once"));
  EXPECT_EQ(reset(world, reset_request(base, 9, "once")), made);
  world.restart();
  EXPECT_EQ(reset(world, reset_request(base, 4, "once")), made);
  EXPECT_NE(reset(world, reset_request(base, 9, "twice")), made);
}

TEST(Reset, AnUnstartedTaskIsStartedByTheService) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  const std::string made = reset(world, reset_request(base, 3));
  EXPECT_EQ(world.transcript("W", made, 2),
            " 2 WorkflowTaskScheduled attempt=1\n"
            "[3 WorkflowTaskStarted scheduled=2 identity=history-service\n"
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=RESET_WORKFLOW failure={message=rsn "
            "reset_workflow_failure_info={}} identity=history-service base_run_id=R1 new_run_id=R2\n"
            " 5 WorkflowExecutionSignaled signal_name=s1\n"
            " 6 WorkflowExecutionSignaled signal_name=s2\n"
            " 7 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(world.poll().previous_started_event_id(), 0);
}

TEST(Reset, AStartedTaskIsFailedAndItsBufferCounts) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  const WorkflowTask task = world.poll();
  world.signal("s3");
  const std::string made = reset(world, reset_request(base, 9));
  EXPECT_EQ(world.transcript("W", base, 13),
            "[13 WorkflowTaskFailed scheduled=11 started=12 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
            " 14 WorkflowExecutionSignaled signal_name=s3\n"
            " 15 WorkflowExecutionTerminated reason=rsn identity=history-resetter\n");
  EXPECT_EQ(world.transcript("W", made, 10),
            " 10 WorkflowExecutionSignaled signal_name=s2\n"
            " 11 WorkflowExecutionSignaled signal_name=s3\n"
            " 12 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(world.complete(task).status.message, "Workflow task not found.");
}

TEST(Reset, AClosedRunLivesAgain) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  EXPECT_TRUE(world.cancel("why").ok());
  EXPECT_TRUE(world.terminate("t").ok());
  world.restart();  // its history is read back
  const std::string made = reset(world, reset_request(base, 9));
  EXPECT_EQ(world.transcript("W", made, 10),
            " 10 WorkflowExecutionSignaled signal_name=s2\n"
            " 11 WorkflowTaskScheduled attempt=1\n")
      << "cancel requests are not re-applied";
  EXPECT_EQ(world.describe().workflow_execution_info().execution().run_id(), made);
  EXPECT_FALSE(world.describe().workflow_extended_info().cancel_requested());
}

struct Excluded {
  const char* name;
  void (*ask)(api::ResetWorkflowExecutionRequest&);
  const char* events;  ///< between the failed task and the next one
};
void PrintTo(const Excluded& row, std::ostream* out) { *out << row.name; }
class Reapply : public testing::TestWithParam<Excluded> {};

TEST_P(Reapply, WhatIsWanted) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  auto attach = world.start_request();
  attach.set_request_id("att");
  attach.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  attach.mutable_on_conflict_options()->set_attach_request_id(true);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, attach).ok());
  auto request = reset_request(base, 9);
  GetParam().ask(request);
  const std::string made = reset(world, request);
  std::string found;
  const History history = world.history("W", made);
  for (const auto& event : history.events()) {
    if (event.event_id() > 9) found += enums::EventType_Name(event.event_type()).substr(11) + " ";
  }
  EXPECT_EQ(found, std::string(GetParam().events) + "WORKFLOW_TASK_SCHEDULED ");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Reapply,
    testing::Values(
        Excluded{"Everything", [](auto&) {}, "WORKFLOW_EXECUTION_SIGNALED WORKFLOW_EXECUTION_OPTIONS_UPDATED "},
        Excluded{"NoSignals",
                 [](auto& r) { r.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL); },
                 "WORKFLOW_EXECUTION_OPTIONS_UPDATED "},
        Excluded{"NoUpdates",
                 [](auto& r) { r.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE); },
                 "WORKFLOW_EXECUTION_SIGNALED WORKFLOW_EXECUTION_OPTIONS_UPDATED "},
        Excluded{"SignalsOnly", [](auto& r) { r.set_reset_reapply_type(enums::RESET_REAPPLY_TYPE_SIGNAL); },
                 "WORKFLOW_EXECUTION_SIGNALED WORKFLOW_EXECUTION_OPTIONS_UPDATED "},
        Excluded{"Nothing", [](auto& r) { r.set_reset_reapply_type(enums::RESET_REAPPLY_TYPE_NONE); },
                 "WORKFLOW_EXECUTION_OPTIONS_UPDATED "}),
    [](const auto& test) { return test.param.name; });

TEST(Reset, TheChainOfContinueAsNewIsFollowed) {
  ServiceWorld world;
  const std::string first = world.start();
  EXPECT_TRUE(world.complete(world.poll()).ok());
  world.signal("s1");
  EXPECT_TRUE(world.complete(world.poll(), {continue_as_new("1")}).ok());
  world.signal("s2");
  world.advance(seconds{2});
  const WorkflowTask task = world.poll();
  world.signal("s3");  // buffered
  const std::string made = reset(world, reset_request(first, 4));
  const History history = world.history("W", made);
  std::string signals;
  for (const auto& event : history.events()) {
    signals += event.workflow_execution_signaled_event_attributes().signal_name();
  }
  EXPECT_EQ(signals, "s1s2s3");
  EXPECT_EQ(describe(world, task.workflow_execution().run_id()).workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

TEST(Reset, AnUpdateAfterThePointIsAdmittedByAnEvent) {  // E14
  for (const bool completed : {false, true}) {
    ServiceWorld world;
    const std::string base = world.start();
    EXPECT_TRUE(world.complete(world.poll()).ok());
    (void)update(world, "u1", kAccepted);
    std::vector<std::string> words = {"accept u1"};
    if (completed) words.push_back("complete u1");
    EXPECT_TRUE(respond_updates(world, world.poll(), words).ok());
    const std::string made = reset(world, reset_request(base, 4));
    EXPECT_EQ(world.transcript("W", made, 5),
              " 5 WorkflowExecutionUpdateAdmitted request={meta={update_id=u1} input={name=upd args=[\"in\"]}} "
              "origin=REAPPLY\n"
              " 6 WorkflowTaskScheduled attempt=1\n");
    world.restart();
    const auto waiting = poll_update(world, "u1", kCompleted);
    const WorkflowTask task = world.poll();
    EXPECT_EQ(messages_of(task), "") << "the worker reads it in the history";
    EXPECT_TRUE(respond_updates(world, task, {"accept u1", "complete u1"}).ok());
    EXPECT_EQ(news_of(waiting), "completed \"out\"");
    auto excluding = reset_request(base, 4, "without");
    excluding.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE);
    EXPECT_EQ(world.history("W", reset(world, excluding)).events_size(), 5);
  }
}

TEST(Reset, UpdatesOfTheKeptPartAreKnown) {
  ServiceWorld world;
  const std::string base = world.start();
  EXPECT_TRUE(world.complete(world.poll()).ok());
  (void)update(world, "u1", kAccepted);
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  world.signal("s");
  EXPECT_TRUE(world.complete(world.poll()).ok());
  const std::int64_t finish = world.history("W", base).events_size();
  (void)reset(world, reset_request(base, finish));
  EXPECT_EQ(news_of(update(world, "u1", kCompleted)), "completed \"out\"") << "from the copied events";
}

TEST(Reset, WhatBecameOfChildrenIsToldAgain) {
  ServiceWorld world;
  const std::string base = world.start();
  EXPECT_TRUE(world.complete(world.poll(), {start_child("C"), start_child("D")}).ok());
  world.name_run(world.describe("C").workflow_execution_info().execution().run_id(), "RC");
  const WorkflowTask task = world.poll();  // both are started
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
  EXPECT_TRUE(world.complete(task).ok());
  const std::string made = reset(world, reset_request(base, 11));
  EXPECT_EQ(
      world.transcript("W", made, 11),
      "[11 WorkflowTaskFailed scheduled=8 started=10 cause=RESET_WORKFLOW failure={message=rsn "
      "reset_workflow_failure_info={}} identity=history-service base_run_id=R1 new_run_id=R3\n"
      " 12 ChildWorkflowExecutionCompleted result=[\"r\"] execution={workflow_id=C run_id=RC} initiated=5 started=7\n"
      " 13 WorkflowTaskScheduled attempt=1\n");
  EXPECT_TRUE(world.complete(world.poll()).ok());
  EXPECT_TRUE(world.complete(world.poll("D"), {fail_workflow("f")}).ok());  // goes to the new run
  EXPECT_EQ(world.history("W", made).events(15).event_type(), enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED);
}

/// The first task's commands, and a second task that is started at once: what comes of them is buffered.
WorkflowTask complete_and_go_on(ServiceWorld& world, const std::vector<Command>& commands) {
  const WorkflowTask task = world.poll();
  auto request = world.completion(task, commands);
  request.set_return_new_workflow_task(true);
  request.set_force_create_new_workflow_task(true);
  const auto answer = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply.workflow_task();
}

int count(const History& history, enums::EventType type) {
  int many = 0;
  for (const auto& event : history.events()) many += event.event_type() == type ? 1 : 0;
  return many;
}

TEST(Reset, WhatCameOfRequestsToOthersIsToldAgain) {
  for (const bool buffered : {true, false}) {
    SCOPED_TRACE(buffered ? "buffered" : "written after the point");
    ServiceWorld world;
    world.start("other");
    const std::string base = world.start();
    EXPECT_TRUE(world.terminate("x", "other").ok());
    world.start("other2");
    const auto task = complete_and_go_on(
        world, {signal_other("other", "s"), signal_other("other2", "s"), cancel_other("other2"), cancel_other("nope")});
    EXPECT_EQ(task.started_event_id(), 10);
    if (!buffered) EXPECT_TRUE(world.complete(task).ok());
    const std::string made = reset(world, reset_request(base, 10));
    const History history = world.history("W", made);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED), 1);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED), 1);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED), 1);
    EXPECT_EQ(count(history, enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED), 1);
    EXPECT_EQ(count(world.history("other2"), enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 1) << "not sent again";
  }
}

TEST(Reset, AChildWhoseStartIsBufferedIsKnown) {
  for (const bool buffered : {true, false}) {
    SCOPED_TRACE(buffered ? "buffered" : "written after the point");
    ServiceWorld world;
    const std::string base = world.start();
    const auto task = complete_and_go_on(world, {start_child("C")});
    if (!buffered) EXPECT_TRUE(world.complete(task).ok());
    const std::string made = reset(world, reset_request(base, task.started_event_id()));
    EXPECT_EQ(count(world.history("W", made), enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED), 1);
    EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
    EXPECT_EQ(count(world.history("W", made), enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED), 1);
  }
}

TEST(Reset, TimersOfTheKeptPartGoOn) {
  ServiceWorld world;
  const std::string base = world.start();
  EXPECT_TRUE(world.complete(world.poll(), {start_timer("short", 1), start_timer("long", 100)}).ok());
  world.signal("s1");
  EXPECT_TRUE(world.complete(world.poll(), {cancel_timer("long")}).ok());
  world.advance(seconds{10});
  const std::string made = reset(world, reset_request(base, 10));
  EXPECT_EQ(world.transcript("W", made, 10),
            "[10 WorkflowTaskFailed scheduled=8 started=9 cause=RESET_WORKFLOW failure={message=rsn "
            "reset_workflow_failure_info={}} identity=history-service base_run_id=R1 new_run_id=R2\n"
            " 11 WorkflowTaskScheduled attempt=1\n"
            "[12 TimerFired timer_id=short started=5\n")
      << "its time was over";
  EXPECT_TRUE(world.complete(world.poll()).ok());
  world.advance(seconds{90});
  EXPECT_EQ(world.transcript("W", made, 15),
            "[15 TimerFired timer_id=long started=6\n"
            " 16 WorkflowTaskScheduled attempt=1\n");
}

TEST(Reset, FinishedActivitiesStayFinished) {
  ServiceWorld world;
  const std::string base = world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a", "AQ"), schedule_activity("b", "BQ")}).ok());
  EXPECT_TRUE(world.complete_activity(world.poll_activity("AQ")).ok());
  EXPECT_TRUE(world.complete(world.poll(), {start_timer("x", 3600)}).ok());
  const std::string made = reset(world, reset_request(base, 11));
  const auto now = describe(world, made);
  ASSERT_EQ(now.pending_activities_size(), 1);
  EXPECT_EQ(now.pending_activities(0).activity_id(), "b");
  EXPECT_EQ(world.poll_activity("BQ").workflow_execution().run_id(), made);
}

TEST(Reset, AResetRunCanBeResetAgain) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  const std::string second = reset(world, reset_request(base, 9, "a"));
  (void)world.transcript("W", second);  // R2
  const std::string third = reset(world, reset_request(second, 4, "b"));
  EXPECT_EQ(world.transcript("W", third, 4),
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=RESET_WORKFLOW failure={message=rsn "
            "reset_workflow_failure_info={}} identity=history-service base_run_id=R2 new_run_id=R3\n"
            " 5 WorkflowExecutionSignaled signal_name=s1\n"
            " 6 WorkflowExecutionSignaled signal_name=s2\n"
            " 7 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(
      world.history("W", third).events(0).workflow_execution_started_event_attributes().original_execution_run_id(),
      base);
}

struct Refusal {
  const char* name;
  std::int64_t finish;
  const char* text;
};
void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }
class ResetRefused : public testing::TestWithParam<Refusal> {};

TEST_P(ResetRefused, WithTheKnownText) {
  ServiceWorld world;
  const std::string base = world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a"), start_timer("1", 60)}).ok());
  world.signal("s1");
  const std::string before = world.everything();
  const auto answer = world.call(&WorkflowService::ResetWorkflowExecution, reset_request(base, GetParam().finish));
  EXPECT_EQ(answer.status.code, 3);
  EXPECT_EQ(answer.status.message, GetParam().text);
  EXPECT_EQ(world.everything(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ResetRefused,
    testing::Values(
        Refusal{"Zero", 0, "Workflow task finish ID must be > 1 && <= workflow last event ID."},
        Refusal{"First", 1, "Workflow task finish ID must be > 1 && <= workflow last event ID."},
        Refusal{"BeyondTheEnd", 9, "Workflow task finish ID must be > 1 && <= workflow last event ID."},
        Refusal{"InTheFirstBatch", 2,
                "StateRebuilder unable to Rebuild mutable state to event ID: 1, version: 0, this event must be at the "
                "boundary"},
        Refusal{"InTheCommands", 5,
                "StateRebuilder unable to Rebuild mutable state to event ID: 4, version: 0, this event must be at the "
                "boundary"},
        Refusal{"NoTaskPending", 7,
                "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: 7"}),
    [](const auto& test) { return test.param.name; });

TEST(ResetRefused, Requests) {
  ServiceWorld world;
  const std::string base = run_of_e14(world);
  auto request = reset_request(base, 9, "");
  EXPECT_EQ(world.call(&WorkflowService::ResetWorkflowExecution, request).status.message,
            "RequestId is not set on request.");
  request.set_request_id(std::string(1001, 'x'));
  EXPECT_EQ(world.call(&WorkflowService::ResetWorkflowExecution, request).status.message,
            "RequestId length exceeds limit.");
  request = reset_request("", 9);
  request.mutable_workflow_execution()->set_workflow_id("nope");
  EXPECT_EQ(world.call(&WorkflowService::ResetWorkflowExecution, request).status.message,
            "workflow not found for ID: nope");
}

TEST(Reset, HistoriesOnDiskAndFullDisks) {
  EmbeddedOptions options;
  options.history_cache_bytes_max = 1;
  ServiceWorld world(options);
  const std::string base = run_of_e14(world);
  const std::string before = world.everything();
  world.journal->full = true;
  EXPECT_EQ(world.call(&WorkflowService::ResetWorkflowExecution, reset_request(base, 9)).status.code, 14);
  world.journal->full = false;
  world.advance(seconds{2});
  EXPECT_EQ(world.everything(), before) << "nothing was changed";
  const std::string made = reset(world, reset_request(base, 9));
  EXPECT_EQ(world.history("W", made).events_size(), 11);
  const std::string after = world.everything();
  world.restart();
  EXPECT_EQ(world.everything(), after);
}

}  // namespace
}  // namespace callimport::engine::testing_world
