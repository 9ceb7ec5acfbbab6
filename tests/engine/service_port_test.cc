// The port's answers: targets, polls, tokens, bad commands, limits, the system (conformance A.2, A8, C.6, C12, C15,
// C19, C20, C.16).
#include <gtest/gtest.h>

#include <functional>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;

TEST(Unknown, TargetsHaveTheirTexts) {  // C.6
  ServiceWorld world;
  EXPECT_EQ(world.signal("s", "nope").message, "workflow not found for ID: nope");
  EXPECT_EQ(world.signal("s", "nope").detail_type, "temporal.api.errordetails.v1.NotFoundFailure");
  const std::string run = world.start();
  api::SignalWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  request.set_signal_name("s");
  request.mutable_workflow_execution()->set_run_id("junk");
  EXPECT_EQ(world.call(&WorkflowService::SignalWorkflowExecution, request).status.message, "Invalid RunId.");
  const std::string other = "00000000-0000-4000-8000-000000000000";
  request.mutable_workflow_execution()->set_run_id(other);
  EXPECT_EQ(world.call(&WorkflowService::SignalWorkflowExecution, request).status.message,
            "workflow execution not found for workflow ID \"W\" and run ID \"" + other + "\"");
  request.mutable_workflow_execution()->set_run_id(run);
  request.clear_signal_name();
  EXPECT_EQ(world.call(&WorkflowService::SignalWorkflowExecution, request).status.message,
            "SignalName is not set on request.");
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(world.signal("s").message, "workflow execution already completed");
  EXPECT_EQ(world.terminate("x").message, "workflow execution already completed");
  EXPECT_TRUE(world.cancel().ok()) << "a closed run is a silent success";
  EXPECT_EQ(world.cancel("", "nope").message, "workflow not found for ID: nope");
}

TEST(Chain, FirstRunIdMustMatch) {  // C.6
  ServiceWorld world;
  const std::string first = world.start();
  (void)world.complete(world.poll(), {continue_as_new("1")});
  api::TerminateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  request.set_first_execution_run_id("00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(world.call(&WorkflowService::TerminateWorkflowExecution, request).status.message,
            "workflow execution not found");
  request.set_first_execution_run_id(first);
  EXPECT_TRUE(world.call(&WorkflowService::TerminateWorkflowExecution, request).ok());
}

TEST(Cancel, IsWrittenOnce) {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.cancel("a").ok());
  EXPECT_TRUE(world.cancel("b").ok());
  EXPECT_EQ(world.history().events_size(), 3);
  const WorkflowTask task = world.poll();
  EXPECT_TRUE(world.describe().workflow_extended_info().cancel_requested());
  EXPECT_TRUE(world.complete(task, {cancel_workflow()}).ok());
}

