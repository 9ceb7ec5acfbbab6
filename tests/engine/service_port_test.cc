// The port's answers: policies, ids, texts, details, limits (conformance A8, C1 to C10, C12, C15, C19, C20, C.6, C29, C.16, C.17).
#include <gtest/gtest.h>

#include <functional>

#include "temporal/api/errordetails/v1/message.pb.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
namespace details = ::temporal::api::errordetails::v1;

// Start: what is wrong with a request.
struct BadStart {
  const char* name;
  void (*damage)(api::StartWorkflowExecutionRequest&);
  int code;
  const char* text;
};
void PrintTo(const BadStart& row, std::ostream* out) { *out << row.name; }
class StartRefused : public testing::TestWithParam<BadStart> {};
TEST_P(StartRefused, WithTheKnownText) {
  ServiceWorld world;
  auto request = world.start_request();
  GetParam().damage(request);
  const auto answer = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_EQ(answer.status.code, GetParam().code);
  EXPECT_EQ(answer.status.message, GetParam().text);
  if (answer.status.code == 3) {
    EXPECT_EQ(answer.status.detail_type, "") << "plain INVALID_ARGUMENT has no details";
  }
  EXPECT_EQ(world.service().figures().open_runs, 0u);
}
using Start = api::StartWorkflowExecutionRequest;
INSTANTIATE_TEST_SUITE_P(
    Table, StartRefused,
    testing::Values(
        BadStart{"NoNamespace", [](Start& r) { r.clear_namespace_(); }, 3, "Namespace is empty."},
        BadStart{"UnknownNamespace", [](Start& r) { r.set_namespace_("nope"); }, 5, "Namespace nope is not found."},
        BadStart{"NoId", [](Start& r) { r.clear_workflow_id(); }, 3, "WorkflowId is not set on request."},
        BadStart{"LongId", [](Start& r) { r.set_workflow_id(std::string(1001, 'x')); }, 3, "WorkflowId length exceeds limit."},
        BadStart{"NoType", [](Start& r) { r.clear_workflow_type(); }, 3, "WorkflowType is not set on request."},
        BadStart{"LongType", [](Start& r) { r.mutable_workflow_type()->set_name(std::string(1001, 'x')); }, 3,
                 "WorkflowType length exceeds limit."},
        BadStart{"LongRequestId", [](Start& r) { r.set_request_id(std::string(1001, 'x')); }, 3, "RequestId length exceeds limit."},
        BadStart{"NoQueue", [](Start& r) { r.clear_task_queue(); }, 3, "missing task queue name"},
        BadStart{"LongQueue", [](Start& r) { r.mutable_task_queue()->set_name(std::string(1001, 'x')); }, 3,
                 "taskQueue length exceeds limit"},
        BadStart{"ReservedQueue", [](Start& r) { r.mutable_task_queue()->set_name("/_sys/q"); }, 3,
                 "task queue name cannot start with reserved prefix /_sys/"},
        BadStart{"NegativeTimeout", [](Start& r) { r.mutable_workflow_run_timeout()->set_seconds(-1); }, 3,
                 "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration"},
        BadStart{"UnknownAttribute", [](Start& r) { (*r.mutable_search_attributes()->mutable_indexed_fields())["Nope"].set_data("1"); },
                 3, "Namespace default has no mapping defined for search attribute Nope"},
        BadStart{"WrongAttributeValue",
                 [](Start& r) { (*r.mutable_search_attributes()->mutable_indexed_fields())["CustomIntField"].set_data("\"x\""); }, 3,
                 "invalid value for search attribute CustomIntField of type Int: x"},
        BadStart{"SystemAttribute",
                 [](Start& r) { (*r.mutable_search_attributes()->mutable_indexed_fields())["ExecutionStatus"].set_data("\"x\""); }, 3,
                 "ExecutionStatus attribute can't be set in SearchAttributes"},
        BadStart{"SmallCoefficient",
                 [](Start& r) { r.mutable_retry_policy()->set_backoff_coefficient(0.5); }, 3,
                 "BackoffCoefficient cannot be less than 1 on retry policy."},
        BadStart{"SmallMaximum",
                 [](Start& r) {
                   r.mutable_retry_policy()->mutable_initial_interval()->set_seconds(5);
                   r.mutable_retry_policy()->mutable_maximum_interval()->set_seconds(1);
                 },
                 3, "MaximumInterval cannot be less than InitialInterval on retry policy."},
        BadStart{"NegativeAttempts", [](Start& r) { r.mutable_retry_policy()->set_maximum_attempts(-1); }, 3,
                 "MaximumAttempts cannot be negative on retry policy."},
        BadStart{"NegativeInterval", [](Start& r) { r.mutable_retry_policy()->mutable_initial_interval()->set_seconds(-1); }, 3,
                 "invalid InitialInterval set on retry policy: negative duration"},
        BadStart{"UnknownTimeoutType",
                 [](Start& r) { r.mutable_retry_policy()->add_non_retryable_error_types("TemporalTimeout:Foo"); }, 3,
                 "Invalid timeout type value: Foo."},
        BadStart{"CronAndDelay",
                 [](Start& r) {
                   r.set_cron_schedule("@every 1s");
                   r.mutable_workflow_start_delay()->set_seconds(1);
                 },
                 3, "CronSchedule and WorkflowStartDelay may not be used together."},
        BadStart{"TwoPolicies",
                 [](Start& r) {
                   r.set_workflow_id_reuse_policy(static_cast<enums::WorkflowIdReusePolicy>(4));
                   r.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
                 },
                 3,
                 "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a "
                 "WorkflowIDConflictPolicy"},
        BadStart{"RejectAndTerminate",
                 [](Start& r) {
                   r.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
                   r.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
                 },
                 3,
                 "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with "
                 "WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"},
        BadStart{"LargeInput", [](Start& r) { *r.mutable_input() = payloads(std::string((2u << 20) + 1, 'x')); }, 3,
                 "Blob data size exceeds limit."}),
    [](const auto& test) { return test.param.name; });

