// Local activities against histories made by hand: the marker, the wait that is a timer, heartbeats (B7, B.4, B.6, B14,
// B23).
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
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
  const bool cancelled = outcome.error().kind == Failure::Kind::kCancelled;
  return (cancelled ? "cancelled:" : "failed:") + outcome.error().type;
}

void feed(Run& run, const HistoryBuilder& history) {
  const auto applied = run.apply(history.history().events(), Delivery::Task);
  EXPECT_TRUE(applied.has_value()) << applied.error().message;
}

Commands commands_of(Run& run) {
  Commands commands;
  run.take_commands(&commands);
  return commands;
}

Log kinds(const Commands& commands) {
  Log names;
  for (const auto& command : commands) names.push_back(enums::CommandType_Name(command.command_type()).substr(13));
  return names;
}

Failure failure(std::string type) {
  Failure made;
  made.type = std::move(type);
  return made;
}

std::string difference(const WorkflowFunction& function, const HistoryBuilder& history) {
  const auto replayed = replay(history.history(), function, nullptr);
  return replayed ? "none" : replayed.error().message;
}

/// One after the other, and the time that each outcome was seen at.
Flow<WorkflowEnd> two_locals(WorkflowContext& context, std::string) {
  auto first = co_await context.local_activity("A", "1", LocalActivityOptions());
  const auto seen = context.now();
  auto second = co_await context.local_activity("B", "2", LocalActivityOptions());
  const bool same = seen == context.now();
  co_return text_of(first) + "," + text_of(second) + (same ? "" : "!");
}
const WorkflowFunction kTwoLocals = two_locals;

TEST(LocalActivity, RunsWithinTheTaskAndLeavesAMarker) {  // B.4, B.6
  HistoryBuilder history;
  WorkflowRun run(kTwoLocals, "default", "w", "run-1");
  feed(run, history.task());
  auto requests = run.take_local_requests();
  ASSERT_EQ(1u, requests.size());
  EXPECT_EQ("A", requests[0].type);
  EXPECT_EQ("1", requests[0].input);
  EXPECT_EQ(10s, requests[0].options.start_to_close) << "nothing was said: the task's time-out";
  EXPECT_TRUE(run.take_local_requests().empty()) << "asked for once";
  EXPECT_TRUE(run.waits_for_locals());
  ASSERT_TRUE(run.local_finished(1, {"\"a\"", 2, std::nullopt, Timestamp{7s}}).has_value());
  requests = run.take_local_requests();
  ASSERT_EQ(1u, requests.size());
  ASSERT_TRUE(run.local_finished(2, {tl::unexpected(failure("E")), 1, std::nullopt, Timestamp{8s}}).has_value());
  EXPECT_FALSE(run.waits_for_locals());

  const auto commands = commands_of(run);
  ASSERT_EQ((Log{"RECORD_MARKER", "RECORD_MARKER", "COMPLETE_WORKFLOW_EXECUTION"}), kinds(commands));
  const auto& marker = commands[0].record_marker_command_attributes();
  EXPECT_EQ("core_local_activity", marker.marker_name());
  EXPECT_EQ("\"a\"", marker.details().at("result").payloads(0).data());
  const auto data = nlohmann::json::parse(marker.details().at("data").payloads(0).data());
  EXPECT_EQ(1, data["seq"]);
  EXPECT_EQ(2, data["attempt"]);
  EXPECT_EQ("A", data["activity_type"]);
  EXPECT_EQ(7, data["complete_time"]["seconds"]);
  EXPECT_EQ(1'000'003, data["original_schedule_time"]["seconds"]) << "the workflow's own time";
  EXPECT_TRUE(data["backoff"].is_null());
  EXPECT_EQ("E", commands[1].record_marker_command_attributes().failure().application_failure_info().type());
  EXPECT_EQ("\"a\",failed:E",
            [&] { return commands[2].complete_workflow_execution_command_attributes().result().payloads(0).data(); }());

  // What was sent, as events: they meet the commands, and a replay comes to the same.
  history.completed();
  for (int i = 0; i < 2; ++i) {
    *history.add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes()->mutable_details() =
        commands[i].record_marker_command_attributes().details();
    auto* recorded = const_cast<testing_support::HistoryEvent&>(*history.history().events().rbegin())
                         .mutable_marker_recorded_event_attributes();
    recorded->set_marker_name("core_local_activity");
    if (i == 1) *recorded->mutable_failure() = commands[i].record_marker_command_attributes().failure();
  }
  EXPECT_EQ("none", difference(kTwoLocals, history.closed()));
}