// Polls (A8).
TEST(Poll, DeadlinesAndNames) {
  ServiceWorld world;
  api::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("W");
  EXPECT_EQ(world.call(&WorkflowService::PollWorkflowTaskQueue, request).status.message, "Context timeout is not set.");
  const auto brief = world.call(&WorkflowService::PollWorkflowTaskQueue, request, world.within(milliseconds{1'999}));
  EXPECT_EQ(brief.status.code, 9);
  EXPECT_EQ(brief.status.message, "Context timeout is too short.");
  request.mutable_task_queue()->clear_name();
  EXPECT_EQ(world.call(&WorkflowService::PollWorkflowTaskQueue, request, world.within(std::chrono::seconds{70}))
                .status.message,
            "taskQueue is not set");
  request.set_namespace_("nope");
  EXPECT_EQ(world.call(&WorkflowService::PollWorkflowTaskQueue, request, world.within(std::chrono::seconds{70}))
                .status.detail_type,
            "temporal.api.errordetails.v1.NamespaceNotFoundFailure");
}

TEST(Poll, NoTaskIsAnEmptyAnswer) {
  ServiceWorld world;
  auto pending = world.poll_later();
  world.advance(milliseconds{58'999});
  EXPECT_FALSE(pending->done);
  world.advance(milliseconds{1});
  ASSERT_TRUE(pending->ok());
  EXPECT_EQ(pending->reply.ByteSizeLong(), 0u);
}

TEST(Poll, ACancelledOneTakesNoTask) {
  ServiceWorld world;
  api::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("W");
  auto gone = world.send(&WorkflowService::PollWorkflowTaskQueue, request, world.within(std::chrono::seconds{70}, 5));
  world.service().cancel(5);
  world.start();
  EXPECT_FALSE(gone->done);
  EXPECT_EQ(world.poll().started_event_id(), 3);
}

TEST(Poll, ReplyFields) {  // C.3
  ServiceWorld world;
  const std::string run = world.start();
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.workflow_execution().run_id(), run);
  EXPECT_EQ(task.workflow_type().name(), "T");
  EXPECT_EQ(task.previous_started_event_id(), 0);
  EXPECT_EQ(task.started_event_id(), 3);
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(task.workflow_execution_task_queue().name(), "W");
  EXPECT_TRUE(task.has_scheduled_time());
  EXPECT_TRUE(task.has_started_time());
  EXPECT_TRUE(task.next_page_token().empty());
  EXPECT_EQ(task.history().events_size(), 3);
}

// Tokens (C12, C29). The texts are server 1.29.1's.
TEST(Token, OfAnotherNamespaceOrKindNamesNothing) {
  EmbeddedOptions options;
  options.namespaces = {"default", "elsewhere"};
  ServiceWorld world(options);
  world.start();
  auto task = world.poll();
  EXPECT_TRUE(world.complete(task, {schedule_activity("a")}).ok());
  const ActivityTask activity = world.poll_activity();
  EXPECT_TRUE(world.signal("s").ok());
  task = world.poll();
  api::RespondActivityTaskCompletedRequest done;
  done.set_namespace_("elsewhere");
  done.set_task_token(activity.task_token());
  auto completed = world.completion(task, {complete_workflow()});
  completed.set_namespace_("elsewhere");
  constexpr const char* kForeign = "Operation requested with a token from a different namespace.";
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskCompleted, done).status.message, kForeign);
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, completed).status.message, kForeign);
  done.set_namespace_("nowhere");
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskCompleted, done).status.message,
            "Namespace nowhere is not found.");
  done.set_namespace_("default");
  done.set_task_token(task.task_token());
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskCompleted, done).status.message,
            "invalid activityID or activity already timed out or invoking workflow is completed");
  completed.set_namespace_("default");
  completed.set_task_token(activity.task_token());
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, completed).status.message,
            "Workflow task not found.");
  EXPECT_TRUE(world.complete_activity(activity).ok());
  EXPECT_TRUE(world.complete(task).ok()) << "nothing of it was taken";
}

TEST(Token, HoldsOnce) {
  ServiceWorld world;
  world.start();
  const WorkflowTask task = world.poll();
  auto request = world.completion(task, {});
  request.set_task_token("junk\xff");
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).status.message,
            "Error deserializing task token.");
  request.clear_task_token();
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).status.message,
            "Task token not set on request.");
  EXPECT_TRUE(world.complete(task).ok());
  const auto again = world.complete(task);
  EXPECT_EQ(again.status.code, 5);
  EXPECT_EQ(again.status.message, "Workflow task not found.");
  world.signal("s");
  const WorkflowTask next = world.poll();
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(world.complete(next).status.message, "Workflow task not found.");
}

