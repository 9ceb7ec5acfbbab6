// What operators do (conformance A.8 tiers 1 and 2): deletion, pauses, options, sticky queues. Texts and states are
// those of server 1.29.1; pausing a whole run, which it does not have, follows the comments of its proto.
#include <gtest/gtest.h>

#include "tests/engine/service_world.h"
#include "tests/engine/update_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Info = temporal::api::workflow::v1::PendingActivityInfo;

constexpr const char* kNoSuchActivity =
    "Can't find pending activity with such ID. Invalid activityID or activity already completed";

template <class Request>
Request about(const std::string& activity_id) {
  Request request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("W");
  request.set_identity("op");
  if (!activity_id.empty()) request.set_id(activity_id);
  return request;
}

PortStatus pause(ServiceWorld& world, const std::string& id = "a") {
  auto request = about<api::PauseActivityRequest>(id);
  request.set_reason("because");
  return world.call(&WorkflowService::PauseActivity, request).status;
}
PortStatus unpause(ServiceWorld& world, const std::string& id = "a") {
  return world.call(&WorkflowService::UnpauseActivity, about<api::UnpauseActivityRequest>(id)).status;
}
Info pending(ServiceWorld& world) {
  const auto described = world.describe();
  EXPECT_EQ(described.pending_activities_size(), 1);
  return described.pending_activities_size() == 1 ? described.pending_activities(0) : Info();
}
/// Whether an activity task waits on W now.
std::string polled(ServiceWorld& world) {
  api::PollActivityTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("W");
  const auto answer = world.send(&WorkflowService::PollActivityTaskQueue, request, world.within(seconds{3}, 77));
  const std::string id = answer->done ? answer->reply.activity_id() : "";
  world.service().cancel(77);
  return id;
}
void with_activity(ServiceWorld& world, double initial_interval = 1) {
  Command command = schedule_activity("a");
  auto* policy = command.mutable_schedule_activity_task_command_attributes()->mutable_retry_policy();
  *policy->mutable_initial_interval() = testing_world::seconds(initial_interval);
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {command}).ok());
}