TEST(LocalActivity, ComesFromItsMarkerInAReplay) {
  HistoryBuilder history;
  history.turn().local_activity(1, "A", 1, "3").local_activity(2, "B", 1, "4").closed();
  EXPECT_EQ("none", difference(kTwoLocals, history));
}

TEST(LocalActivity, WithoutAMarkerIsRunWhenTheReplayIsOver) {  // the worker died with the task in hand
  HistoryBuilder history;
  history.turn().local_activity(1, "A", 1, "3").signaled("s", "1").task().task_timed_out().task();
  WorkflowRun run(kTwoLocals, "default", "w", "run-1");
  feed(run, history);
  const auto requests = run.take_local_requests();
  ASSERT_EQ(1u, requests.size());
  EXPECT_EQ("B", requests[0].type);
  EXPECT_EQ(2, requests[0].number);
  EXPECT_TRUE(commands_of(run).empty());
}

TEST(LocalActivity, AHeartbeatShowsNeitherLiveNorReplayed) {  // B7, B23
  HistoryBuilder history;
  WorkflowRun run(kTwoLocals, "default", "w", "run-1");
  feed(run, history.task());
  ASSERT_EQ(1u, run.take_local_requests().size());
  EXPECT_TRUE(commands_of(run).empty());
  feed(run, history.completed().task());  // the heartbeat, and the task it asked for
  EXPECT_TRUE(run.take_local_requests().empty()) << "it is running";
  ASSERT_TRUE(run.local_finished(1, {"3", 1, std::nullopt, {}}).has_value());
  ASSERT_EQ(1u, run.take_local_requests().size());
  feed(run, history.completed().local_activity(1, "A", 1, "3").task());
  ASSERT_TRUE(run.local_finished(2, {"4", 1, std::nullopt, {}}).has_value());
  const auto commands = commands_of(run);
  ASSERT_EQ((Log{"RECORD_MARKER", "COMPLETE_WORKFLOW_EXECUTION"}), [&] {
    auto all = kinds(commands);
    return Log(all.end() - 2, all.end());
  }());
  const auto result = commands.rbegin()->complete_workflow_execution_command_attributes().result().payloads(0).data();
  history.completed().local_activity(2, "B", 1, "4").closed();
  EXPECT_EQ("none", difference(kTwoLocals, history));
  EXPECT_EQ("3,4", result.substr(0, 3));
}

/// Waits for a signal beside the local activity: both may come while it runs.
Flow<WorkflowEnd> local_and_signal(WorkflowContext& context, std::string) {
  Log order;
  context.on_signal("s", [&order](std::string) { order.push_back("signal"); });
  auto local = context.local_activity("A", "", LocalActivityOptions());
  co_await local;
  order.push_back("local");
  auto slept = co_await context.timer(order.front() == "signal" ? 2s : 1s);
  co_return std::string(slept ? "1" : "0");
}
const WorkflowFunction kLocalAndSignal = local_and_signal;

TEST(LocalActivity, ASignalDuringAHeartbeatComesFirstLiveAndReplayed) {  // B15
  HistoryBuilder history;
  WorkflowRun run(kLocalAndSignal, "default", "w", "run-1");
  feed(run, history.task());
  ASSERT_EQ(1u, run.take_local_requests().size());
  feed(run, history.completed().signaled("s", "1").task());
  ASSERT_TRUE(run.local_finished(1, {"3", 1, std::nullopt, {}}).has_value());
  const auto commands = commands_of(run);
  ASSERT_EQ((Log{"RECORD_MARKER", "START_TIMER"}), kinds(commands));
  EXPECT_EQ(2, commands[1].start_timer_command_attributes().start_to_fire_timeout().seconds());

  history.completed().local_activity(1, "A", 1, "3").timer_started("1");
  history.timer_fired("1", history.last()).task();
  WorkflowRun replayed(kLocalAndSignal, "default", "w", "run-1");
  feed(replayed, history);
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), kinds(commands_of(replayed)));
}