// Bad commands on the first attempt: the event, and the same text to the caller (C15, C20).
struct BadCommand {
  const char* name;
  std::function<std::vector<Command>()> commands;
  const char* cause;  ///< null: no event, the task stays started
  const char* text;
};
void PrintTo(const BadCommand& row, std::ostream* out) { *out << row.name; }
class CommandRefused : public testing::TestWithParam<BadCommand> {};
TEST_P(CommandRefused, WithTheKnownText) {
  EmbeddedOptions options;
  options.pending_activities_max = 2;
  ServiceWorld world(options);
  world.start();
  const WorkflowTask task = world.poll();
  const auto answer = world.complete(task, GetParam().commands());
  EXPECT_EQ(answer.status.code, 3);
  EXPECT_EQ(answer.status.message, GetParam().text);
  EXPECT_EQ(answer.status.detail_type, "");
  const History history = world.history();
  if (GetParam().cause == nullptr) {
    EXPECT_EQ(history.events_size(), 3);
    EXPECT_TRUE(world.complete(task).ok()) << "the task is still started";
    return;
  }
  ASSERT_EQ(history.events_size(), 4);
  const auto& failed = history.events(3).workflow_task_failed_event_attributes();
  EXPECT_EQ(enums::WorkflowTaskFailedCause_Name(failed.cause()),
            std::string("WORKFLOW_TASK_FAILED_CAUSE_") + GetParam().cause);
  EXPECT_EQ(failed.failure().message(), GetParam().text);
  EXPECT_TRUE(failed.failure().has_server_failure_info());
  EXPECT_EQ(failed.identity(), "wk");
  EXPECT_EQ(world.describe().pending_workflow_task().attempt(), 2);
}
Command without_attributes(enums::CommandType type) {
  Command out;
  out.set_command_type(type);
  return out;
}
Command with(Command command, const std::function<void(Command&)>& change) {
  change(command);
  return command;
}
INSTANTIATE_TEST_SUITE_P(
    Table, CommandRefused,
    testing::Values(
        BadCommand{"CloseBeforeTimer", [] { return std::vector<Command>{complete_workflow(), start_timer("1", 1)}; },
                   nullptr,
                   "invalid command sequence: [CompleteWorkflowExecution, StartTimer], command "
                   "CompleteWorkflowExecution must be "
                   "the last command."},
        BadCommand{"UnknownType", [] { return std::vector<Command>{Command()}; }, nullptr,
                   "unknown command type: Unspecified"},
        BadCommand{
            "SameTimerTwice", [] { return std::vector<Command>{start_timer("1", 1), start_timer("1", 2)}; },
            "START_TIMER_DUPLICATE_ID",
            "StartTimerDuplicateId: invalid history builder state for action: add-timer-started-event, TimerID: 1"},
        BadCommand{
            "SameActivityTwice", [] { return std::vector<Command>{schedule_activity("a"), schedule_activity("a")}; },
            "SCHEDULE_ACTIVITY_DUPLICATE_ID",
            "ScheduleActivityDuplicateId: invalid history builder state for action: add-activitytask-scheduled-event, "
            "ActivityID: a"},
        BadCommand{"NoTimerId", [] { return std::vector<Command>{start_timer("", 1)}; }, "BAD_START_TIMER_ATTRIBUTES",
                   "BadStartTimerAttributes: TimerId is not set on StartTimerCommand."},
        BadCommand{"NoTimerAttributes",
                   [] { return std::vector<Command>{without_attributes(enums::COMMAND_TYPE_START_TIMER)}; },
                   "BAD_START_TIMER_ATTRIBUTES",
                   "BadStartTimerAttributes: StartTimerCommandAttributes is not set on StartTimerCommand."},
        BadCommand{"NoActivityTimeout", [] { return std::vector<Command>{schedule_activity("a", "W", 0)}; },
                   "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES",
                   "BadScheduleActivityAttributes: A valid StartToClose or ScheduleToCloseTimeout is not set on "
                   "ScheduleActivityTaskCommand. ActivityId=a ActivityType=A"},
        BadCommand{
            "NoActivityQueue", [] { return std::vector<Command>{schedule_activity("a", "")}; }, nullptr,
            "invalid TaskQueue on ScheduleActivityTaskCommand: missing task queue name. ActivityId=a ActivityType=A"},
        BadCommand{"NoMarkerName", [] { return std::vector<Command>{marker("")}; }, "BAD_RECORD_MARKER_ATTRIBUTES",
                   "BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand."},
        BadCommand{"NoFailure",
                   [] {
                     return std::vector<Command>{
                         with(without_attributes(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION),
                              [](Command& c) { (void)c.mutable_fail_workflow_execution_command_attributes(); })};
                   },
                   "BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES",
                   "BadFailWorkflowExecutionAttributes: Failure is not set on FailWorkflowExecutionCommand."},
        BadCommand{"UnknownTimer", [] { return std::vector<Command>{cancel_timer("zz")}; },
                   "BAD_CANCEL_TIMER_ATTRIBUTES",
                   "BadCancelTimerAttributes: invalid history builder state for action: add-timer-canceled-event, "
                   "TimerID: zz"},
        BadCommand{"UnknownActivity", [] { return std::vector<Command>{cancel_activity(99)}; },
                   "BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES",
                   "BadRequestCancelActivityAttributes: invalid history builder state for action: "
                   "add-activitytask-cancel-requested-event, ScheduledEventID: 99"},
        BadCommand{
            "TooManyActivities",
            [] { return std::vector<Command>{schedule_activity("a"), schedule_activity("b"), schedule_activity("c")}; },
            "PENDING_ACTIVITIES_LIMIT_EXCEEDED",
            "PendingActivitiesLimitExceeded: the number of pending activities, 2, has reached the per-workflow limit "
            "of 2"},
        BadCommand{"UnknownSearchAttribute",
                   [] {
                     return std::vector<Command>{with(
                         without_attributes(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES), [](Command& c) {
                           (*c.mutable_upsert_workflow_search_attributes_command_attributes()
                                 ->mutable_search_attributes()
                                 ->mutable_indexed_fields())["Nope"]
                               .set_data("1");
                         })};
                   },
                   "BAD_SEARCH_ATTRIBUTES",
                   "BadSearchAttributes: Namespace default has no mapping defined for search attribute Nope"},
        BadCommand{
            "ChildWithoutAttributes",
            [] { return std::vector<Command>{without_attributes(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)}; },
            "BAD_START_CHILD_EXECUTION_ATTRIBUTES",
            "BadStartChildExecutionAttributes: StartChildWorkflowExecutionCommandAttributes is not set on "
            "StartChildWorkflowExecutionCommand."}),
    [](const auto& test) { return test.param.name; });