TEST(Start, LimitsHoldAtTheLimit) {  // C7, C.16: the limit itself is fine
  EmbeddedOptions options;
  options.blob_bytes_max = 1000;
  ServiceWorld world(options);
  auto request = world.start_request(std::string(1000, 'x'));
  *request.mutable_input() = payloads("");
  request.mutable_input()->mutable_payloads(0)->set_data(std::string(1000 - request.input().ByteSizeLong() - 4, 'y'));
  while (request.input().ByteSizeLong() < 1000) request.mutable_input()->mutable_payloads(0)->mutable_data()->push_back('y');
  ASSERT_EQ(request.input().ByteSizeLong(), 1000u);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  request.set_workflow_id("other");
  request.mutable_input()->mutable_payloads(0)->mutable_data()->push_back('y');
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, request).status.message, "Blob data size exceeds limit.");
}

TEST(Start, TaskTimeoutIsClipped) {  // C7
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_task_timeout() = seconds(500);
  *request.mutable_workflow_run_timeout() = seconds(90);
  *request.mutable_workflow_execution_timeout() = seconds(60);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  const History history = world.history();
  const auto& started = history.events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.workflow_run_timeout().seconds(), 60);
  EXPECT_EQ(started.workflow_task_timeout().seconds(), 60);
  EXPECT_TRUE(started.has_workflow_execution_expiration_time());
}

