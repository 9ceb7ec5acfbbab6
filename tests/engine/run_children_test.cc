// Children, and signals and cancellations of other workflows, against histories made by hand (B.4, B11 to B14, C.12).
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/worker/run.h"
#include "tests/engine/history_builder.h"

namespace callimport::engine::worker {
namespace {

namespace enums = ::temporal::api::enums::v1;
using testing_support::HistoryBuilder;
using Commands = google::protobuf::RepeatedPtrField<CommandMessage>;
using Log = std::vector<std::string>;
using WorkflowRun = Run;  // inside a test, Run is GoogleTest's own

std::string text_of(const Outcome<std::string>& outcome) {
  if (outcome) return *outcome;
  static constexpr const char* kKinds[] = {"application", "timeout", "cancelled", "terminated", "server"};
  return std::string(kKinds[static_cast<int>(outcome.error().kind)]) + ":" + outcome.error().type + ":" +
         outcome.error().message;
}

Commands live(Run& run, const HistoryBuilder& history) {
  const auto applied = run.apply(history.history().events(), Delivery::Task);
  EXPECT_TRUE(applied.has_value()) << applied.error().message;
  Commands commands;
  run.take_commands(&commands);
  return commands;
}

Log kinds(const Commands& commands) {
  Log names;
  for (const auto& command : commands) names.push_back(enums::CommandType_Name(command.command_type()).substr(13));
  return names;
}

std::string result_of(const Commands& commands) {
  if (commands.empty() || !commands.rbegin()->has_complete_workflow_execution_command_attributes()) return "not over";
  return commands.rbegin()->complete_workflow_execution_command_attributes().result().payloads(0).data();
}

std::string difference(const WorkflowFunction& function, const HistoryBuilder& history) {
  const auto replayed = replay(history.history(), function, nullptr);
  if (replayed) return "none";
  return replayed.error().message;
}

// Starts a child; with the signal `stop` it is cancelled; what came of it, and a timer so that late events are met.
Flow<WorkflowEnd> parent(WorkflowContext& context, CancellationType type) {
  bool stop = false;
  context.on_signal("stop", [&stop](std::string) { stop = true; });
  ChildOptions options;
  options.workflow_id = "c";
  options.cancellation = type;
  auto child = context.child("T", "1", options);
  auto either = context.until([&] { return stop || child.result.ready(); });
  co_await either;
  if (stop) child.result.cancel();
  if (stop) child.result.cancel();  // the second asks for nothing new
  auto result = co_await child.result;
  auto started = child.started.ready() ? text_of(child.started.get()) : std::string("never");
  auto more = co_await context.timer(1s);
  co_return started + " " + text_of(result) + (more ? "" : "!");
}
WorkflowFunction parent(CancellationType type) {
  return [type](WorkflowContext& context, std::string) { return parent(context, type); };
}

HistoryBuilder initiated() {
  HistoryBuilder history;
  history.turn().child_initiated("c", "T");  // event 5
  return history;
}

struct Ending {
  const char* name;
  std::function<void(HistoryBuilder&)> events;
  const char* outcome;
};
void PrintTo(const Ending& row, std::ostream* out) { *out << row.name; }
class ChildEnding : public testing::TestWithParam<Ending> {};

TEST_P(ChildEnding, ReachesTheCode) {  // B.4
  const auto function = parent(CancellationType::kWaitCancellationCompleted);
  HistoryBuilder history = initiated();
  GetParam().events(history);
  history.task();
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"START_TIMER"}), kinds(live(run, history)));
  history.completed().timer_started("1");
  history.timer_fired("1", history.last()).task();
  EXPECT_EQ(GetParam().outcome, result_of(live(run, history)));
  history.completed().closed();
  EXPECT_EQ("none", difference(function, history));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ChildEnding,
    testing::Values(Ending{"Completed", [](auto& h) { h.child_started(5).child_completed(5, "2"); }, "child-run 2"},
                    Ending{"Failed", [](auto& h) { h.child_started(5).child_failed(5, "E", "broken"); },
                           "child-run application:E:broken"},
                    Ending{"TimedOut", [](auto& h) { h.child_started(5).child_timed_out(5); },
                           "child-run timeout:StartToClose:child workflow timed out"},
                    Ending{"Canceled", [](auto& h) { h.child_started(5).child_canceled(5); },
                           "child-run cancelled::child workflow cancelled"},
                    Ending{"Terminated", [](auto& h) { h.child_started(5).child_terminated(5); },
                           "child-run terminated::child workflow terminated"},
                    Ending{"IdTaken", [](auto& h) { h.child_start_failed(5); },
                           "application:WorkflowAlreadyExists:workflow id c is taken "
                           "application:WorkflowAlreadyExists:workflow id c is taken"}),
    [](const auto& test) { return test.param.name; });