TEST(BadCommands, OnALaterAttemptWriteNothing) {  // C15
  ServiceWorld world;
  world.start();
  EXPECT_EQ(world.complete(world.poll(), {start_timer("", 1)}).status.code, 3);
  const WorkflowTask second = world.poll();
  EXPECT_EQ(second.attempt(), 2);
  EXPECT_EQ(world.complete(second, {start_timer("", 1)}).status.code, 3);
  EXPECT_EQ(world.history().events_size(), 4);
  EXPECT_TRUE(world.complete(second, {start_timer("1", 1)}).ok()) << "the attempt is still started";
}

TEST(Limits, OversizePayloadsTerminate) {  // C20
  EmbeddedOptions options;
  options.blob_bytes_max = 1000;
  ServiceWorld world(options);
  world.start();
  const auto answer = world.complete(world.poll(), {complete_workflow(std::string(1001, 'x'))});
  EXPECT_EQ(answer.status.message,
            "BadScheduleActivityAttributes: CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.");
  EXPECT_EQ(
      world.transcript("W", "", 4),
      "[4 WorkflowTaskFailed scheduled=2 started=3 cause=BAD_SCHEDULE_ACTIVITY_ATTRIBUTES "
      "failure={message=BadScheduleActivityAttributes: CompleteWorkflowExecutionCommandAttributes.Result exceeds size "
      "limit. server_failure_info={}}\n"
      " 5 WorkflowExecutionTerminated reason=BadScheduleActivityAttributes: "
      "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit. identity=history-service\n");
}

TEST(Limits, HistoryCount) {  // C.16: at the limit it lives, beyond it does not
  EmbeddedOptions options;
  options.history_events_max = 6;
  for (const int timers : {2, 3}) {
    ServiceWorld world(options);
    world.start();
    std::vector<Command> commands;
    for (int i = 0; i < timers; ++i) commands.push_back(start_timer(std::to_string(i), 60));
    const auto answer = world.complete(world.poll(), commands);
    if (timers == 2) {
      EXPECT_TRUE(answer.ok());
      EXPECT_EQ(world.history().events_size(), 6);
      continue;
    }
    EXPECT_EQ(answer.status.message, "Workflow history count exceeds limit.");
    EXPECT_EQ(world.transcript("W", "", 4),
              "[4 WorkflowTaskFailed scheduled=2 started=3 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
              " 5 WorkflowExecutionTerminated reason=Workflow history count exceeds limit. identity=history-service\n");
  }
}

PortStatus signal_with(ServiceWorld& world, std::size_t bytes) {
  api::SignalWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  request.set_signal_name("s");
  *request.mutable_input() = payloads(std::string(bytes, 'x'));
  return world.call(&WorkflowService::SignalWorkflowExecution, request).status;
}