TEST(Start, ReplyAndDetails) {  // C3, C9
  ServiceWorld world;
  auto request = world.start_request();
  request.set_request_id("first");
  const auto started = world.call(&WorkflowService::StartWorkflowExecution, request);
  ASSERT_TRUE(started.ok());
  EXPECT_TRUE(started.reply.started());
  EXPECT_EQ(started.reply.status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(started.reply.run_id()[14], '7') << "UUIDv7-shaped";
  EXPECT_EQ(started.reply.link().workflow_event().event_ref().event_id(), 1);
  request.set_request_id("second");
  const auto refused = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_EQ(refused.status.code, 6);
  EXPECT_EQ(refused.status.message,
            "Workflow execution is already running. WorkflowId: W, RunId: " + started.reply.run_id() + ".");
  ASSERT_EQ(refused.status.detail_type, "temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure");
  details::WorkflowExecutionAlreadyStartedFailure detail;
  ASSERT_TRUE(detail.ParseFromString(refused.status.detail_bytes));
  EXPECT_EQ(detail.start_request_id(), "first");
  EXPECT_EQ(detail.run_id(), started.reply.run_id());
}

// Reuse of the id of a closed run: how it closed, the policy, and whether it may start.
struct Reuse {
  const char* name;
  enums::WorkflowIdReusePolicy policy;
  bool completed;  ///< else failed
  const char* refusal;
};
void PrintTo(const Reuse& row, std::ostream* out) { *out << row.name; }
class ReusePolicy : public testing::TestWithParam<Reuse> {};
TEST_P(ReusePolicy, OfAClosedRun) {
  ServiceWorld world;
  const std::string run = world.start();
  (void)world.complete(world.poll(), {GetParam().completed ? complete_workflow() : fail_workflow("f")});
  auto request = world.start_request();
  request.set_workflow_id_reuse_policy(GetParam().policy);
  const auto answer = world.call(&WorkflowService::StartWorkflowExecution, request);
  if (GetParam().refusal == nullptr) {
    EXPECT_TRUE(answer.ok()) << answer.status.message;
    return;
  }
  EXPECT_EQ(answer.status.code, 6);
  EXPECT_EQ(answer.status.message, std::string(GetParam().refusal).replace(std::string(GetParam().refusal).find("RUN"), 3, run));
}
INSTANTIATE_TEST_SUITE_P(
    Table, ReusePolicy,
    testing::Values(
        Reuse{"AllowDuplicate", enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, true, nullptr},
        Reuse{"FailedOnlyAfterFailure", enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, false, nullptr},
        Reuse{"FailedOnlyAfterSuccess", enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, true,
              "Workflow execution already finished successfully. WorkflowId: W, RunId: RUN. Workflow Id reuse policy: allow "
              "duplicate workflow Id if last run failed."},
        Reuse{"Reject", enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, false,
              "Workflow execution already finished. WorkflowId: W, RunId: RUN. Workflow Id reuse policy: reject duplicate "
              "workflow Id."}),
    [](const auto& test) { return test.param.name; });

TEST(Start, UseExistingAttachesARequestOnce) {  // C2, C6
  ServiceWorld world;
  const std::string run = world.start();
  auto request = world.start_request();
  request.set_request_id("attached");
  request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  request.mutable_on_conflict_options()->set_attach_request_id(true);
  for (int i = 0; i < 2; ++i) {
    const auto answer = world.call(&WorkflowService::StartWorkflowExecution, request);
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE(answer.reply.started());
    EXPECT_EQ(answer.reply.run_id(), run);
  }
  const History history = world.history();
  ASSERT_EQ(history.events_size(), 3);
  EXPECT_TRUE(history.events(2).worker_may_ignore());
  EXPECT_EQ(history.events(2).workflow_execution_options_updated_event_attributes().attached_request_id(), "attached");
  request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok()) << "known, even under FAIL";
}

TEST(Start, TerminateExisting) {  // C5
  ServiceWorld world;
  const std::string first = world.start();
  auto request = world.start_request();
  request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
  const auto second = world.call(&WorkflowService::StartWorkflowExecution, request);
  ASSERT_TRUE(second.ok());
  const History history = world.history("W", first);
  const auto& last = history.events(2).workflow_execution_terminated_event_attributes();
  EXPECT_EQ(last.reason(), "TerminateIfRunning WorkflowIdReusePolicy");
  EXPECT_EQ(last.identity(), "history-service");
  EXPECT_EQ(last.details().payloads(0).data(), "\"terminated by new runID: " + second.reply.run_id() + "\"");
}

TEST(Start, DelayHoldsTheFirstTask) {  // C10, C.6
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_start_delay() = seconds(60);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  EXPECT_TRUE(world.signal("s").ok());
  EXPECT_EQ(world.history().events_size(), 2) << "the signal is written, the task waits";
  world.advance(std::chrono::seconds{59});
  EXPECT_EQ(world.history().events_size(), 2);
  world.advance(std::chrono::seconds{1});
  EXPECT_EQ(world.history().events_size(), 3);
}