struct Cancelling {
  const char* name;
  CancellationType type;
  Log at_once;                ///< commands of the task that cancels
  const char* after_request;  ///< and when the request was passed on
  const char* after_the_end;  ///< and when the child is cancelled
};
void PrintTo(const Cancelling& row, std::ostream* out) { *out << row.name; }
class ChildCancellation : public testing::TestWithParam<Cancelling> {};

TEST_P(ChildCancellation, HasAnOutcomeWhenItsTypeSays) {  // B.4
  const auto& row = GetParam();
  const auto function = parent(row.type);
  HistoryBuilder history = initiated();
  history.child_started(5).signaled("stop", "1").task();
  WorkflowRun run(function, "default", "w", "run-1");
  const auto commands = live(run, history);
  EXPECT_EQ(row.at_once, kinds(commands));
  history.completed();
  for (const auto& kind : row.at_once) {
    if (kind == "START_TIMER") {
      history.timer_started("1");
      continue;
    }
    const auto& request = commands[0].request_cancel_external_workflow_execution_command_attributes();
    EXPECT_EQ("c", request.workflow_id());
    EXPECT_TRUE(request.child_workflow_only());
    history.cancel_initiated("c");
  }
  const auto request = history.last() - (row.at_once.back() == "START_TIMER" ? 1 : 0);
  const bool asked = row.type != CancellationType::kAbandon;
  bool timer = row.at_once.back() == "START_TIMER";
  const auto meet = [&](const char* expected) {
    const auto more = kinds(live(run, history.task()));
    EXPECT_EQ(expected, more.empty() ? std::string() : more.front());
    history.completed();
    if (!more.empty()) history.timer_started("1");
    timer = timer || !more.empty();
  };
  if (asked) {
    history.external_cancel_requested(request);
    meet(row.after_request);
  }
  history.child_canceled(5);
  meet(row.after_the_end);
  ASSERT_TRUE(timer);
  EXPECT_EQ("none", difference(function, history));
}

INSTANTIATE_TEST_SUITE_P(Table, ChildCancellation,
                         testing::Values(Cancelling{"TryCancel",
                                                    CancellationType::kTryCancel,
                                                    {"REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", "START_TIMER"},
                                                    "",
                                                    ""},
                                         Cancelling{"WaitCancellationRequested",
                                                    CancellationType::kWaitCancellationRequested,
                                                    {"REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"},
                                                    "START_TIMER",
                                                    ""},
                                         Cancelling{"WaitCancellationCompleted",
                                                    CancellationType::kWaitCancellationCompleted,
                                                    {"REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"},
                                                    "",
                                                    "START_TIMER"},
                                         Cancelling{"Abandon", CancellationType::kAbandon, {"START_TIMER"}, "", ""}),
                         [](const auto& test) { return test.param.name; });

TEST(Child, IsDroppedWhenCancelledInTheTaskThatStartsIt) {  // B13, C.12: both in one task would be refused
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    ChildOptions options;
    auto child = context.child("T", "", options);
    child.result.cancel();
    auto started = co_await child.started;
    auto result = co_await child.result;
    co_return text_of(started) + "/" + text_of(result);
  };
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  const auto commands = live(run, history.task());
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), kinds(commands));
  EXPECT_EQ(
      "cancelled::child workflow cancelled before it was started/"
      "cancelled::child workflow cancelled before it was started",
      result_of(commands));
}

TEST(Child, IsAskedForWithAllItsOptions) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    ChildOptions options;
    options.workflow_id = "c";
    options.task_queue = "other";
    options.execution_timeout = 3s;
    options.run_timeout = 2s;
    options.task_timeout = 1s;
    options.retry = RetryPolicy{.attempts_max = 4};
    options.cron = "@hourly";
    options.parent_close = ParentClosePolicy::kRequestCancel;
    options.reuse = IdReuse::kRejectDuplicate;
    options.memo = {{"m", "1"}};
    options.search = {{"CustomIntField", std::int64_t{7}}};
    auto child = context.child("T", "\"in\"", options);
    co_await child.result;
    co_return "";
  };
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  const auto commands = live(run, history.task());
  ASSERT_EQ(1, commands.size());
  const auto& start = commands[0].start_child_workflow_execution_command_attributes();
  EXPECT_EQ("c", start.workflow_id());
  EXPECT_EQ("T", start.workflow_type().name());
  EXPECT_EQ("other", start.task_queue().name());
  EXPECT_EQ("\"in\"", start.input().payloads(0).data());
  EXPECT_EQ(3, start.workflow_execution_timeout().seconds());
  EXPECT_EQ(2, start.workflow_run_timeout().seconds());
  EXPECT_EQ(1, start.workflow_task_timeout().seconds());
  EXPECT_EQ(4, start.retry_policy().maximum_attempts());
  EXPECT_EQ("@hourly", start.cron_schedule());
  EXPECT_EQ(enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL, start.parent_close_policy());
  EXPECT_EQ(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, start.workflow_id_reuse_policy());
  EXPECT_EQ("1", start.memo().fields().at("m").data());
  EXPECT_EQ("7", start.search_attributes().indexed_fields().at("CustomIntField").data());
}