/// The change after the one that went beyond ends the run; what came before it stays.
void grow_beyond(ServiceWorld& world, std::size_t bytes_max, std::size_t portion) {
  world.start();
  constexpr std::int64_t kAround = 1'000;  // an event around its payload, and the task's three
  const auto size = [&world] { return world.describe().workflow_execution_info().history_size_bytes(); };
  int signals = 0;
  for (; size() + static_cast<std::int64_t>(portion) + kAround < static_cast<std::int64_t>(bytes_max); ++signals) {
    ASSERT_TRUE(signal_with(world, portion).ok()) << signals;
  }
  ASSERT_EQ(world.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  const WorkflowTask task = world.poll();
  Command last = marker("m");
  (*last.mutable_record_marker_command_attributes()->mutable_details())["d"] =
      payloads(std::string(portion + kAround, 'y'));
  EXPECT_TRUE(world.complete(task, {last}).ok());
  EXPECT_EQ(signal_with(world, 1).message, "Workflow history size exceeds limit.");
  const History history = world.history();
  const auto& end = history.events(history.events_size() - 1);
  EXPECT_EQ(end.workflow_execution_terminated_event_attributes().reason(), "Workflow history size exceeds limit.");
  EXPECT_EQ(end.workflow_execution_terminated_event_attributes().identity(), "history-service");
  EXPECT_EQ(history.events_size(), signals + 6) << "started, the task's three, the marker, the end, and each signal";
}

TEST(Limits, HistorySize) {  // C.16, a lowered limit
  EmbeddedOptions options;
  options.history_bytes_max = 50'000;
  ServiceWorld world(options);
  grow_beyond(world, options.history_bytes_max, 1'000);
}

TEST(Limits, StateSize) {  // C.16: of what is known beside the history
  EmbeddedOptions options;
  options.state_bytes_max = 10'000;
  ServiceWorld world(options);
  world.start();
  ASSERT_TRUE(world.complete(world.poll(), {schedule_activity("1"), schedule_activity("2")}).ok());
  const auto beat = [&world] {
    api::RecordActivityTaskHeartbeatRequest request;
    request.set_task_token(world.poll_activity().task_token());
    *request.mutable_details() = payloads(std::string(6'000, 'x'));
    return world.call(&WorkflowService::RecordActivityTaskHeartbeat, request).status;
  };
  EXPECT_TRUE(beat().ok());
  world.restart();
  EXPECT_EQ(beat().message, "Workflow mutable state size exceeds limit.") << "counted, not only remembered";
  EXPECT_EQ(world.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

TEST(Limits, WhatGoesBeyondIsNotDone) {  // C.16
  EmbeddedOptions options;
  options.history_events_max = 4;
  ServiceWorld world(options);
  world.start();
  ASSERT_TRUE(world.complete(world.poll(), {}).ok());
  EXPECT_EQ(world.signal("s").message, "Workflow history count exceeds limit.");
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            "[5 WorkflowExecutionTerminated reason=Workflow history count exceeds limit. identity=history-service\n");
}

TEST(Limits, HistorySizeAsItIs) {  // C.16: 50 MiB
  ServiceWorld world;
  ASSERT_EQ(EmbeddedOptions().history_bytes_max, 50u << 20);
  grow_beyond(world, 50u << 20, 2'000'000);
}

TEST(Limits, TenThousandSignalsOfOneRun) {  // C.16
  ServiceWorld world;
  world.start();
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(world.signal("s").ok()) << i;
  const PortStatus beyond = world.signal("s");
  EXPECT_EQ(beyond.code, 3);
  EXPECT_EQ(beyond.message, "exceeded workflow execution limit for signal events");
  EXPECT_EQ(world.describe().workflow_execution_info().history_length(), 10'002) << "it lives, and holds them all";
  world.restart();
  EXPECT_EQ(world.signal("s").code, 3) << "counted, not only remembered";
  EXPECT_TRUE(world.terminate("enough").ok());
}

TEST(Limits, ContinueAsNewIsSuggested) {  // C11
  EmbeddedOptions options;
  options.history_events_suggest = 6;
  ServiceWorld world(options);
  world.start();
  (void)world.complete(world.poll(), {});
  world.signal("s");
  const WorkflowTask task = world.poll();
  EXPECT_TRUE(task.history().events(6).workflow_task_started_event_attributes().suggest_continue_as_new());
  EXPECT_FALSE(task.history().events(2).workflow_task_started_event_attributes().suggest_continue_as_new());
}

TEST(Limits, ContinueAsNewIsSuggestedBySize) {  // C11
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll()).ok());
  const std::string megabyte = "\"" + std::string(1 << 20, 'x') + "\"";
  for (int mebibytes = 1; mebibytes <= 4; ++mebibytes) {
    api::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id("W");
    request.set_signal_name("s");
    *request.mutable_input() = payloads(megabyte);
    EXPECT_TRUE(world.call(&WorkflowService::SignalWorkflowExecution, request).ok());
    const WorkflowTask task = world.poll();
    const auto& last = task.history().events(task.history().events_size() - 1);
    EXPECT_EQ(last.workflow_task_started_event_attributes().suggest_continue_as_new(), mebibytes >= 4) << mebibytes;
    EXPECT_TRUE(world.complete(task).ok());
  }
}

TEST(Limits, BufferedEvents) {  // C.2: the one beyond fails the task
  EmbeddedOptions options;
  options.buffered_events_max = 3;
  ServiceWorld world(options);
  world.start();
  const WorkflowTask task = world.poll();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(world.signal("s").ok());
  EXPECT_EQ(world.history().events_size(), 3);
  EXPECT_TRUE(world.signal("s").ok());
  EXPECT_EQ(world.history().events_size(), 8);
  EXPECT_EQ(world.complete(task).status.message, "Workflow task not found.");
  const WorkflowTask next = world.poll();
  EXPECT_EQ(next.attempt(), 2);
  EXPECT_EQ(world.history().events_size(), 8);
  EXPECT_TRUE(world.complete(next).ok());
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
            " 5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowExecutionSignaled signal_name=s\n"
            " 7 WorkflowExecutionSignaled signal_name=s\n"
            " 8 WorkflowExecutionSignaled signal_name=s\n"
            "[9 WorkflowTaskScheduled attempt=2\n"
            " 10 WorkflowTaskStarted scheduled=9\n"
            "[11 WorkflowTaskCompleted scheduled=9 started=10\n");
}

TEST(System, CapabilitiesAndNamespaces) {  // A.2
  ServiceWorld world;
  const auto info = world.call(&WorkflowService::GetSystemInfo, api::GetSystemInfoRequest()).reply;
  EXPECT_EQ(info.server_version(), "1.29.1");
  EXPECT_TRUE(info.capabilities().sdk_metadata());
  EXPECT_TRUE(info.capabilities().internal_error_differentiation());
  EXPECT_TRUE(info.capabilities().supports_schedules());
  EXPECT_FALSE(info.capabilities().nexus());
  EXPECT_FALSE(info.capabilities().eager_workflow_start());
  api::DescribeNamespaceRequest request;
  EXPECT_EQ(world.call(&WorkflowService::DescribeNamespace, request).status.message, "Namespace not set on request.");
  request.set_namespace_("default");
  const auto described = world.call(&WorkflowService::DescribeNamespace, request).reply;
  EXPECT_EQ(described.namespace_info().id().size(), 36u);
  EXPECT_FALSE(described.namespace_info().capabilities().worker_poll_complete_on_shutdown());
  EXPECT_EQ(described.config().workflow_execution_retention_ttl().seconds(), 86'400);
  request.set_namespace_("nope");
  EXPECT_EQ(world.call(&WorkflowService::DescribeNamespace, request).status.message, "Namespace nope is not found.");
  request.clear_namespace_();
  request.set_id("junk");
  EXPECT_EQ(world.call(&WorkflowService::DescribeNamespace, request).status.message, "invalid UUID length: 4");
  EXPECT_EQ(world.call(&WorkflowService::ListNamespaces, api::ListNamespacesRequest()).reply.namespaces_size(), 2);
  EXPECT_EQ(world.call(&WorkflowService::GetClusterInfo, api::GetClusterInfoRequest()).reply.server_version(),
            "1.29.1");
}

TEST(System, StopAnswersPollsAndRefusesTheRest) {
  ServiceWorld world;
  auto poll = world.poll_later();
  bool stopped = false;
  world.service().stop([&stopped] { stopped = true; });
  world.loop.run_idle();
  EXPECT_TRUE(poll->ok());
  EXPECT_TRUE(stopped);
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, world.start_request()).status.code, 14);
}

}  // namespace
}  // namespace callimport::engine::testing_world
