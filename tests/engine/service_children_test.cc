// Parents and children, and what one workflow may do to another (conformance C.12, E10).
#include <gtest/gtest.h>

#include <set>

#include "engine/history/history_rules.h"
#include "tests/engine/recovery_loops.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;

/// Events 1 to 7 of E10: W has a started child C.
void begin_family(ServiceWorld& world, const Command& child = start_child("C")) {
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {child}).ok());
  world.name_run(world.describe("C").workflow_execution_info().execution().run_id(), "RC");
}

TEST(Transcript, E10AChildCompletes) {
  ServiceWorld world;
  begin_family(world);
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
  (void)world.poll();
  EXPECT_EQ(world.transcript("W", "", 5),
            " 5 StartChildWorkflowExecutionInitiated workflow_id=C queue=C run_timeout=0s "
            "parent_close_policy=TERMINATE wtc=4 reuse=ALLOW_DUPLICATE\n"
            "[6 ChildWorkflowExecutionStarted initiated=5 execution={workflow_id=C run_id=RC}\n"
            " 7 WorkflowTaskScheduled attempt=1\n"
            "[8 ChildWorkflowExecutionCompleted result=[\"r\"] execution={workflow_id=C run_id=RC} initiated=5 "
            "started=6\n"
            "[9 WorkflowTaskStarted scheduled=7\n");
  EXPECT_EQ(world.transcript("C"),
            "[1 WorkflowExecutionStarted parent_workflow_execution={workflow_id=W run_id=R1} "
            "parent_initiated_event_id=5 queue=C run_timeout=0s original_run=RC first_run=RC attempt=1 backoff=0s "
            "workflow_id=C root_workflow_execution={workflow_id=W run_id=R1}\n"
            "[2 WorkflowTaskScheduled queue=C attempt=1\n"
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            " 5 WorkflowExecutionCompleted result=[\"r\"] wtc=4\n");
}