TEST(Start, CancelEndsTheDelay) {  // C.6
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_start_delay() = seconds(60);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  EXPECT_TRUE(world.cancel("now").ok());
  EXPECT_EQ(world.poll().history().events_size(), 4);
}

TEST(SignalWithStart, StartsOnceThenSignals) {  // C.6
  ServiceWorld world;
  api::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("W");
  request.mutable_workflow_type()->set_name("T");
  request.mutable_task_queue()->set_name("W");
  request.set_identity("cli");
  request.set_signal_name("s");
  request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
  EXPECT_EQ(world.call(&WorkflowService::SignalWithStartWorkflowExecution, request).status.message,
            "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.");
  request.clear_workflow_id_conflict_policy();
  request.set_request_id("1");
  const auto first = world.call(&WorkflowService::SignalWithStartWorkflowExecution, request);
  EXPECT_TRUE(first.reply.started());
  EXPECT_EQ(first.reply.run_id()[14], '4');
  request.set_request_id("2");
  const auto second = world.call(&WorkflowService::SignalWithStartWorkflowExecution, request);
  EXPECT_FALSE(second.reply.started());
  EXPECT_EQ(world.transcript(),
            "[1 WorkflowExecutionStarted original_run=R1 first_run=R1 attempt=1 backoff=0s\n"
            " 2 WorkflowExecutionSignaled signal_name=s\n"
            " 3 WorkflowTaskScheduled attempt=1\n"
            "[4 WorkflowExecutionSignaled signal_name=s\n");
}

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
  EXPECT_EQ(world.call(&WorkflowService::SignalWorkflowExecution, request).status.message, "SignalName is not set on request.");
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
  EXPECT_EQ(world.call(&WorkflowService::TerminateWorkflowExecution, request).status.message, "workflow execution not found");
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
  EXPECT_EQ(world.call(&WorkflowService::PollWorkflowTaskQueue, request, world.within(std::chrono::seconds{70})).status.message,
            "taskQueue is not set");
  request.set_namespace_("nope");
  EXPECT_EQ(world.call(&WorkflowService::PollWorkflowTaskQueue, request, world.within(std::chrono::seconds{70})).status.detail_type,
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

// Tokens (C12, C29).
TEST(Token, HoldsOnce) {
  ServiceWorld world;
  world.start();
  const WorkflowTask task = world.poll();
  auto request = world.completion(task, {});
  request.set_task_token("junk\xff");
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).status.message,
            "Error deserializing task token.");
  request.clear_task_token();
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).status.message, "Task token not set on request.");
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
  EXPECT_EQ(enums::WorkflowTaskFailedCause_Name(failed.cause()), std::string("WORKFLOW_TASK_FAILED_CAUSE_") + GetParam().cause);
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
        BadCommand{"CloseBeforeTimer", [] { return std::vector<Command>{complete_workflow(), start_timer("1", 1)}; }, nullptr,
                   "invalid command sequence: [CompleteWorkflowExecution, StartTimer], command CompleteWorkflowExecution must be "
                   "the last command."},
        BadCommand{"UnknownType", [] { return std::vector<Command>{Command()}; }, nullptr, "unknown command type: Unspecified"},
        BadCommand{"SameTimerTwice", [] { return std::vector<Command>{start_timer("1", 1), start_timer("1", 2)}; },
                   "START_TIMER_DUPLICATE_ID",
                   "StartTimerDuplicateId: invalid history builder state for action: add-timer-started-event, TimerID: 1"},
        BadCommand{"SameActivityTwice", [] { return std::vector<Command>{schedule_activity("a"), schedule_activity("a")}; },
                   "SCHEDULE_ACTIVITY_DUPLICATE_ID",
                   "ScheduleActivityDuplicateId: invalid history builder state for action: add-activitytask-scheduled-event, "
                   "ActivityID: a"},
        BadCommand{"NoTimerId", [] { return std::vector<Command>{start_timer("", 1)}; }, "BAD_START_TIMER_ATTRIBUTES",
                   "BadStartTimerAttributes: TimerId is not set on StartTimerCommand."},
        BadCommand{"NoTimerAttributes", [] { return std::vector<Command>{without_attributes(enums::COMMAND_TYPE_START_TIMER)}; },
                   "BAD_START_TIMER_ATTRIBUTES",
                   "BadStartTimerAttributes: StartTimerCommandAttributes is not set on StartTimerCommand."},
        BadCommand{"NoActivityTimeout", [] { return std::vector<Command>{schedule_activity("a", "W", 0)}; },
                   "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES",
                   "BadScheduleActivityAttributes: A valid StartToClose or ScheduleToCloseTimeout is not set on "
                   "ScheduleActivityTaskCommand. ActivityId=a ActivityType=A"},
        BadCommand{"NoActivityQueue", [] { return std::vector<Command>{schedule_activity("a", "")}; }, nullptr,
                   "invalid TaskQueue on ScheduleActivityTaskCommand: missing task queue name. ActivityId=a ActivityType=A"},
        BadCommand{"NoMarkerName", [] { return std::vector<Command>{marker("")}; }, "BAD_RECORD_MARKER_ATTRIBUTES",
                   "BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand."},
        BadCommand{"NoFailure",
                   [] {
                     return std::vector<Command>{with(without_attributes(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION), [](Command& c) {
                       (void)c.mutable_fail_workflow_execution_command_attributes();
                     })};
                   },
                   "BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES",
                   "BadFailWorkflowExecutionAttributes: Failure is not set on FailWorkflowExecutionCommand."},
        BadCommand{"UnknownTimer", [] { return std::vector<Command>{cancel_timer("zz")}; }, "BAD_CANCEL_TIMER_ATTRIBUTES",
                   "BadCancelTimerAttributes: invalid history builder state for action: add-timer-canceled-event, TimerID: zz"},
        BadCommand{"UnknownActivity", [] { return std::vector<Command>{cancel_activity(99)}; },
                   "BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES",
                   "BadRequestCancelActivityAttributes: invalid history builder state for action: "
                   "add-activitytask-cancel-requested-event, ScheduledEventID: 99"},
        BadCommand{"TooManyActivities",
                   [] { return std::vector<Command>{schedule_activity("a"), schedule_activity("b"), schedule_activity("c")}; },
                   "PENDING_ACTIVITIES_LIMIT_EXCEEDED",
                   "PendingActivitiesLimitExceeded: the number of pending activities, 2, has reached the per-workflow limit of 2"},
        BadCommand{"UnknownSearchAttribute",
                   [] {
                     return std::vector<Command>{
                         with(without_attributes(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES), [](Command& c) {
                           (*c.mutable_upsert_workflow_search_attributes_command_attributes()
                                 ->mutable_search_attributes()
                                 ->mutable_indexed_fields())["Nope"]
                               .set_data("1");
                         })};
                   },
                   "BAD_SEARCH_ATTRIBUTES",
                   "BadSearchAttributes: Namespace default has no mapping defined for search attribute Nope"},
        BadCommand{"ChildrenAreLater", [] { return std::vector<Command>{without_attributes(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)}; },
                   "FEATURE_DISABLED", "FeatureDisabled: the embedded service does not support child workflows yet"}),
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
  EXPECT_EQ(world.transcript("W", "", 4),
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
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
            " 5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowExecutionSignaled signal_name=s\n"
            " 7 WorkflowExecutionSignaled signal_name=s\n"
            " 8 WorkflowExecutionSignaled signal_name=s\n"
            "[9 WorkflowTaskScheduled attempt=1\n"
            " 10 WorkflowTaskStarted scheduled=9\n");
  EXPECT_TRUE(world.complete(next).ok());
}

TEST(System, CapabilitiesAndNamespaces) {  // A.2
  ServiceWorld world;
  const auto info = world.call(&WorkflowService::GetSystemInfo, api::GetSystemInfoRequest()).reply;
  EXPECT_EQ(info.server_version(), "1.29.1");
  EXPECT_TRUE(info.capabilities().sdk_metadata());
  EXPECT_TRUE(info.capabilities().internal_error_differentiation());
  EXPECT_FALSE(info.capabilities().supports_schedules());
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
  EXPECT_EQ(world.call(&WorkflowService::GetClusterInfo, api::GetClusterInfoRequest()).reply.server_version(), "1.29.1");
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
