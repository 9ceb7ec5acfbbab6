// Starting: what a request must have, whose id it may use, and what it is told (conformance C1 to C10).
#include <gtest/gtest.h>

#include "temporal/api/errordetails/v1/message.pb.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

namespace details = ::temporal::api::errordetails::v1;

TEST(Start, TimeoutsOfZeroAreKeptAsWritten) {
  ServiceWorld world;
  auto request = world.start_request();
  request.mutable_workflow_run_timeout();
  request.mutable_workflow_execution_timeout();
  ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  const auto history = world.history();
  const auto& started = history.events(0).workflow_execution_started_event_attributes();
  EXPECT_TRUE(started.has_workflow_run_timeout());
  EXPECT_TRUE(started.has_workflow_execution_timeout());
  EXPECT_FALSE(started.has_workflow_execution_expiration_time()) << "zero is no limit";
  EXPECT_TRUE(world.describe().execution_config().has_workflow_execution_timeout());

  EXPECT_TRUE(world.complete(world.poll(), {continue_as_new("1")}).ok());
  const auto next = world.history();
  const auto& continued = next.events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(continued.continued_execution_run_id(), started.original_execution_run_id());
  EXPECT_TRUE(continued.has_workflow_execution_timeout());
  EXPECT_FALSE(continued.has_workflow_execution_expiration_time());
}

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
        BadStart{"LongId", [](Start& r) { r.set_workflow_id(std::string(1001, 'x')); }, 3,
                 "WorkflowId length exceeds limit."},
        BadStart{"NoType", [](Start& r) { r.clear_workflow_type(); }, 3, "WorkflowType is not set on request."},
        BadStart{"LongType", [](Start& r) { r.mutable_workflow_type()->set_name(std::string(1001, 'x')); }, 3,
                 "WorkflowType length exceeds limit."},
        BadStart{"LongRequestId", [](Start& r) { r.set_request_id(std::string(1001, 'x')); }, 3,
                 "RequestId length exceeds limit."},
        BadStart{"NoQueue", [](Start& r) { r.clear_task_queue(); }, 3, "taskQueue is not set"},
        BadStart{"NoQueueName", [](Start& r) { r.mutable_task_queue()->clear_name(); }, 3, "missing task queue name"},
        BadStart{"LongQueue", [](Start& r) { r.mutable_task_queue()->set_name(std::string(1001, 'x')); }, 3,
                 "taskQueue length exceeds limit"},
        BadStart{"ReservedQueue", [](Start& r) { r.mutable_task_queue()->set_name("/_sys/q"); }, 3,
                 "task queue name cannot start with reserved prefix /_sys/"},
        BadStart{"NegativeTimeout", [](Start& r) { r.mutable_workflow_run_timeout()->set_seconds(-1); }, 3,
                 "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration"},
        BadStart{"UnknownAttribute",
                 [](Start& r) { (*r.mutable_search_attributes()->mutable_indexed_fields())["Nope"].set_data("1"); }, 3,
                 "Namespace default has no mapping defined for search attribute Nope"},
        BadStart{"WrongAttributeValue",
                 [](Start& r) {
                   (*r.mutable_search_attributes()->mutable_indexed_fields())["CustomIntField"].set_data("\"x\"");
                 },
                 3, "invalid value for search attribute CustomIntField of type Int: x"},
        BadStart{"ListForAKeyword",
                 [](Start& r) {
                   (*r.mutable_search_attributes()->mutable_indexed_fields())["CustomKeywordField"].set_data(
                       "[\"a\",\"b\"]");
                 },
                 3, "invalid value for search attribute CustomKeywordField of type Keyword: [a b]"},
        BadStart{"LongAttribute",
                 [](Start& r) {
                   (*r.mutable_search_attributes()->mutable_indexed_fields())["CustomKeywordField"].set_data(
                       "\"" + std::string(2047, 'x') + "\"");
                 },
                 3, "search attribute CustomKeywordField value size 2049 exceeds size limit 2048"},
        BadStart{"NegativePriority", [](Start& r) { r.mutable_priority()->set_priority_key(-1); }, 3,
                 "PriorityKey can't be negative"},
        BadStart{"LongFairnessKey", [](Start& r) { r.mutable_priority()->set_fairness_key(std::string(65, 'f')); }, 3,
                 "FairnessKey length exceeds limit"},
        BadStart{"NegativeFairness", [](Start& r) { r.mutable_priority()->set_fairness_weight(-1); }, 3,
                 "FairnessWeight can't be negative"},
        BadStart{"SystemAttribute",
                 [](Start& r) {
                   (*r.mutable_search_attributes()->mutable_indexed_fields())["ExecutionStatus"].set_data("\"x\"");
                 },
                 3, "ExecutionStatus attribute can't be set in SearchAttributes"},
        BadStart{"SmallCoefficient", [](Start& r) { r.mutable_retry_policy()->set_backoff_coefficient(0.5); }, 3,
                 "BackoffCoefficient cannot be less than 1 on retry policy."},
        BadStart{"SmallMaximum",
                 [](Start& r) {
                   r.mutable_retry_policy()->mutable_initial_interval()->set_seconds(5);
                   r.mutable_retry_policy()->mutable_maximum_interval()->set_seconds(1);
                 },
                 3, "MaximumInterval cannot be less than InitialInterval on retry policy."},
        BadStart{"NegativeAttempts", [](Start& r) { r.mutable_retry_policy()->set_maximum_attempts(-1); }, 3,
                 "MaximumAttempts cannot be negative on retry policy."},
        BadStart{"NegativeInterval",
                 [](Start& r) { r.mutable_retry_policy()->mutable_initial_interval()->set_seconds(-1); }, 3,
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
                 "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together "
                 "with a "
                 "WorkflowIDConflictPolicy"},
        BadStart{
            "RejectAndTerminate",
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
  while (request.input().ByteSizeLong() < 1000)
    request.mutable_input()->mutable_payloads(0)->mutable_data()->push_back('y');
  ASSERT_EQ(request.input().ByteSizeLong(), 1000u);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  request.set_workflow_id("other");
  request.mutable_input()->mutable_payloads(0)->mutable_data()->push_back('y');
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, request).status.message,
            "Blob data size exceeds limit.");
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
  EXPECT_EQ(answer.status.message,
            std::string(GetParam().refusal).replace(std::string(GetParam().refusal).find("RUN"), 3, run));
}
INSTANTIATE_TEST_SUITE_P(
    Table, ReusePolicy,
    testing::Values(Reuse{"AllowDuplicate", enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, true, nullptr},
                    Reuse{"FailedOnlyAfterFailure", enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, false,
                          nullptr},
                    Reuse{"FailedOnlyAfterSuccess", enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, true,
                          "Workflow execution already finished successfully. WorkflowId: W, RunId: RUN. Workflow Id "
                          "reuse policy: allow "
                          "duplicate workflow Id if last run failed."},
                    Reuse{"Reject", enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, false,
                          "Workflow execution already finished. WorkflowId: W, RunId: RUN. Workflow Id reuse policy: "
                          "reject duplicate "
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

}  // namespace
}  // namespace callimport::engine::testing_world