TEST(Children, TimeOutsOfZeroAreNone) {  // as the Go SDK sends them
  ServiceWorld world;
  Command child = start_child("C");
  auto* asked = child.mutable_start_child_workflow_execution_command_attributes();
  asked->mutable_workflow_execution_timeout();
  asked->mutable_workflow_run_timeout();
  begin_family(world, child);
  world.advance(milliseconds(1'000));
  EXPECT_EQ(world.describe("C").workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
  EXPECT_EQ(world.describe("C").workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
}

struct ClosePolicy {
  const char* name;
  enums::ParentClosePolicy policy;
  const char* child;  ///< from event 3 on, after the parent closed
};
void PrintTo(const ClosePolicy& row, std::ostream* out) { *out << row.name; }
class E10ParentCloses : public testing::TestWithParam<ClosePolicy> {};

TEST_P(E10ParentCloses, ByCompleting) {
  ServiceWorld world;
  begin_family(world, start_child("C", GetParam().policy));
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
TEST_P(E10ParentCloses, ByFailing) {
  ServiceWorld world;
  begin_family(world, start_child("C", GetParam().policy));
  EXPECT_TRUE(world.complete(world.poll(), {fail_workflow("f")}).ok());
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
TEST_P(E10ParentCloses, ByCancelling) {
  ServiceWorld world;
  begin_family(world, start_child("C", GetParam().policy));
  EXPECT_TRUE(world.complete(world.poll(), {cancel_workflow()}).ok());
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
TEST_P(E10ParentCloses, ByContinuingAsNew) {  // seen on server 1.29.1: children do not go over to the next run
  ServiceWorld world;
  begin_family(world, start_child("C", GetParam().policy));
  EXPECT_TRUE(world.complete(world.poll(), {continue_as_new("1")}).ok());
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
TEST_P(E10ParentCloses, ByBeingTerminated) {
  ServiceWorld world;
  begin_family(world, start_child("C", GetParam().policy));
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
TEST_P(E10ParentCloses, ByItsRunTimeout) {
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_run_timeout() = seconds(5);
  world.name_run(world.call(&WorkflowService::StartWorkflowExecution, request).reply.run_id(), "R1");
  EXPECT_TRUE(world.complete(world.poll(), {start_child("C", GetParam().policy)}).ok());
  world.advance(std::chrono::seconds{5});
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
TEST_P(E10ParentCloses, AfterARestart) {
  ServiceWorld world;
  begin_family(world, start_child("C", GetParam().policy));
  world.restart();
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
  world.restart();
  EXPECT_EQ(world.transcript("C", "", 3), GetParam().child);
}
INSTANTIATE_TEST_SUITE_P(Table, E10ParentCloses,
                         testing::Values(ClosePolicy{"Terminate", enums::PARENT_CLOSE_POLICY_TERMINATE,
                                                     "[3 WorkflowExecutionTerminated reason=by parent close policy "
                                                     "identity=history-service\n"},
                                         ClosePolicy{"Abandon", enums::PARENT_CLOSE_POLICY_ABANDON, ""},
                                         ClosePolicy{
                                             "RequestCancel", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL,
                                             "[3 WorkflowExecutionCancelRequested external={workflow_id=W run_id=R1} "
                                             "identity=history-service\n"}),
                         [](const auto& test) { return std::string(test.param.name); });

struct ChildEnds {
  const char* name;
  void (*how)(ServiceWorld& world);
  const char* parent;
};
void PrintTo(const ChildEnds& row, std::ostream* out) { *out << row.name; }
class AChildEnds : public testing::TestWithParam<ChildEnds> {};
TEST_P(AChildEnds, AndItsParentHearsHow) {
  ServiceWorld world;
  Command child = start_child("C");
  *child.mutable_start_child_workflow_execution_command_attributes()->mutable_workflow_run_timeout() = seconds(5);
  begin_family(world, child);
  GetParam().how(world);
  const std::string where = " execution={workflow_id=C run_id=RC} initiated=5 started=6";
  std::string expected = GetParam().parent;
  expected.replace(expected.find(" @"), 2, where);
  EXPECT_EQ(world.transcript("W", "", 8), expected);
  EXPECT_EQ(world.describe().pending_children_size(), 0);
}
INSTANTIATE_TEST_SUITE_P(
    Table, AChildEnds,
    testing::Values(ChildEnds{"Failing", [](ServiceWorld& w) { (void)w.complete(w.poll("C"), {fail_workflow("f")}); },
                              "[8 ChildWorkflowExecutionFailed failure={message=f app={type=E}} @ "
                              "retry_state=RETRY_POLICY_NOT_SET\n"},
                    ChildEnds{"Cancelled", [](ServiceWorld& w) { (void)w.complete(w.poll("C"), {cancel_workflow()}); },
                              "[8 ChildWorkflowExecutionCanceled @\n"},
                    ChildEnds{"Terminated", [](ServiceWorld& w) { (void)w.terminate("x", "C"); },
                              "[8 ChildWorkflowExecutionTerminated @\n"},
                    ChildEnds{"TimedOut", [](ServiceWorld& w) { w.advance(std::chrono::seconds{5}); },
                              "[8 ChildWorkflowExecutionTimedOut @ retry_state=RETRY_POLICY_NOT_SET\n"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Children, EventsOfAChildAreBufferedWhileATaskIsStarted) {  // C.2
  ServiceWorld world;
  world.start();
  auto first = world.completion(world.poll(), {start_child("C")});
  first.set_force_create_new_workflow_task(true);
  first.set_return_new_workflow_task(true);  // a task is in the worker's hands before the child starts
  const auto reply = world.call(&WorkflowService::RespondWorkflowTaskCompleted, first);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
  EXPECT_TRUE(world.signal("s").ok());
  world.name_run(world.describe("C").workflow_execution_info().execution().run_id(), "RC");
  EXPECT_TRUE(world.complete(reply.reply.workflow_task(), {}).ok());
  EXPECT_EQ(world.transcript("W", "", 8),
            "[8 WorkflowTaskCompleted scheduled=6 started=7\n"
            " 9 ChildWorkflowExecutionStarted initiated=5 execution={workflow_id=C run_id=RC}\n"
            " 10 WorkflowExecutionSignaled signal_name=s\n"
            " 11 ChildWorkflowExecutionCompleted result=[\"r\"] execution={workflow_id=C run_id=RC} initiated=5 "
            "started=9\n"
            " 12 WorkflowTaskScheduled attempt=1\n");
}

TEST(Children, AStartThatWasBufferedIsKnownToALaterClose) {
  ServiceWorld world;
  world.start();
  auto first = world.completion(world.poll(), {start_child("C")});
  first.set_force_create_new_workflow_task(true);
  first.set_return_new_workflow_task(true);
  const auto reply = world.call(&WorkflowService::RespondWorkflowTaskCompleted, first);
  EXPECT_TRUE(world.complete(reply.reply.workflow_task(), {}).ok());  // writes ChildWorkflowExecutionStarted, event 9
  world.restart();
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow()}).ok());
  const History history = world.history();
  const auto& last = history.events(history.events_size() - 1).child_workflow_execution_completed_event_attributes();
  EXPECT_EQ(last.started_event_id(), 9);
}

TEST(Children, OnlyTheLastRunOfAChainIsReported) {
  ServiceWorld world;
  Command child = start_child("C");
  child.mutable_start_child_workflow_execution_command_attributes()->mutable_retry_policy()->set_maximum_attempts(2);
  begin_family(world, child);
  EXPECT_TRUE(world.complete(world.poll("C"), {fail_workflow("f1")}).ok());
  EXPECT_EQ(world.history().events_size(), 7) << "the retry is the child's own affair";
  EXPECT_EQ(
      world.describe().pending_children(0).run_id(),
      world.history().events(5).child_workflow_execution_started_event_attributes().workflow_execution().run_id());
  world.advance(std::chrono::seconds{1});
  EXPECT_TRUE(world.complete(world.poll("C"), {continue_as_new("1")}).ok());
  EXPECT_EQ(world.history().events_size(), 7);
  world.advance(std::chrono::seconds{1});
  const auto last = world.describe("C").workflow_execution_info();
  EXPECT_EQ(last.parent_execution().workflow_id(), "W");
  EXPECT_EQ(last.root_execution().workflow_id(), "W");
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
  const History history = world.history();
  ASSERT_EQ(history.events_size(), 8);
  const auto& closed = history.events(7).child_workflow_execution_completed_event_attributes();
  EXPECT_EQ(closed.workflow_execution().run_id(), last.execution().run_id()) << "the run that ended the chain";
  EXPECT_EQ(closed.started_event_id(), 6);
}

TEST(Children, ThePolicyReachesTheRunTheChainIsAt) {
  for (const auto policy : {enums::PARENT_CLOSE_POLICY_TERMINATE, enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL}) {
    ServiceWorld world;
    begin_family(world, start_child("C", policy));
    EXPECT_TRUE(world.complete(world.poll("C"), {continue_as_new("1")}).ok());
    EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
    const auto info = world.describe("C").workflow_execution_info();
    if (policy == enums::PARENT_CLOSE_POLICY_TERMINATE) {
      EXPECT_EQ(info.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
      continue;
    }
    EXPECT_TRUE(world.describe("C").workflow_extended_info().cancel_requested());
    EXPECT_TRUE(world.complete(world.poll("C"), {continue_as_new("2")}).ok());
    world.restart();
    EXPECT_FALSE(world.describe("C").workflow_extended_info().cancel_requested()) << "asked once, not every run";
  }
}

TEST(Children, ARunThatTookTheIdOverIsNoChild) {
  ServiceWorld world;
  begin_family(world);
  EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow()}).ok());
  (void)world.start("C");
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
  EXPECT_EQ(world.describe("C").workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
}

TEST(Children, OfATaskThatClosesItsParentAreNeverStarted) {
  ServiceWorld world;
  world.start();
  const Command child = start_child("C", enums::PARENT_CLOSE_POLICY_ABANDON);
  EXPECT_TRUE(world.complete(world.poll(), {child, complete_workflow()}).ok());
  EXPECT_EQ(world.history().events_size(), 6);
  EXPECT_EQ(world.signal("s", "C").message, "workflow not found for ID: C");
}

TEST(Children, AnIdInUseFailsTheStart) {
  ServiceWorld world;
  (void)world.start("C");
  EXPECT_TRUE(world.complete(world.poll(), {}).ok());
  world.start();
  Command child = start_child("C");
  child.mutable_start_child_workflow_execution_command_attributes()->set_control("ctl");
  EXPECT_TRUE(world.complete(world.poll(), {child}).ok());
  const std::string failed =
      "[6 StartChildWorkflowExecutionFailed workflow_id=C cause=WORKFLOW_ALREADY_EXISTS control=ctl initiated=5\n"
      " 7 WorkflowTaskScheduled attempt=1\n";
  EXPECT_EQ(world.transcript("W", "", 6), failed);
  EXPECT_EQ(world.describe().pending_children_size(), 0);
}

TEST(Children, ReusePoliciesHoldForThem) {  // C3, C5
  struct Row {
    enums::WorkflowIdReusePolicy reuse;
    Command ending;
    bool starts;
  };
  const Row rows[] = {{enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, complete_workflow(), true},
                      {enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, fail_workflow("f"), false},
                      {enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, complete_workflow(), false},
                      {enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, cancel_workflow(), true}};
  for (const Row& row : rows) {
    ServiceWorld world;
    begin_family(world);
    EXPECT_TRUE(world.complete(world.poll("C"), {row.ending}).ok());
    Command again = start_child("C");
    again.mutable_start_child_workflow_execution_command_attributes()->set_workflow_id_reuse_policy(row.reuse);
    EXPECT_TRUE(world.complete(world.poll(), {again}).ok());
    const auto type = world.history().events(11).event_type();
    EXPECT_EQ(type == enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, row.starts) << row.reuse;
  }
}

TEST(Children, TerminateIfRunningMakesRoom) {
  ServiceWorld world;
  begin_family(world, start_child("C", enums::PARENT_CLOSE_POLICY_ABANDON));
  Command again = start_child("C");
  again.mutable_start_child_workflow_execution_command_attributes()->set_workflow_id_reuse_policy(
      enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING);
  EXPECT_TRUE(world.complete(world.poll(), {again}).ok());
  const auto pending = world.describe().pending_children();
  ASSERT_EQ(pending.size(), 1);
  EXPECT_EQ(pending[0].run_id(), world.describe("C").workflow_execution_info().execution().run_id());
}

TEST(Children, CarryEverythingTheCommandSays) {  // as seen on server 1.29.1
  EmbeddedOptions options;
  options.search_attributes["CustomKeywordField"] = "Keyword";
  ServiceWorld world(options);
  Command command = start_child("C");
  (*command.mutable_user_metadata()->mutable_summary()).set_data("\"why\"");
  auto* asked = command.mutable_start_child_workflow_execution_command_attributes();
  *asked->mutable_workflow_execution_timeout() = seconds(100);
  asked->mutable_retry_policy()->set_maximum_attempts(2);
  (*asked->mutable_memo()->mutable_fields())["m"].set_data("1");
  (*asked->mutable_header()->mutable_fields())["h"].set_data("1");
  (*(*asked->mutable_search_attributes()->mutable_indexed_fields())["CustomKeywordField"]
        .mutable_metadata())["encoding"] = "json/plain";
  (*asked->mutable_search_attributes()->mutable_indexed_fields())["CustomKeywordField"].set_data("\"k\"");
  asked->mutable_priority()->set_priority_key(2);
  asked->set_control("ctl");
  *asked->mutable_input() = payloads("\"in\"");
  begin_family(world, command);
  const History parent = world.history();
  const auto& initiated = parent.events(4).start_child_workflow_execution_initiated_event_attributes();
  EXPECT_EQ(parent.events(4).user_metadata().summary().data(), "\"why\"");
  EXPECT_EQ(initiated.namespace_(), "default");
  EXPECT_EQ(initiated.namespace_id().size(), 36u);
  EXPECT_EQ(initiated.workflow_run_timeout().seconds(), 100);
  EXPECT_EQ(initiated.workflow_task_timeout().seconds(), 10);
  EXPECT_EQ(initiated.retry_policy().maximum_interval().seconds(), 100);
  EXPECT_EQ(initiated.control(), "ctl");
  EXPECT_EQ(initiated.task_queue().kind(), enums::TASK_QUEUE_KIND_NORMAL);
  EXPECT_TRUE(parent.events(5).child_workflow_execution_started_event_attributes().has_header());
  const History child = world.history("C");
  EXPECT_EQ(child.events(0).user_metadata().summary().data(), "\"why\"");
  const auto& started = child.events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.parent_workflow_namespace(), "default");
  EXPECT_EQ(started.parent_workflow_namespace_id(), initiated.namespace_id());
  EXPECT_EQ(started.workflow_execution_timeout().seconds(), 100);
  EXPECT_TRUE(started.has_workflow_execution_expiration_time());
  EXPECT_EQ(started.retry_policy().maximum_attempts(), 2);
  EXPECT_EQ(started.memo().fields().at("m").data(), "1");
  EXPECT_EQ(started.header().fields().at("h").data(), "1");
  EXPECT_EQ(started.search_attributes().indexed_fields().at("CustomKeywordField").metadata().at("type"), "Keyword");
  EXPECT_EQ(started.priority().priority_key(), 2);
  EXPECT_TRUE(started.identity().empty());
  const auto described = world.describe("C");
  EXPECT_TRUE(described.workflow_extended_info().request_id_infos().contains(
      world.describe().workflow_execution_info().execution().run_id() + ":5:0"));
  EXPECT_EQ(described.workflow_execution_info().parent_namespace_id(), initiated.namespace_id());
  const auto pending = world.describe().pending_children(0);
  EXPECT_EQ(pending.workflow_id(), "C");
  EXPECT_EQ(pending.workflow_type_name(), "C");
  EXPECT_EQ(pending.initiated_id(), 5);
  EXPECT_EQ(pending.parent_close_policy(), enums::PARENT_CLOSE_POLICY_TERMINATE);
}

TEST(Children, InheritTheParentsQueueAndRoot) {
  ServiceWorld world;
  Command first = start_child("C");
  first.mutable_start_child_workflow_execution_command_attributes()->clear_task_queue();
  begin_family(world, first);
  std::map<std::string, WorkflowTask> tasks;
  for (int i = 0; i < 2; ++i) {
    WorkflowTask task = world.poll();
    tasks[task.workflow_execution().workflow_id()] = task;
  }
  ASSERT_TRUE(tasks.contains("C")) << "on the parent's queue";
  EXPECT_TRUE(world.complete(tasks["C"], {start_child("G")}).ok());
  const auto grandchild = world.describe("G").workflow_execution_info();
  EXPECT_EQ(grandchild.parent_execution().workflow_id(), "C");
  EXPECT_EQ(grandchild.root_execution().workflow_id(), "W");
  api::CountWorkflowExecutionsRequest count;
  count.set_namespace_("default");
  count.set_query("RootWorkflowId = 'W'");
  EXPECT_EQ(world.call(&WorkflowService::CountWorkflowExecutions, count).reply.count(), 3);
  count.set_query("ParentWorkflowId = 'C'");
  EXPECT_EQ(world.call(&WorkflowService::CountWorkflowExecutions, count).reply.count(), 1);
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(world.describe("G").workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

TEST(Children, OfAnotherNamespace) {  // allowed on server 1.29.1
  EmbeddedOptions options;
  options.namespaces = {"default", "other"};
  ServiceWorld world(options);
  Command child = start_child("C");
  child.mutable_start_child_workflow_execution_command_attributes()->set_namespace_("other");
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {child}).ok());
  api::TerminateWorkflowExecutionRequest end;
  end.set_namespace_("other");
  end.mutable_workflow_execution()->set_workflow_id("C");
  EXPECT_TRUE(world.call(&WorkflowService::TerminateWorkflowExecution, end).ok());
  const History history = world.history();
  const auto& ended = history.events(7).child_workflow_execution_terminated_event_attributes();
  EXPECT_EQ(ended.namespace_(), "other");
  EXPECT_NE(ended.namespace_id(), "");
  child.mutable_start_child_workflow_execution_command_attributes()->set_namespace_("nope");
  const auto refused = world.complete(world.poll(), {child});
  EXPECT_EQ(refused.status.code, 5);
  EXPECT_EQ(refused.status.message, "Namespace nope is not found.");
  EXPECT_EQ(world.history().events_size(), 9) << "C19: no event, the task stays started";
}

using Asked = temporal::api::command::v1::StartChildWorkflowExecutionCommandAttributes;
struct BadChild {
  const char* name;
  void (*spoil)(Asked* asked);
  const char* text;
  bool event;  ///< the task fails with an event; otherwise the completion is only refused
};
void PrintTo(const BadChild& row, std::ostream* out) { *out << row.name; }
class AChildIsRefused : public testing::TestWithParam<BadChild> {};
TEST_P(AChildIsRefused, WithTheServersText) {
  EmbeddedOptions options;
  options.blob_bytes_max = 10'000;
  ServiceWorld world(options);
  world.start();
  Command child = start_child("C");
  GetParam().spoil(child.mutable_start_child_workflow_execution_command_attributes());
  const auto answer = world.complete(world.poll(), {child});
  EXPECT_EQ(answer.status.code, 3);
  EXPECT_EQ(answer.status.message, GetParam().text);
  EXPECT_EQ(world.history().events_size() > 3, GetParam().event);
}
// Texts of server 1.29.1.
INSTANTIATE_TEST_SUITE_P(
    Table, AChildIsRefused,
    testing::Values(
        BadChild{"NoId", [](Asked* a) { a->clear_workflow_id(); },
                 "BadStartChildExecutionAttributes: Required field WorkflowId is not set on "
                 "StartChildWorkflowExecutionCommand. WorkflowType=C Namespace=default",
                 true},
        BadChild{"NoType", [](Asked* a) { a->clear_workflow_type(); },
                 "BadStartChildExecutionAttributes: Required field WorkflowType is not set on "
                 "StartChildWorkflowExecutionCommand. WorkflowId=C Namespace=default",
                 true},
        BadChild{"NegativeTimeout", [](Asked* a) { a->mutable_workflow_run_timeout()->set_seconds(-1); },
                 "BadStartChildExecutionAttributes: Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: "
                 "negative duration. WorkflowId=C WorkflowType=C Namespace=default",
                 true},
        BadChild{"RetryPolicy", [](Asked* a) { a->mutable_retry_policy()->set_backoff_coefficient(0.5); },
                 "invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: BackoffCoefficient cannot be less "
                 "than 1 on retry policy.. WorkflowId=C WorkflowType=C Namespace=default",
                 false},
        BadChild{"Cron", [](Asked* a) { a->set_cron_schedule("nope"); },
                 "invalid CronSchedule on StartChildWorkflowExecutionCommand: invalid CronSchedule.. WorkflowId=C "
                 "WorkflowType=C Namespace=default",
                 false},
        BadChild{"SearchAttribute",
                 [](Asked* a) { (*a->mutable_search_attributes()->mutable_indexed_fields())["Nope"].set_data("1"); },
                 "BadSearchAttributes: Namespace default has no mapping defined for search attribute Nope", true},
        BadChild{"Input", [](Asked* a) { *a->mutable_input() = payloads(std::string(10'001, 'x')); },
                 "BadStartChildExecutionAttributes: StartChildWorkflowExecutionCommandAttributes. Input exceeds size "
                 "limit.",
                 true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Children, NotTooMany) {  // C20
  EmbeddedOptions options;
  options.pending_children_max = 2;
  ServiceWorld world(options);
  world.start();
  const auto refused = world.complete(world.poll(), {start_child("a"), start_child("b"), start_child("c")});
  EXPECT_EQ(refused.status.message,
            "PendingChildWorkflowsLimitExceeded: the number of pending child workflow executions, 2, has reached the "
            "per-workflow limit of 2");
  EXPECT_TRUE(world.complete(world.poll(), {start_child("a"), start_child("b")}).ok());
  EXPECT_EQ(world.complete(world.poll(), {start_child("c")}).status.code, 3);
  EXPECT_TRUE(world.terminate("x", "a").ok());
  EXPECT_TRUE(world.complete(world.poll(), {start_child("c")}).ok());
}

std::string reset_to(ServiceWorld& world, std::int64_t finish) {
  api::ResetWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  request.set_reason("rsn");
  request.set_workflow_task_finish_event_id(finish);
  request.set_request_id("reset");
  const auto answer = world.call(&WorkflowService::ResetWorkflowExecution, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply.run_id();
}

TEST(Children, GoOverToTheRunThatAResetMakes) {  // C.12
  for (const bool killed : {false, true}) {
    ServiceWorld world;
    begin_family(world);
    EXPECT_TRUE(world.complete(world.poll(), {}).ok());  // event 9
    const std::string made = reset_to(world, 9);
    if (killed) world.restart();
    EXPECT_EQ(world.describe("C").workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    EXPECT_EQ(world.describe().pending_children(0).run_id(),
              world.describe("C").workflow_execution_info().execution().run_id());
    EXPECT_TRUE(world.complete(world.poll("C"), {complete_workflow("\"r\"")}).ok());
    const History history = world.history("W", made);
    const auto& closed =
        history.events(history.events_size() - 1).child_workflow_execution_completed_event_attributes();
    EXPECT_EQ(closed.started_event_id(), 6);
    EXPECT_EQ(world.describe().pending_children_size(), 0);
  }
}

TEST(Children, AreLeftByTheRunThatAResetMade) {
  ServiceWorld world;
  begin_family(world, start_child("C", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL));
  EXPECT_TRUE(world.complete(world.poll(), {}).ok());
  const std::string made = reset_to(world, 9);
  EXPECT_TRUE(world.terminate("x").ok());
  const auto cancelled = world.history("C").events(2).workflow_execution_cancel_requested_event_attributes();
  EXPECT_EQ(cancelled.external_workflow_execution().run_id(), made);
}

TEST(Children, ThatAResetForgetsMakeRoomWhenStartedAgain) {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {start_child("C")}).ok());
  const std::string first = world.describe("C").workflow_execution_info().execution().run_id();
  (void)reset_to(world, 4);  // before the child
  EXPECT_EQ(world.describe().pending_children_size(), 0);
  EXPECT_TRUE(world.complete(world.poll(), {start_child("C")}).ok());
  const auto now = world.describe("C").workflow_execution_info();
  EXPECT_NE(now.execution().run_id(), first);
  EXPECT_EQ(world.describe().pending_children(0).run_id(), now.execution().run_id());
}

TEST(Crossings, NotTooMany) {  // C20
  EmbeddedOptions options;
  options.pending_signals_max = 1;
  options.pending_cancels_max = 1;
  for (const bool signal : {true, false}) {
    ServiceWorld world(options);
    world.start();
    const Command one = signal ? signal_other("x", "s") : cancel_other("x");
    EXPECT_EQ(world.complete(world.poll(), {one, one}).status.message,
              signal ? "PendingSignalsLimitExceeded: the number of pending signals to external workflows, 1, has "
                       "reached the per-workflow limit of 1"
                     : "PendingRequestCancelLimitExceeded: the number of pending requests to cancel external "
                       "workflows, 1, has reached the per-workflow limit of 1");
    EXPECT_TRUE(world.complete(world.poll(), {one}).ok());
    EXPECT_TRUE(world.complete(world.poll(), {one}).ok()) << "the one before was resolved";
  }
}

TEST(Crossings, ChildWorkflowOnlyMeansIt) {
  ServiceWorld world;
  (void)world.start("O");
  EXPECT_TRUE(world.complete(world.poll(), {}).ok());
  begin_family(world);
  EXPECT_TRUE(world
                  .complete(world.poll(), {signal_other("C", "s", true), signal_other("O", "s", true),
                                           cancel_other("O", true), cancel_other("C", true)})
                  .ok());
  const History history = world.history();
  std::vector<std::string> outcomes;
  for (int i = 13; i < history.events_size(); ++i) {
    outcomes.push_back(enums::EventType_Name(history.events(i).event_type()));
  }
  EXPECT_EQ(outcomes, (std::vector<std::string>{"EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
                                                "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
                                                "EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
                                                "EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
                                                "EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED"}));
  EXPECT_EQ(world.transcript("C", "", 3),
            "[3 WorkflowExecutionSignaled signal_name=s identity=history-service external={workflow_id=W "
            "run_id=R2}\n"
            "[4 WorkflowExecutionCancelRequested external_initiated_event_id=13 external={workflow_id=W run_id=R2} "
            "identity=history-service\n");
  EXPECT_EQ(world.history("O").events_size(), 4);
}

TEST(Crossings, ASignalTooManyHasItsOwnCause) {
  ServiceWorld world;
  begin_family(world);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(world.signal("s", "C").ok());
  EXPECT_TRUE(world.complete(world.poll(), {signal_other("C", "s")}).ok());
  const History history = world.history();
  EXPECT_EQ(history.events(10).signal_external_workflow_execution_failed_event_attributes().cause(),
            enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED);
}

TEST(Crossings, StartAndCancelOfOneChildInOneTask) {  // C.12
  ServiceWorld world;
  world.start();
  EXPECT_EQ(world.complete(world.poll(), {start_child("x"), cancel_other("x")}).status.message,
            "BadRequestCancelExternalWorkflowExecutionAttributes: Start and RequestCancel for child workflow is not "
            "allowed in same workflow task. WorkflowId=x RunId= Namespace=");
}

/// W starts four children and waits for C1, which continues as new and completes. C2 waits for ever and is terminated
/// with its parent, C3 is asked to cancel, C4 is abandoned and outlives it.
class FamilyDriver {
 public:
  struct Told {
    bool started = false;
  };
  FamilyDriver(ServiceWorld& world, Told told) : world_(world), told_(told) {}
  Told told() const { return told_; }
  void forget() { task_.reset(); }

  bool round() {
    if (!told_.started) {
      auto request = world_.start_request("W");
      request.set_request_id("once");
      told_.started = world_.send(&WorkflowService::StartWorkflowExecution, request)->ok();
    }
    if (!task_ || task_->done) {
      if (task_ && task_->ok() && !task_->reply.task_token().empty()) answer(task_->reply);
      task_ = world_.poll_later("W");
    }
    world_.advance(milliseconds{500});
    return is("W", enums::WORKFLOW_EXECUTION_STATUS_COMPLETED) &&
           is("C1", enums::WORKFLOW_EXECUTION_STATUS_COMPLETED) &&
           is("C2", enums::WORKFLOW_EXECUTION_STATUS_TERMINATED) &&
           is("C3", enums::WORKFLOW_EXECUTION_STATUS_CANCELED) && is("C4", enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  }

 private:
  void answer(const WorkflowTask& task) {
    std::set<std::string> seen;
    for (const auto& event : task.history().events()) seen.insert(enums::EventType_Name(event.event_type()));
    const auto saw = [&seen](const std::string& type) { return seen.contains("EVENT_TYPE_" + type); };
    const std::string& id = task.workflow_execution().workflow_id();
    const bool second =
        !task.history().events(0).workflow_execution_started_event_attributes().continued_execution_run_id().empty();
    std::vector<Command> commands;
    if (id == "W" && !saw("START_CHILD_WORKFLOW_EXECUTION_INITIATED")) {
      commands = {child("C1", enums::PARENT_CLOSE_POLICY_TERMINATE), child("C2", enums::PARENT_CLOSE_POLICY_TERMINATE),
                  child("C3", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL),
                  child("C4", enums::PARENT_CLOSE_POLICY_ABANDON)};
    } else if (id == "W" && saw("CHILD_WORKFLOW_EXECUTION_COMPLETED")) {
      commands = {complete_workflow()};
    } else if (id == "C1") {
      commands = {second ? complete_workflow("\"r\"") : continue_as_new("1")};
    } else if (id == "C3" && saw("WORKFLOW_EXECUTION_CANCEL_REQUESTED")) {
      commands = {cancel_workflow()};
    } else if (id == "C4") {
      commands = {saw("TIMER_FIRED") ? complete_workflow() : start_timer("t", 30)};
    }
    (void)world_.send(&WorkflowService::RespondWorkflowTaskCompleted, world_.completion(task, commands));
  }
  static Command child(const std::string& id, enums::ParentClosePolicy policy) {
    Command out = start_child(id, policy);
    out.mutable_start_child_workflow_execution_command_attributes()->mutable_task_queue()->set_name("W");
    return out;
  }
  bool is(const std::string& id, enums::WorkflowExecutionStatus status) {
    api::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    const auto answer = world_.send(&WorkflowService::DescribeWorkflowExecution, request);
    return answer->ok() && answer->reply.workflow_execution_info().status() == status;
  }

  ServiceWorld& world_;
  Told told_;
  Pending<WorkflowTask> task_;
};

void expect_one_family(ServiceWorld& world, const std::string& when) {
  api::ListWorkflowExecutionsRequest list;
  list.set_namespace_("default");
  const auto rows = world.call(&WorkflowService::ListWorkflowExecutions, list).reply;
  ASSERT_EQ(rows.executions_size(), 6) << when;
  std::map<std::string, int> times;
  for (const auto& row : rows.executions()) {
    const History history = world.history(row.execution().workflow_id(), row.execution().run_id());
    for (const auto& sentence : broken_rules(history)) ADD_FAILURE() << when << ": " << sentence;
    for (const auto& event : history.events()) ++times[enums::EventType_Name(event.event_type())];
  }
  EXPECT_EQ(times["EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED"], 4) << when;
  EXPECT_EQ(times["EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED"], 4) << when;
  EXPECT_EQ(times["EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"], 3) << when;
}

TEST(FamilyRecovery, TheProcessEndsAfterEachCommit) { end_after_each_commit<FamilyDriver>(expect_one_family); }
TEST(FamilyRecovery, ARestartShowsTheSameStateAtEachStep) { restart_after_each_round<FamilyDriver>(); }
TEST(FamilyRecovery, EachAppendFailsOnce) { fail_each_append_once<FamilyDriver>({}, expect_one_family); }
TEST(FamilyRecovery, EachAppendFailsOnceWithHistoriesOnDisk) {
  EmbeddedOptions options;
  options.history_cache_bytes_max = 1;
  fail_each_append_once<FamilyDriver>(options, expect_one_family);
}

/// More children than one append holds: the policy goes on in the next ones, and after a kill between them.
TEST(FamilyRecovery, AVeryLargeFamilyIsLeftInPortions) {
  constexpr int kMany = 3'000;
  EmbeddedOptions options;
  options.pending_children_max = kMany;
  ServiceWorld world(options);
  world.start();
  std::vector<Command> children;
  for (int i = 0; i < kMany; ++i) {
    const bool cancel = i % 2 == 1;
    children.push_back(start_child("C" + std::to_string(i), cancel ? enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL
                                                                   : enums::PARENT_CLOSE_POLICY_TERMINATE));
  }
  ASSERT_TRUE(world.complete(world.poll(), children).ok());
  Durable moment;
  world.journal->on_commit = [&] {
    moment = world.journal->durable();
    moment.closed.clear();               // histories are stored after the rows, and made again from them
    world.journal->on_commit = nullptr;  // the first commit after this, which closes the parent
  };
  EXPECT_TRUE(world.terminate("x").ok());
  const auto left = [](ServiceWorld& seen) {
    api::CountWorkflowExecutionsRequest count;
    count.set_namespace_("default");
    count.set_query("WorkflowType = 'C' AND ExecutionStatus = 'Running'");
    return seen.call(&WorkflowService::CountWorkflowExecutions, count).reply.count();
  };
  EXPECT_EQ(left(world), kMany / 2);
  EXPECT_TRUE(world.describe("C1").workflow_extended_info().cancel_requested());
  ASSERT_LT(moment.rows.size() + 100, world.journal->durable().rows.size()) << "all of it was in one append";
  ServiceWorld after(options, moment, world.loop.now());
  EXPECT_EQ(left(after), kMany / 2);
  for (const int i : {1, 1'501, 2'999}) {
    EXPECT_TRUE(after.describe("C" + std::to_string(i)).workflow_extended_info().cancel_requested()) << i;
  }
}

}  // namespace
}  // namespace callimport::engine::testing_world