TEST(PauseActivity, OneThatWaitsIsNotHandedOut) {
  ServiceWorld world;
  with_activity(world);
  EXPECT_TRUE(pause(world).ok());
  EXPECT_TRUE(pause(world).ok()) << "again is fine";
  for (const bool restarted : {false, true}) {
    if (restarted) world.restart();
    EXPECT_EQ(polled(world), "");
    const Info info = pending(world);
    EXPECT_EQ(info.state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
    EXPECT_TRUE(info.paused());
    EXPECT_EQ(info.pause_info().manual().identity(), "op");
    EXPECT_EQ(info.pause_info().manual().reason(), "because");
    EXPECT_EQ(info.attempt(), 1);
    const auto described = world.describe();
    const auto& attributes = described.workflow_execution_info().search_attributes().indexed_fields();
    ASSERT_TRUE(attributes.contains("TemporalPauseInfo"));
    EXPECT_EQ(attributes.at("TemporalPauseInfo").data(), "[\"property:activityType=A\"]");
  }
  EXPECT_TRUE(unpause(world).ok());
  EXPECT_TRUE(unpause(world).ok());
  EXPECT_EQ(pending(world).state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  EXPECT_FALSE(pending(world).has_pause_info());
  const auto described = world.describe();
  EXPECT_FALSE(described.workflow_execution_info().search_attributes().indexed_fields().contains("TemporalPauseInfo"));
  EXPECT_EQ(polled(world), "a");
}

TEST(PauseActivity, OneThatRunsIsToldAndItsFailureWaits) {
  ServiceWorld world;
  with_activity(world);
  const ActivityTask task = world.poll_activity();
  EXPECT_TRUE(pause(world).ok());
  EXPECT_EQ(pending(world).state(), enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
  api::RecordActivityTaskHeartbeatRequest beat;
  beat.set_namespace_("default");
  beat.set_task_token(task.task_token());
  EXPECT_TRUE(world.call(&WorkflowService::RecordActivityTaskHeartbeat, beat).reply.activity_paused());
  EXPECT_TRUE(world.fail_activity(task, "f1").ok());
  world.advance(seconds{60});
  Info info = pending(world);
  EXPECT_EQ(info.state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
  EXPECT_EQ(info.attempt(), 2);
  EXPECT_EQ(info.last_failure().message(), "f1");
  EXPECT_FALSE(info.has_next_attempt_schedule_time());
  EXPECT_TRUE(unpause(world).ok());
  EXPECT_FALSE(pending(world).has_last_failure());
  const ActivityTask again = world.poll_activity();
  EXPECT_EQ(again.attempt(), 2);
}

TEST(PauseActivity, OneThatRunsMayComplete) {
  ServiceWorld world;
  with_activity(world);
  const ActivityTask task = world.poll_activity();
  EXPECT_TRUE(pause(world).ok());
  EXPECT_TRUE(world.complete_activity(task).ok());
  EXPECT_EQ(world.transcript("W", "", 7),
            " 7 ActivityTaskCompleted result=[\"r\"] scheduled=5 started=6\n"
            " 8 WorkflowTaskScheduled attempt=1\n");
}

TEST(PauseActivity, ByTypeAndAll) {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a"), schedule_activity("b")}).ok());
  auto request = about<api::PauseActivityRequest>("");
  request.set_type("A");
  EXPECT_TRUE(world.call(&WorkflowService::PauseActivity, request).ok());
  EXPECT_EQ(polled(world), "");
  auto all = about<api::UnpauseActivityRequest>("");
  all.set_unpause_all(true);
  EXPECT_TRUE(world.call(&WorkflowService::UnpauseActivity, all).ok());
  EXPECT_NE(polled(world), "");
  EXPECT_NE(polled(world), "");
}

TEST(ResetActivity, AWaitingOneBeginsAtOnceAsTheFirst) {
  ServiceWorld world;
  with_activity(world, 1000);
  EXPECT_TRUE(world.fail_activity(world.poll_activity(), "f1").ok());
  EXPECT_EQ(pending(world).attempt(), 2);
  EXPECT_EQ(polled(world), "") << "its retry is far away";
  auto request = about<api::ResetActivityRequest>("a");
  EXPECT_TRUE(world.call(&WorkflowService::ResetActivity, request).ok());
  EXPECT_EQ(pending(world).attempt(), 1);
  EXPECT_EQ(world.poll_activity().attempt(), 1);
}

TEST(ResetActivity, ARunningFirstAttemptIsToldAndItsHeartbeatForgotten) {
  ServiceWorld world;
  with_activity(world);
  const ActivityTask task = world.poll_activity();
  auto request = about<api::ResetActivityRequest>("a");
  request.set_reset_heartbeat(true);
  EXPECT_TRUE(world.call(&WorkflowService::ResetActivity, request).ok());
  api::RecordActivityTaskHeartbeatRequest beat;
  beat.set_namespace_("default");
  beat.set_task_token(task.task_token());
  *beat.mutable_details() = payloads("\"D\"");
  EXPECT_TRUE(world.call(&WorkflowService::RecordActivityTaskHeartbeat, beat).reply.activity_reset());
  EXPECT_TRUE(world.fail_activity(task, "f1").ok());
  world.advance(seconds{1});
  const ActivityTask next = world.poll_activity();
  EXPECT_EQ(next.attempt(), 2);
  EXPECT_FALSE(next.has_heartbeat_details());
  beat.set_task_token(next.task_token());
  EXPECT_FALSE(world.call(&WorkflowService::RecordActivityTaskHeartbeat, beat).reply.activity_reset());
}

TEST(ResetActivity, ALaterAttemptUnderWayCountsNoMore) {
  ServiceWorld world;
  with_activity(world);
  EXPECT_TRUE(world.fail_activity(world.poll_activity(), "f1").ok());
  world.advance(seconds{1});
  const ActivityTask second = world.poll_activity();
  EXPECT_TRUE(world.call(&WorkflowService::ResetActivity, about<api::ResetActivityRequest>("a")).ok());
  EXPECT_EQ(world.complete_activity(second).message,
            "invalid activityID or activity already timed out or invoking workflow is completed");
  world.advance(seconds{10});  // start-to-close
  world.advance(seconds{1});
  EXPECT_EQ(world.poll_activity().attempt(), 2);
}

TEST(ResetActivity, APausedOneStaysPausedOnRequest) {
  ServiceWorld world;
  with_activity(world);
  EXPECT_TRUE(pause(world).ok());
  auto request = about<api::ResetActivityRequest>("a");
  request.set_keep_paused(true);
  EXPECT_TRUE(world.call(&WorkflowService::ResetActivity, request).ok());
  EXPECT_EQ(polled(world), "");
  request.set_keep_paused(false);
  EXPECT_TRUE(world.call(&WorkflowService::ResetActivity, request).ok());
  EXPECT_EQ(polled(world), "a");
}

TEST(ActivityOptions, AreMergedByTheMask) {
  ServiceWorld world;
  with_activity(world);
  auto request = about<api::UpdateActivityOptionsRequest>("a");
  auto& options = *request.mutable_activity_options();
  options.mutable_task_queue()->set_name("NQ");
  *options.mutable_heartbeat_timeout() = testing_world::seconds(90);
  *options.mutable_schedule_to_close_timeout() = testing_world::seconds(100);
  *options.mutable_start_to_close_timeout() = testing_world::seconds(1);  // not in the mask
  options.mutable_retry_policy()->set_maximum_attempts(5);
  for (const char* path :
       {"task_queue.name", "heartbeat_timeout", "scheduleToCloseTimeout", "retry_policy.maximum_attempts"}) {
    request.mutable_update_mask()->add_paths(path);
  }
  const auto answer = world.call(&WorkflowService::UpdateActivityOptions, request);
  ASSERT_TRUE(answer.ok()) << answer.status.message;
  const auto& now = answer.reply.activity_options();
  EXPECT_EQ(now.task_queue().name(), "NQ");
  EXPECT_EQ(now.schedule_to_close_timeout().seconds(), 100);
  EXPECT_EQ(now.schedule_to_start_timeout().seconds(), 100);
  EXPECT_EQ(now.start_to_close_timeout().seconds(), 10);
  EXPECT_EQ(now.heartbeat_timeout().seconds(), 10) << "capped by start-to-close";
  EXPECT_EQ(now.retry_policy().maximum_attempts(), 5);
  EXPECT_EQ(polled(world), "") << "it moved";
  EXPECT_EQ(world.poll_activity("NQ").activity_id(), "a");
  auto back = about<api::UpdateActivityOptionsRequest>("a");
  back.set_restore_original(true);
  EXPECT_EQ(world.call(&WorkflowService::UpdateActivityOptions, back).reply.activity_options().task_queue().name(),
            "W");
  EXPECT_EQ(pending(world).maximum_attempts(), 0);
}

struct BadOptions {
  const char* name;
  void (*spoil)(api::UpdateActivityOptionsRequest&);
  const char* text;
};
void PrintTo(const BadOptions& row, std::ostream* out) { *out << row.name; }
class OptionsRefused : public testing::TestWithParam<BadOptions> {};

TEST_P(OptionsRefused, WithTheKnownText) {
  ServiceWorld world;
  with_activity(world);
  auto request = about<api::UpdateActivityOptionsRequest>("a");
  GetParam().spoil(request);
  const std::string before = world.everything();
  EXPECT_EQ(world.call(&WorkflowService::UpdateActivityOptions, request).status.message, GetParam().text);
  EXPECT_EQ(world.everything(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OptionsRefused,
    testing::Values(
        BadOptions{"NoActivity", [](auto& r) { r.clear_activity(); },
                   "Either Activity.Id or Activity.Type should be set on request."},
        BadOptions{"NoWorkflow", [](auto& r) { r.clear_execution(); }, "WorkflowId is not set on request."},
        BadOptions{"NoOptions", [](auto&) {}, "ActivityOptions are not provided"},
        BadOptions{"NoMask", [](auto& r) { (void)r.mutable_activity_options(); }, "UpdateMask is not provided"},
        BadOptions{"Unknown",
                   [](auto& r) {
                     (void)r.mutable_activity_options();
                     r.set_id("zz");
                     r.mutable_update_mask()->add_paths("heartbeat_timeout");
                   },
                   kNoSuchActivity},
        BadOptions{"NoQueue",
                   [](auto& r) {
                     (void)r.mutable_activity_options();
                     r.mutable_update_mask()->add_paths("task_queue.name");
                   },
                   "TaskQueue is not provided"},
        BadOptions{"NoPolicy",
                   [](auto& r) {
                     (void)r.mutable_activity_options();
                     r.mutable_update_mask()->add_paths("retry_policy.maximum_attempts");
                   },
                   "RetryPolicy is not provided"},
        BadOptions{"NoTimeoutLeft",
                   [](auto& r) {
                     (void)r.mutable_activity_options();
                     r.mutable_update_mask()->add_paths("start_to_close_timeout");
                   },
                   "A valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand. "
                   "ActivityId=a ActivityType=A"},
        BadOptions{"Both",
                   [](auto& r) {
                     r.set_restore_original(true);
                     r.mutable_update_mask()->add_paths("start_to_close_timeout");
                   },
                   "Both UpdateMask and RestoreOriginal are provided"}),
    [](const auto& test) { return test.param.name; });

TEST(ActivityOperations, RefusedTargets) {
  ServiceWorld world;
  with_activity(world);
  EXPECT_EQ(pause(world, "zz").message, kNoSuchActivity);
  EXPECT_EQ(unpause(world, "zz").message, kNoSuchActivity);
  EXPECT_EQ(pause(world, "").message, "Either Activity.Id or Activity.Type should be set on request.");
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(pause(world).message, "workflow execution already completed");
  EXPECT_EQ(unpause(world).message, "workflow execution already completed");
}

PortStatus erase(ServiceWorld& world, const std::string& run_id = "") {
  api::DeleteWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  request.mutable_workflow_execution()->set_run_id(run_id);
  return world.call(&WorkflowService::DeleteWorkflowExecution, request).status;
}
std::size_t listed(ServiceWorld& world) {
  api::ListWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  const auto answer = world.call(&WorkflowService::ListWorkflowExecutions, request);
  return static_cast<std::size_t>(answer.reply.executions_size());
}

TEST(Delete, AnOpenRunIsGone) {
  ServiceWorld world;
  const std::string run = world.start();
  const ActivityTask none;
  const auto waiting = world.poll_later("other");
  EXPECT_TRUE(erase(world).ok());
  for (const bool restarted : {false, true}) {
    if (restarted) world.restart();
    EXPECT_EQ(world.signal("s").message, "workflow not found for ID: W");
    EXPECT_EQ(erase(world, run).message, "workflow not found for ID: W");
    EXPECT_EQ(listed(world), 0u);
    EXPECT_TRUE(world.journal->durable().closed.empty());
  }
  EXPECT_NE(world.start(), run) << "the id is free";
}

TEST(Delete, AClosedRunAndItsHistoryAreGone) {
  for (const bool restarted : {false, true}) {
    ServiceWorld world;
    const std::string first = world.start();
    EXPECT_TRUE(world.terminate("x").ok());
    const std::string second = world.start();
    EXPECT_TRUE(world.terminate("x").ok());
    if (restarted) world.restart();
    EXPECT_TRUE(erase(world, first).ok());
    EXPECT_EQ(listed(world), 1u);
    EXPECT_TRUE(erase(world).ok());
    EXPECT_EQ(listed(world), 0u);
    world.restart();
    EXPECT_EQ(listed(world), 0u);
    EXPECT_TRUE(world.journal->durable().closed.empty());
    EXPECT_EQ(erase(world, second).message, "workflow not found for ID: W");
  }
}

TEST(Delete, AFullDiskKeepsEverything) {
  for (const bool closed : {false, true}) {
    ServiceWorld world;
    world.start();
    if (closed) EXPECT_TRUE(world.terminate("x").ok());
    const std::string before = world.everything();
    world.journal->full = true;
    EXPECT_EQ(erase(world).code, 14);
    world.journal->full = false;
    world.advance(seconds{2});
    EXPECT_EQ(world.everything(), before);
    EXPECT_TRUE(erase(world).ok());
    EXPECT_EQ(listed(world), 0u);
  }
}

TEST(RunOptions, AnOverrideIsWrittenOnceAndTakenBack) {
  ServiceWorld world;
  world.start();
  api::UpdateWorkflowExecutionOptionsRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  EXPECT_EQ(world.call(&WorkflowService::UpdateWorkflowExecutionOptions, request).status.message,
            "UpdateMask is required");
  request.mutable_update_mask()->add_paths("versioning_override");
  EXPECT_EQ(world.call(&WorkflowService::UpdateWorkflowExecutionOptions, request).status.message,
            "WorkflowExecutionOptions is required");
  request.mutable_workflow_execution_options()->mutable_versioning_override()->set_auto_upgrade(true);
  for (int i = 0; i < 2; ++i) {
    const auto answer = world.call(&WorkflowService::UpdateWorkflowExecutionOptions, request);
    EXPECT_TRUE(answer.reply.workflow_execution_options().versioning_override().auto_upgrade());
  }
  world.restart();
  EXPECT_TRUE(world.describe().workflow_execution_info().versioning_info().versioning_override().auto_upgrade());
  request.mutable_workflow_execution_options()->clear_versioning_override();
  EXPECT_TRUE(world.call(&WorkflowService::UpdateWorkflowExecutionOptions, request).ok());
  EXPECT_EQ(world.transcript("W", "", 3),
            "[3 WorkflowExecutionOptionsUpdated versioning_override={auto_upgrade=true}\n"
            "[4 WorkflowExecutionOptionsUpdated unset_versioning_override=true\n");
  EXPECT_TRUE(world.history().events(2).worker_may_ignore());
  request.mutable_update_mask()->set_paths(0, "foo");
  EXPECT_EQ(world.call(&WorkflowService::UpdateWorkflowExecutionOptions, request).status.message,
            "error parsing UpdateMask: proto: invalid path \"foo\" for message "
            "\"temporal.api.workflow.v1.WorkflowExecutionOptions\"");
}

TEST(PauseRun, NothingIsHandedOutUntilItGoesOn) {
  ServiceWorld world;
  with_activity(world);
  api::PauseWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("W");
  request.set_identity("op");
  request.set_reason("rsn");
  request.set_request_id("p1");
  EXPECT_TRUE(world.call(&WorkflowService::PauseWorkflowExecution, request).ok());
  EXPECT_TRUE(world.call(&WorkflowService::PauseWorkflowExecution, request).ok()) << "the same request";
  request.set_request_id("p2");
  EXPECT_EQ(world.call(&WorkflowService::PauseWorkflowExecution, request).status.code, 9);
  world.signal("s");
  world.restart();
  EXPECT_EQ(polled(world), "");
  const auto task = world.poll_later();
  EXPECT_FALSE(task->done);
  EXPECT_EQ(update(world, "u1")->status.code, 9);
  const auto described = world.describe();
  EXPECT_EQ(described.workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(described.workflow_extended_info().pause_info().reason(), "rsn");
  api::UnpauseWorkflowExecutionRequest on;
  on.set_namespace_("default");
  on.set_workflow_id("W");
  EXPECT_TRUE(world.call(&WorkflowService::UnpauseWorkflowExecution, on).ok());
  EXPECT_TRUE(task->done);
  EXPECT_EQ(polled(world), "a");
  EXPECT_EQ(world.transcript("W", "", 6),
            "[6 WorkflowExecutionPaused identity=op reason=rsn\n"
            "[7 WorkflowExecutionSignaled signal_name=s\n"
            " 8 WorkflowTaskScheduled attempt=1\n"
            "[9 WorkflowExecutionUnpaused\n"
            "[10 WorkflowTaskStarted scheduled=8\n");
  EXPECT_EQ(world.call(&WorkflowService::UnpauseWorkflowExecution, on).status.code, 9);
}

TEST(StickyQueue, IsGivenUpOnRequest) {
  ServiceWorld world;
  world.start();
  const WorkflowTask first = world.poll();
  auto done = world.completion(first, {});
  done.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("SQ");
  *done.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = testing_world::seconds(5);
  const auto sticky = world.poll_later("SQ", "W");
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, done).ok());
  api::ResetStickyTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("W");
  EXPECT_TRUE(world.call(&WorkflowService::ResetStickyTaskQueue, request).ok());
  world.signal("s");
  EXPECT_FALSE(sticky->done);
  EXPECT_EQ(world.poll().history().events(0).event_id(), 1) << "the whole history, on the normal queue";
}

}  // namespace
}  // namespace callimport::engine::testing_world