TEST(LocalActivity, ALongWaitForTheNextAttemptIsATimer) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto outcome = co_await context.local_activity("A", "1", LocalActivityOptions());
    co_return text_of(outcome);
  };
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  feed(run, history.task());
  ASSERT_EQ(1u, run.take_local_requests().size());
  ASSERT_TRUE(run.local_finished(1, {tl::unexpected(failure("E")), 3, 90s, {}}).has_value());
  EXPECT_FALSE(run.waits_for_locals()) << "the wait is the history's";
  EXPECT_TRUE(run.take_local_requests().empty());
  const auto commands = commands_of(run);
  ASSERT_EQ((Log{"RECORD_MARKER", "START_TIMER"}), kinds(commands));
  EXPECT_EQ(90, commands[1].start_timer_command_attributes().start_to_fire_timeout().seconds());

  history.completed().local_activity(1, "A", 3, "E", 90).timer_started("1");
  history.timer_fired("1", history.last()).task();
  feed(run, history);
  const auto requests = run.take_local_requests();
  ASSERT_EQ(1u, requests.size());
  EXPECT_EQ(4, requests[0].attempt);
  EXPECT_EQ(2, requests[0].number);
  EXPECT_EQ(Timestamp{1'000'003s}, requests[0].scheduled) << "of the first attempt of all";
  ASSERT_TRUE(run.local_finished(2, {"9", 4, std::nullopt, {}}).has_value());
  EXPECT_EQ((Log{"RECORD_MARKER", "COMPLETE_WORKFLOW_EXECUTION"}), kinds(commands_of(run)));
  history.completed().local_activity(2, "A", 4, "9").closed();
  EXPECT_EQ("none", difference(function, history));
}

// The local activity is cancelled when a signal comes.
WorkflowFunction cancelling(CancellationType type) {
  return [type](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    LocalActivityOptions options;
    options.cancellation = type;
    bool stop = false;
    context.on_signal("stop", [&stop](std::string) { stop = true; });
    auto local = context.local_activity("A", "", options);
    auto stopped = context.until([&stop] { return stop; });
    co_await stopped;
    local.cancel();
    auto outcome = co_await local;
    co_return text_of(outcome);
  };
}

struct Cancelling {
  const char* name;
  CancellationType type;
  bool at_once, told;
};
void PrintTo(const Cancelling& row, std::ostream* out) { *out << row.name; }
class LocalCancellation : public testing::TestWithParam<Cancelling> {};

TEST_P(LocalCancellation, HasAnOutcomeWhenItsTypeSays) {
  const auto& row = GetParam();
  const auto function = cancelling(row.type);
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  feed(run, history.task());
  ASSERT_EQ(1u, run.take_local_requests().size());
  feed(run, history.completed().signaled("stop", "1").task());
  EXPECT_EQ(row.at_once, !run.waits_for_locals());
  EXPECT_EQ(row.told ? 1u : 0u, run.take_local_cancels().size());
  Failure stopped = failure("");
  stopped.kind = Failure::Kind::kCancelled;
  ASSERT_TRUE(run.local_finished(1, {tl::unexpected(stopped), 1, std::nullopt, {}}).has_value());
  const Log marker =
      row.at_once ? Log{"COMPLETE_WORKFLOW_EXECUTION"} : Log{"RECORD_MARKER", "COMPLETE_WORKFLOW_EXECUTION"};
  EXPECT_EQ(marker, kinds(commands_of(run)));
  history.completed();
  if (!row.at_once) history.local_activity(1, "A", 1, "\"late\"");
  EXPECT_EQ("none", difference(function, history.closed()));
}

INSTANTIATE_TEST_SUITE_P(Table, LocalCancellation,
                         testing::Values(Cancelling{"TryCancel", CancellationType::kTryCancel, true, true},
                                         Cancelling{"WaitCancellationCompleted",
                                                    CancellationType::kWaitCancellationCompleted, false, true},
                                         Cancelling{"Abandon", CancellationType::kAbandon, true, false}),
                         [](const auto& test) { return test.param.name; });

struct Wrong {
  const char* name;
  std::function<void(HistoryBuilder&)> events;  ///< from event 5 on
  const char* said;
};
void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }
class LocalDifference : public testing::TestWithParam<Wrong> {};

TEST_P(LocalDifference, NamesTheEvent) {  // B12, B14
  HistoryBuilder history;
  history.turn();
  GetParam().events(history);
  history.turn();
  EXPECT_EQ(std::string("nondeterministic workflow w at event ") + GetParam().said, difference(kTwoLocals, history));
}

INSTANTIATE_TEST_SUITE_P(
    Table, LocalDifference,
    testing::Values(
        Wrong{"AnotherType", [](auto& h) { h.local_activity(1, "X", 1, "3"); },
              "5: the history has MarkerRecorded core_local_activity 1 of type X, "
              "the workflow code made RecordMarker core_local_activity 1 of type A"},
        Wrong{"AnotherNumber", [](auto& h) { h.local_activity(7, "A", 1, "3"); },
              "5: the history has MarkerRecorded core_local_activity 7 of type A, the workflow code made no command"},
        Wrong{"NotAskedFor",
              [](auto& h) {
                h.local_activity(1, "A", 1, "3").local_activity(2, "B", 1, "4").local_activity(3, "C", 1, "5");
              },
              "7: the history has MarkerRecorded core_local_activity 3 of type C, "
              "the workflow code made CompleteWorkflowExecution"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace callimport::engine::worker