// What is said to another workflow, and what came of it.
Flow<WorkflowEnd> talker(WorkflowContext& context, bool cancels) {
  WorkflowTarget other{.workflow_id = "other"};
  auto sent = cancels ? context.request_cancel(other) : context.signal(other, "s", "1");
  auto outcome = co_await sent;
  co_return outcome ? "\"told\"" : text_of(tl::unexpected(outcome.error()));
}

struct Telling {
  const char* name;
  bool cancels;
  std::function<void(HistoryBuilder&)> answer;  ///< after the Initiated event 5
  const char* outcome;
};
void PrintTo(const Telling& row, std::ostream* out) { *out << row.name; }
class External : public testing::TestWithParam<Telling> {};

TEST_P(External, IsPassedOnOrRefused) {  // B.4, C.12
  const auto& row = GetParam();
  const WorkflowFunction function = [&row](WorkflowContext& context, std::string) {
    return talker(context, row.cancels);
  };
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{row.cancels ? "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION" : "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"}),
            kinds(live(run, history.task())));
  history.completed();
  row.cancels ? history.cancel_initiated("other") : history.signal_initiated("other", "s");
  row.answer(history);
  EXPECT_EQ(row.outcome, result_of(live(run, history.task())));
  EXPECT_EQ("none", difference(function, history.completed().closed()));
}

INSTANTIATE_TEST_SUITE_P(
    Table, External,
    testing::Values(
        Telling{"Signaled", false, [](auto& h) { h.external_signaled(5); }, "\"told\""},
        Telling{"SignalToNobody", false,
                [](auto& h) {
                  h.signal_failed(
                      5, enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
                },
                "application:WorkflowNotFound:no open workflow other"},
        Telling{"OneSignalTooMany", false,
                [](auto& h) {
                  h.signal_failed(5,
                                  enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED);
                },
                "application:RequestRefused:workflow other: "
                "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED"},
        Telling{"CancelRequested", true, [](auto& h) { h.external_cancel_requested(5); }, "\"told\""},
        Telling{"CancelOfNobody", true, [](auto& h) { h.cancel_failed(5); },
                "application:WorkflowNotFound:no open workflow other"}),
    [](const auto& test) { return test.param.name; });

struct Wrong {
  const char* name;
  std::function<void(HistoryBuilder&)> events;  ///< from event 5 on
  const char* said;
};
void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }
class ChildDifference : public testing::TestWithParam<Wrong> {};

TEST_P(ChildDifference, NamesTheEvent) {  // B12, B14
  HistoryBuilder history;
  history.turn();
  GetParam().events(history);
  history.turn();
  EXPECT_EQ(std::string("nondeterministic workflow w at event ") + GetParam().said,
            difference(parent(CancellationType::kTryCancel), history));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ChildDifference,
    testing::Values(Wrong{"AnotherId", [](auto& h) { h.child_initiated("d", "T"); },
                          "5: the history has StartChildWorkflowExecutionInitiated d of type T, "
                          "the workflow code made StartChildWorkflowExecution c of type T"},
                    Wrong{"AnotherType", [](auto& h) { h.child_initiated("c", "U"); },
                          "5: the history has StartChildWorkflowExecutionInitiated c of type U, "
                          "the workflow code made StartChildWorkflowExecution c of type T"},
                    Wrong{"AnotherKind", [](auto& h) { h.signal_initiated("c", "s"); },
                          "5: the history has SignalExternalWorkflowExecutionInitiated c of type s, "
                          "the workflow code made StartChildWorkflowExecution c of type T"},
                    Wrong{"EndsBeforeItStarts", [](auto& h) { h.child_initiated("c", "T").child_completed(5, "1"); },
                          "6: the history has ChildWorkflowExecutionCompleted, the workflow code made a child where "
                          "ChildWorkflowExecutionCompleted is not possible in state Initiated"},
                    Wrong{"OfNoChild", [](auto& h) { h.child_initiated("c", "T").child_started(4); },
                          "6: the history has ChildWorkflowExecutionStarted of event 4, the workflow code made "
                          "no open child of that event"},
                    Wrong{"OfNoRequest", [](auto& h) { h.child_initiated("c", "T").external_signaled(5); },
                          "6: the history has ExternalWorkflowExecutionSignaled of event 5, the workflow code made "
                          "no open request of that event"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace callimport::engine::worker
