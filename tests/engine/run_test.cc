// Workflow code against histories made by hand: state machines, matching, order, patches, eviction.
#include "engine/worker/run.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/engine/history_builder.h"

namespace callimport::engine::worker {
namespace {

using testing_support::HistoryBuilder;
using Log = std::vector<std::string>;
using WorkflowRun = Run;  // inside a test, Run is GoogleTest's own

ActivityOptions options(CancellationType type = CancellationType::kTryCancel) {
  ActivityOptions made;
  made.start_to_close = 10s;
  made.cancellation = type;
  return made;
}

std::string text_of(const Outcome<std::string>& outcome) {
  if (outcome) return *outcome;
  static constexpr const char* kKinds[] = {"application", "timeout", "cancelled", "terminated", "server"};
  return std::string(kKinds[static_cast<int>(outcome.error().kind)]) + ":" + outcome.error().type + ":" +
         outcome.error().message + ":" + outcome.error().details;
}

/// Runs a live task at the end of `history` and answers the kinds of its commands.
Log live(Run& run, const HistoryBuilder& history) {
  const auto applied = run.apply(history.history().events(), Delivery::Task);
  EXPECT_TRUE(applied.has_value()) << applied.error().message;
  google::protobuf::RepeatedPtrField<CommandMessage> commands;
  run.take_commands(&commands);
  Log kinds;
  for (const auto& command : commands) {
    kinds.push_back(temporal::api::enums::v1::CommandType_Name(command.command_type()).substr(13));
  }
  return kinds;
}

Flow<WorkflowEnd> one_activity(WorkflowContext& context, std::string input) {
  auto outcome = co_await context.activity("A", input, options());
  co_return text_of(outcome);
}
const WorkflowFunction kOneActivity = one_activity;

HistoryBuilder scheduled_activity() {
  HistoryBuilder history("\"in\"");
  history.turn().activity_scheduled("1", "A");  // event 5
  return history;
}

struct Ending {
  const char* name;
  std::function<void(HistoryBuilder&)> events;
  const char* outcome;
};
void PrintTo(const Ending& row, std::ostream* out) { *out << row.name; }
class ActivityEnding : public testing::TestWithParam<Ending> {};

TEST_P(ActivityEnding, ReachesTheCode) {
  HistoryBuilder history = scheduled_activity();
  GetParam().events(history);
  history.task();
  WorkflowRun run(kOneActivity, "default", "w", "run-1");
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
  EXPECT_TRUE(run.closed());
  HistoryBuilder again = history;
  again.completed().closed();
  EXPECT_TRUE(replay(again.history(), kOneActivity, nullptr).has_value());
}

std::string result_of(const WorkflowFunction& function, const HistoryBuilder& history) {
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_TRUE(run.apply(history.history().events(), Delivery::Task).has_value());
  google::protobuf::RepeatedPtrField<CommandMessage> commands;
  run.take_commands(&commands);
  if (commands.empty()) return "nothing";
  const auto& complete = commands.rbegin()->complete_workflow_execution_command_attributes();
  return complete.result().payloads_size() == 1 ? complete.result().payloads(0).data() : "no result";
}

TEST_P(ActivityEnding, HasItsOutcome) {
  HistoryBuilder history = scheduled_activity();
  GetParam().events(history);
  EXPECT_EQ(GetParam().outcome, result_of(kOneActivity, history.task()));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ActivityEnding,
    testing::Values(Ending{"Completed", [](auto& h) { h.activity_started(5).activity_completed(5, "\"r\""); }, "\"r\""},
                    Ending{"Failed", [](auto& h) { h.activity_started(5).activity_failed(5, "E", "broken"); },
                           "application:E:broken:"},
                    Ending{"TimedOut",
                           [](auto& h) {
                             h.activity_started(5).activity_timed_out(5,
                                                                      testing_support::enums::TIMEOUT_TYPE_HEARTBEAT);
                           },
                           "timeout:Heartbeat::"},
                    Ending{"TimedOutBeforeStart",
                           [](auto& h) {
                             h.activity_timed_out(5, testing_support::enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
                           },
                           "timeout:ScheduleToStart::"}),
    [](const auto& test) { return test.param.name; });

// Cancellation: the code cancels when the signal comes, then waits for the outcome.
Flow<WorkflowEnd> cancelling(WorkflowContext& context, CancellationType type) {
  bool stop = false;
  context.on_signal("stop", [&stop](std::string) { stop = true; });
  auto future = context.activity("A", "", options(type));
  auto stopped = context.until([&stop] { return stop; });
  co_await stopped;
  future.cancel();
  future.cancel();  // the second asks for nothing new
  auto outcome = co_await future;
  auto more = co_await context.timer(1s);  // goes on, so that late events must be tolerated
  co_return text_of(outcome) + (more ? "" : "!");
}
WorkflowFunction cancelling(CancellationType type) {
  return [type](WorkflowContext& context, std::string) { return cancelling(context, type); };
}

TEST(ActivityCancellation, TryCancelResolvesAtOnceAndIgnoresWhatComesLater) {
  const auto function = cancelling(CancellationType::kTryCancel);
  HistoryBuilder history = scheduled_activity();
  history.signaled("stop", "1").task();
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"REQUEST_CANCEL_ACTIVITY_TASK", "START_TIMER"}), live(run, history));
  history.completed().activity_cancel_requested(5).timer_started("1");
  history.activity_started(5).activity_canceled(5, "\"d\"").timer_fired("1", history.last() - 2).task();
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
  EXPECT_EQ("cancelled::activity cancelled:", result_of(function, history));
}

TEST(ActivityCancellation, WaitResolvesWithWhatTheServiceSays) {
  const auto function = cancelling(CancellationType::kWaitCancellationCompleted);
  HistoryBuilder history = scheduled_activity();
  history.signaled("stop", "1").task();
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"REQUEST_CANCEL_ACTIVITY_TASK"}), live(run, history));
  history.completed().activity_cancel_requested(5);
  HistoryBuilder too_late = history;  // the activity completed before it heard of it
  history.activity_started(5).activity_canceled(5, "\"d\"").task();
  EXPECT_EQ((Log{"START_TIMER"}), live(run, history));
  history.completed().timer_started("1").timer_fired("1", history.last()).task();
  EXPECT_EQ("cancelled::activity cancelled:\"d\"", result_of(function, history));
  too_late.activity_started(5).activity_completed(5, "9").turn().timer_started("1");
  EXPECT_EQ("9", result_of(function, too_late.timer_fired("1", too_late.last()).task()));
}

TEST(ActivityCancellation, AbandonSendsNothingAndResolvesAtOnce) {
  const auto function = cancelling(CancellationType::kAbandon);
  HistoryBuilder history = scheduled_activity();
  history.signaled("stop", "1").task();
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"START_TIMER"}), live(run, history));
  history.completed().timer_started("1").activity_started(5).activity_completed(5, "9").timer_fired("1", 10).task();
  EXPECT_EQ("cancelled::activity abandoned:", result_of(function, history));
}

TEST(ActivityCancellation, AnOutcomeAlreadyInTheTaskWinsOverACancelBeforeItsJob) {
  HistoryBuilder history = scheduled_activity();
  history.activity_started(5).activity_completed(5, "9").signaled("stop", "1").task();  // the signal's job comes first
  const auto function = cancelling(CancellationType::kTryCancel);
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"START_TIMER"}), live(run, history));
  history.completed().timer_started("1").timer_fired("1", history.last()).task();
  EXPECT_EQ("9", result_of(function, history));
}

Flow<WorkflowEnd> drops(WorkflowContext& context, std::string) {
  auto first = context.activity("A", "", options(CancellationType::kWaitCancellationCompleted));
  auto kept = context.activity("B", "", options());
  auto timer = context.timer(5s);
  first.cancel();
  timer.cancel();
  auto outcome = co_await first;
  auto slept = co_await timer;
  auto b = co_await kept;
  co_return text_of(outcome) + "," + std::string(slept ? "fired" : "cancelled") + "," + text_of(b);
}
const WorkflowFunction kDrops = drops;

TEST(Cancellation, BeforeItIsSentRemovesTheCommand) {  // B13
  HistoryBuilder history;
  history.task();
  WorkflowRun run(kDrops, "default", "w", "run-1");
  EXPECT_EQ((Log{"SCHEDULE_ACTIVITY_TASK"}), live(run, history));
  history.completed().activity_scheduled("2", "B").activity_started(5).activity_completed(5, "1").task();
  EXPECT_EQ("cancelled::activity cancelled before it was scheduled:,cancelled,1", result_of(kDrops, history));
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
}

Flow<WorkflowEnd> timers(WorkflowContext& context, std::string) {
  auto one = context.timer(1s);
  auto two = context.timer(60s);
  auto fired = co_await one;
  two.cancel();
  auto second = co_await two;
  co_return std::string(fired ? "fired" : "cancelled") + "," + (second ? "fired" : "cancelled");
}
const WorkflowFunction kTimers = timers;

TEST(Timers, OneFiresOneIsCancelled) {  // E9
  HistoryBuilder history;
  history.turn().timer_started("1").timer_started("2").timer_fired("1", 5).task();
  WorkflowRun run(kTimers, "default", "w", "run-1");
  EXPECT_EQ((Log{"CANCEL_TIMER", "COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
  history.completed().timer_canceled("2", 6).closed();
  EXPECT_TRUE(replay(history.history(), kTimers, nullptr).has_value());
}

TEST(Timers, BothFiredInOneTaskAreNotCancelledAnyMore) {
  HistoryBuilder history;
  history.turn().timer_started("1").timer_started("2").timer_fired("1", 5).timer_fired("2", 6).task();
  WorkflowRun run(kTimers, "default", "w", "run-1");
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
  EXPECT_EQ("fired,fired", result_of(kTimers, history));
}

Flow<WorkflowEnd> within(WorkflowContext& context, std::string) {
  bool go = false;
  context.on_signal("go", [&go](std::string) { go = true; });
  auto wait = context.until([&go] { return go; }, 60s);
  const bool held = co_await wait;
  auto more = co_await context.timer(1s);
  co_return std::string(held ? "held" : "timed out") + (more ? "" : "!");
}
const WorkflowFunction kWithin = within;

TEST(Until, TheTimerIsCancelledWhenTheConditionHeld) {
  HistoryBuilder history;
  history.turn().timer_started("1").signaled("go", "1").task();
  WorkflowRun run(kWithin, "default", "w", "run-1");
  EXPECT_EQ((Log{"CANCEL_TIMER", "START_TIMER"}), live(run, history));
}

TEST(Until, FalseWhenTimeRanOutAndALateSignalChangesNothing) {
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).turn().timer_started("2").signaled("go", "1");
  EXPECT_EQ("timed out", result_of(kWithin, history.timer_fired("2", 10).task()));
}

TEST(Until, SignalAndTimerInOneTaskTheSignalIsFirst) {  // B15
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).signaled("go", "1").task();
  WorkflowRun run(kWithin, "default", "w", "run-1");
  EXPECT_EQ((Log{"START_TIMER"}), live(run, history));  // the timer fired in this task: nothing to cancel
  history.completed().timer_started("2").timer_fired("2", history.last()).task();
  EXPECT_EQ("held", result_of(kWithin, history));
}

TEST(Until, ATrueConditionStartsNoTimer) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto wait = context.until([] { return true; }, 60s);
    const bool held = co_await wait;
    co_return std::string(held ? "held" : "timed out");
  };
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history.task()));
}

Flow<void> waiter(WorkflowContext& context, int* level, int at, Log* log, std::string name) {
  auto wait = context.until([level, at] { return *level >= at; });
  co_await wait;
  log->push_back(name);
  if (name == "b") *level = 3;
}

TEST(Until, ConditionsAreLookedAtInTheOrderTheyWereRegisteredAfterEveryResumption) {
  Log log;
  const WorkflowFunction function = [&log](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    int level = 0;
    context.on_signal("level", [&level](std::string text) { level = std::stoi(text); });
    context.spawn(waiter(context, &level, 3, &log, "a"));
    context.spawn(waiter(context, &level, 2, &log, "b"));
    context.spawn(waiter(context, &level, 2, &log, "c"));
    auto wait = context.until([&level] { return level == 99; });
    co_await wait;
    co_return std::string();
  };
  HistoryBuilder history;
  history.turn().signaled("level", "1").signaled("level", "2").task();
  WorkflowRun run(function, "default", "w", "run-1");
  live(run, history);
  EXPECT_EQ((Log{"b", "c", "a"}), log);
}

TEST(Until, AConditionNobodyAwaitsAnyMoreIsDropped) {
  int asked = 0;
  const WorkflowFunction function = [&asked](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    {
      auto dropped = context.until([&asked] { return ++asked > 100; });
    }
    auto slept = co_await context.timer(1s);
    co_return std::string(slept ? "ok" : "");
  };
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).task();
  EXPECT_EQ("ok", result_of(function, history));
  EXPECT_EQ(1, asked);
}

TEST(Signals, AreKeptUntilTheirHandlerIsSetThenDeliveredInOrder) {  // B22
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto slept = co_await context.timer(1s);
    std::string all = slept ? "" : "!";
    context.on_signal("s", [&all](std::string input) { all += input; });
    context.on_signal("other", [&all](std::string input) { all += "o" + input; });
    co_return all;
  };
  HistoryBuilder history;
  history.signaled("s", "1").turn().timer_started("1").signaled("s", "2").signaled("other", "5").turn();
  history.signaled("s", "3").timer_fired("1", 6).task();
  EXPECT_EQ("123o5", result_of(function, history));
}

TEST(Jobs, SignalsComeBeforeResolutionsWhateverTheOrderOfEvents) {  // B15
  Log log;
  const WorkflowFunction function = [&log](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    context.on_signal("s", [&log](std::string) { log.push_back("signal"); });
    auto slept = co_await context.timer(1s);
    log.push_back(slept ? "timer" : "!");
    auto never = co_await context.timer(1s);
    co_return std::string(never ? "" : "!");
  };
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).signaled("s", "1").signaled("s", "2").task();
  WorkflowRun run(function, "default", "w", "run-1");
  live(run, history);
  EXPECT_EQ((Log{"signal", "signal", "timer"}), log);
}

TEST(Jobs, ACancelRequestSetsTheFlagOnce) {  // B25
  int seen = 0;
  const WorkflowFunction function = [&seen](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto wait = context.until([&context] { return context.cancel_requested(); });
    co_await wait;
    ++seen;
    co_return Cancelled{.details = "\"bye\""};
  };
  HistoryBuilder history;
  history.turn().cancel_requested().task();
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"CANCEL_WORKFLOW_EXECUTION"}), live(run, history));
  EXPECT_EQ(1, seen);
}

struct Different {
  const char* name;
  std::function<HistoryBuilder()> history;
  std::int64_t event;
  const char* expected;
  const char* got;
};
void PrintTo(const Different& row, std::ostream* out) { *out << row.name; }
class Nondeterminism : public testing::TestWithParam<Different> {};

TEST_P(Nondeterminism, NamesTheEventWhatWasExpectedAndWhatCame) {  // B12
  ReplayDifference difference;
  const auto result = replay(GetParam().history().history(), kOneActivity, &difference);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(Code::kNondeterministic, result.error().code);
  EXPECT_EQ(GetParam().event, difference.event_id);
  EXPECT_EQ(GetParam().expected, difference.expected);
  EXPECT_EQ(GetParam().got, difference.got);
  EXPECT_EQ("nondeterministic workflow w at event " + std::to_string(GetParam().event) + ": the history has " +
                GetParam().expected + ", the workflow code made " + GetParam().got,
            result.error().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Nondeterminism,
    testing::Values(
        Different{"OtherKind", [] { return HistoryBuilder().turn().timer_started("1"); }, 5, "TimerStarted 1",
                  "ScheduleActivityTask 1 of type A"},
        Different{"OtherType", [] { return HistoryBuilder().turn().activity_scheduled("1", "B"); }, 5,
                  "ActivityTaskScheduled 1 of type B", "ScheduleActivityTask 1 of type A"},
        Different{"OtherId", [] { return HistoryBuilder().turn().activity_scheduled("7", "A"); }, 5,
                  "ActivityTaskScheduled 7 of type A", "ScheduleActivityTask 1 of type A"},
        Different{"EventTooMany", [] { return scheduled_activity().timer_started("1"); }, 6, "TimerStarted 1",
                  "no command"},
        Different{"CommandTooMany", [] { return HistoryBuilder().turn().signaled("s", "1").turn(); }, 5,
                  "WorkflowExecutionSignaled, so no further command in this workflow task",
                  "ScheduleActivityTask 1 of type A"},
        Different{"CommandTooManyAtTheEnd", [] { return HistoryBuilder().turn(); }, 5, "no further command",
                  "ScheduleActivityTask 1 of type A"},
        Different{"ClosedTooEarly", [] { return HistoryBuilder().turn().closed(); }, 5, "WorkflowExecutionCompleted",
                  "ScheduleActivityTask 1 of type A"},
        Different{"NotClosed",
                  [] { return scheduled_activity().activity_started(5).activity_completed(5, "1").turn(); }, 11,
                  "no further command", "CompleteWorkflowExecution"},
        Different{"GoesOnAfterTheEnd",
                  [] {
                    return scheduled_activity().activity_started(5).activity_completed(5, "1").turn().timer_started(
                        "1");
                  },
                  11, "TimerStarted 1", "CompleteWorkflowExecution"},
        Different{"UnknownActivity", [] { return scheduled_activity().activity_started(4).turn(); }, 6,
                  "ActivityTaskStarted of event 4", "no open activity of that event"},
        Different{"IllegalMove", [] { return scheduled_activity().activity_completed(5, "1").turn(); }, 6,
                  "ActivityTaskCompleted",
                  "an activity where ActivityTaskCompleted is not possible in state Scheduled"},
        Different{"UnknownTimer", [] { return scheduled_activity().timer_fired("1", 5).turn(); }, 6, "TimerFired",
                  "no running timer of that id"},
        Different{"ForeignMarker", [] { return HistoryBuilder().turn().side_effect(1, "5"); }, 5,
                  "MarkerRecorded SideEffect 1", "ScheduleActivityTask 1 of type A"}),
    [](const auto& test) { return test.param.name; });

// Patches: the truth table of B17.
struct PatchRow {
  const char* name;
  char marker;  ///< '-' none, 'm' marker, 'd' deprecated marker
  char code;    ///< '-' no call, 'p' patched, 'd' deprecate_patch
  const char* outcome;
};
void PrintTo(const PatchRow& row, std::ostream* out) { *out << row.name; }
class PatchTruth : public testing::TestWithParam<PatchRow> {};

TEST_P(PatchTruth, Holds) {
  for (const bool with_upsert : {false, true}) {
    std::string answer = "none";
    const WorkflowFunction function = [&answer, code = GetParam().code](WorkflowContext& context,
                                                                        std::string) -> Flow<WorkflowEnd> {
      if (code == 'p') answer = context.patched("p1") ? "true" : "false";
      if (code == 'd') context.deprecate_patch("p1");
      auto slept = co_await context.timer(1s);
      co_return std::string(slept ? "" : "!");
    };
    HistoryBuilder history;
    history.turn();
    if (GetParam().marker != '-') history.patch("p1", GetParam().marker == 'd');
    if (GetParam().marker != '-' && with_upsert) history.upserted("TemporalChangeVersion");
    history.timer_started("1").timer_fired("1", history.last()).task();
    WorkflowRun run(function, "default", "w", "run-1");
    const auto applied = run.apply(history.history().events(), Delivery::Task);
    if (std::string_view(GetParam().outcome) == "error") {
      ASSERT_FALSE(applied.has_value());
      EXPECT_EQ(5, run.difference().event_id);
      EXPECT_EQ("MarkerRecorded core_patch p1", run.difference().expected);
    } else {
      ASSERT_TRUE(applied.has_value()) << applied.error().message;
      EXPECT_EQ(GetParam().outcome, answer);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, PatchTruth,
    testing::Values(PatchRow{"MarkerNoCall", 'm', '-', "error"}, PatchRow{"DeprecatedMarkerNoCall", 'd', '-', "none"},
                    PatchRow{"NoMarkerNoCall", '-', '-', "none"}, PatchRow{"MarkerPatched", 'm', 'p', "true"},
                    PatchRow{"DeprecatedMarkerPatched", 'd', 'p', "true"},
                    PatchRow{"NoMarkerPatched", '-', 'p', "false"}, PatchRow{"MarkerDeprecated", 'm', 'd', "none"},
                    PatchRow{"DeprecatedMarkerDeprecated", 'd', 'd', "none"},
                    PatchRow{"NoMarkerDeprecated", '-', 'd', "none"}),
    [](const auto& test) { return test.param.name; });

TEST(Patches, LiveCallsWriteTheMarkerAndTheListOnce) {  // B16
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    const bool all = context.patched("b") && context.patched("a") && context.patched("b");
    auto slept = co_await context.timer(1s);
    co_return std::string(slept && all ? "" : "!");
  };
  HistoryBuilder history;
  history.task();
  WorkflowRun run(function, "default", "w", "run-1");
  ASSERT_TRUE(run.apply(history.history().events(), Delivery::Task).has_value());
  google::protobuf::RepeatedPtrField<CommandMessage> commands;
  run.take_commands(&commands);
  ASSERT_EQ(5, commands.size());
  const auto data = commands[0].record_marker_command_attributes().details().at("patch-data").payloads(0).data();
  EXPECT_EQ(R"({"deprecated":false,"id":"b"})", data);
  const auto& list = commands[3].upsert_workflow_search_attributes_command_attributes().search_attributes();
  EXPECT_EQ(R"(["a","b"])", list.indexed_fields().at("TemporalChangeVersion").data());
  EXPECT_EQ("KeywordList", list.indexed_fields().at("TemporalChangeVersion").metadata().at("type"));
  history.completed().patch("b").upserted("TemporalChangeVersion").patch("a").upserted("TemporalChangeVersion");
  history.timer_started("1").timer_fired("1", history.last()).task();
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
}

TEST(Patches, TheListIsNotWrittenBeyondTwoKilobytes) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    const bool yes = context.patched(std::string(kChangeVersionBytesMax - 4, 'x'));  // with ["..."] exactly the limit
    const bool one_more = context.patched("y");
    auto slept = co_await context.timer(1s);
    co_return std::string(slept && yes && one_more ? "" : "!");
  };
  HistoryBuilder history;
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"RECORD_MARKER", "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", "RECORD_MARKER", "START_TIMER"}),
            live(run, history.task()));
}

TEST(Patches, AnAnswerGivenInReplayStaysWhenReplayIsOver) {
  Log answers;
  const WorkflowFunction function = [&answers](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    answers.push_back(context.patched("p") ? "new" : "old");
    auto slept = co_await context.timer(1s);
    answers.push_back(context.patched("p") ? "new" : "old");
    answers.push_back(context.patched("q") ? "new" : "old");
    co_return std::string(slept ? "" : "!");
  };
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).task();
  WorkflowRun run(function, "default", "w", "run-1");
  live(run, history);
  EXPECT_EQ((Log{"old", "old", "new"}), answers);
}

Flow<WorkflowEnd> chance(WorkflowContext& context, int* made) {
  auto first = context.side_effect([made] { return std::to_string(++*made); });
  auto second = context.side_effect([made] { return std::to_string(++*made); });
  auto slept = co_await context.timer(1s);
  co_return first + "," + second + (slept ? "" : "!");
}

TEST(SideEffects, RunOnceAndComeFromTheMarkersAfterwards) {
  int made = 40;
  const WorkflowFunction function = [&made](WorkflowContext& context, std::string) { return chance(context, &made); };
  HistoryBuilder history;
  history.task();
  WorkflowRun run(function, "default", "w", "run-1");
  EXPECT_EQ((Log{"RECORD_MARKER", "RECORD_MARKER", "START_TIMER"}), live(run, history));
  EXPECT_EQ(42, made);
  history.completed().side_effect(1, "41").side_effect(2, "42").timer_started("1").timer_fired("1", 7).task();
  EXPECT_EQ("41,42", result_of(function, history));
  EXPECT_EQ(42, made);
}

TEST(SideEffects, WithoutItsMarkerReplayIsNondeterministic) {
  int made = 0;
  const WorkflowFunction function = [&made](WorkflowContext& context, std::string) { return chance(context, &made); };
  HistoryBuilder history;
  history.turn().side_effect(1, "41").timer_started("1").timer_fired("1", 6).turn();
  ReplayDifference difference;
  ASSERT_FALSE(replay(history.history(), function, &difference).has_value());
  EXPECT_EQ(4, difference.event_id);
  EXPECT_EQ("RecordMarker SideEffect 2", difference.got);
  EXPECT_EQ(0, made);
}

struct Dtor {
  WorkflowContext* context;
  Log* log;
  ~Dtor() {
    auto ignored = context->activity("late", "", options());
    auto never = context->timer(1s);
    context->upsert_memo({{"k", "1"}});
    log->push_back(ignored.ready() || never.ready() || context->patched("late") ? "obeyed" : "refused");
  }
};

TEST(Eviction, DestroysFramesWhileTheContextRefuses) {
  Log log;
  const WorkflowFunction function = [&log](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    Dtor guard{&context, &log};
    auto slept = co_await context.timer(1s);
    co_return std::string(slept ? "" : "!");
  };
  HistoryBuilder history;
  {
    WorkflowRun run(function, "default", "w", "run-1");
    EXPECT_EQ((Log{"START_TIMER"}), live(run, history.task()));
    EXPECT_TRUE(log.empty());
  }
  EXPECT_EQ((Log{"refused"}), log);
}

TEST(Split, FailedAndTimedOutAttemptsAreMergedWithTheNextTask) {  // B6
  HistoryBuilder history;
  history.task().task_timed_out().signaled("s", "1").task().task_failed(
      testing_support::enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND);
  history.task().completed();
  const auto tasks = split(history.history().events(), 0, Delivery::Whole);
  ASSERT_EQ(1u, tasks.size());
  EXPECT_EQ(0, tasks[0].begin);
  EXPECT_EQ(10, history.history().events(tasks[0].end).event_id());
  EXPECT_FALSE(tasks[0].live);
}

TEST(Split, AHeartbeatIsMergedWithTheTaskAfterIt) {  // B7
  HistoryBuilder history;
  history.turn().turn().timer_started("1").timer_fired("1", 8).task();
  const auto tasks = split(history.history().events(), 0, Delivery::Task);
  ASSERT_EQ(2u, tasks.size());
  EXPECT_EQ(2, tasks[0].end);
  EXPECT_EQ(3, tasks[1].begin);
  EXPECT_TRUE(tasks[1].live);
}

TEST(Split, ATaskCutShortByATerminationWasNeverRun) {
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).task();
  history.add(testing_support::enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  EXPECT_EQ(1u, split(history.history().events(), 0, Delivery::Whole).size());
}

TEST(Time, IsTheStartedEventsAndNeverGoesBack) {  // B10
  std::vector<Timestamp> seen;
  const WorkflowFunction function = [&seen](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    seen.push_back(context.now());
    auto slept = co_await context.timer(1s);
    seen.push_back(context.now());
    co_return std::string(slept ? "" : "!");
  };
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).task();
  auto changed = history.history();
  changed.mutable_events(2)->mutable_event_time()->set_seconds(5'000'000);
  WorkflowRun run(function, "default", "w", "run-1");
  ASSERT_TRUE(run.apply(changed.events(), Delivery::Task).has_value());
  EXPECT_EQ((std::vector<Timestamp>{Timestamp{5'000'000s}, Timestamp{5'000'000s}}), seen);
}

TEST(Chance, ComesFromTheFirstRunAndFromAReset) {  // B10
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    co_return context.uuid() + std::to_string(context.random());
  };
  HistoryBuilder plain, reset;
  reset.task().task_failed(testing_support::enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW, "run-2");
  const auto one = result_of(function, plain.task());
  EXPECT_EQ(one, result_of(function, plain));
  EXPECT_EQ('4', one[14]);
  EXPECT_NE(one, result_of(function, reset.task()));
}

TEST(Queries, AreAnsweredFromStateAndLeaveNoTrace) {  // B21
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    int ready = 0;
    context.on_query("ready", [&](std::string input) -> Outcome<std::string> {
      auto ignored = context.activity("A", "", options());
      return std::to_string(ready) + input + (ignored.ready() ? "!" : "") + std::to_string(context.random() != 0);
    });
    context.on_query("broken", [](std::string) -> Outcome<std::string> { throw std::runtime_error("oh"); });
    auto slept = co_await context.timer(1s);
    ready = slept ? 1 : 2;
    co_return context.uuid();
  };
  HistoryBuilder history;
  history.turn().timer_started("1");
  WorkflowRun run(function, "default", "w", "run-1");
  ASSERT_TRUE(run.apply(history.history().events(), Delivery::Query).has_value());
  EXPECT_EQ("071", *run.answer("ready", "7"));
  EXPECT_EQ("exception in query handler: oh", run.answer("broken", "").error().message);
  EXPECT_EQ("unknown query other; this workflow knows: broken, ready", run.answer("other", "").error().message);
  history.timer_fired("1", 5).task();
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), live(run, history));
  EXPECT_EQ("query ready: the workflow has returned, its state is gone", run.answer("ready", "").error().message);
}

TEST(Queries, ThatAreExpectedAreAnsweredAsOfTheReturn) {  // C.7: a closed run is asked by replay
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto steps = std::make_unique<int>(0);  // gone with the frame: an answer after it would read freed memory
    context.on_query("steps",
                     [&steps](std::string input) -> Outcome<std::string> { return input + std::to_string(*steps); });
    auto slept = co_await context.timer(1s);
    *steps = slept ? 1 : -1;
    co_return std::string("done");
  };
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).turn().closed();
  WorkflowRun run(function, "default", "w", "run-1");
  run.expect_queries({{"steps", "n"}, {"nope", ""}});
  ASSERT_TRUE(run.apply(history.history().events(), Delivery::Query).has_value());
  ASSERT_TRUE(run.closed());
  EXPECT_EQ("n1", *run.answer("steps", "n"));
  EXPECT_EQ("unknown query nope; this workflow knows: steps", run.answer("nope", "").error().message);
  EXPECT_EQ("query steps: the workflow has returned, its state is gone", run.answer("steps", "m").error().message);
}

TEST(History, GapsForeignEventsAndFlagsFromTheFutureAreRefused) {
  const auto apply = [](const testing_support::History& history) {
    WorkflowRun run(kOneActivity, "default", "w", "run-1");
    const auto applied = run.apply(history.events(), Delivery::Task);
    return applied ? std::string("fine") : applied.error().message;
  };
  auto gap = HistoryBuilder().task().history();
  gap.mutable_events(2)->set_event_id(4);
  EXPECT_EQ("history out of order: event 4 where 3 is due", apply(gap));  // B3

  HistoryBuilder unknown;
  unknown.add(static_cast<testing_support::enums::EventType>(777));
  unknown.task();
  EXPECT_EQ("event 2 is of a type this worker does not know (777)", apply(unknown.history()));  // B5
  auto ignorable = unknown.history();
  ignorable.mutable_events(1)->set_worker_may_ignore(true);
  EXPECT_EQ("fine", apply(ignorable));

  auto future = scheduled_activity().task().history();
  auto* metadata = future.mutable_events(3)->mutable_workflow_task_completed_event_attributes()->mutable_sdk_metadata();
  metadata->set_sdk_name(std::string(kSdkName));
  metadata->add_lang_used_flags(kFlagsMax);
  EXPECT_EQ("fine", apply(future));
  metadata->add_lang_used_flags(kFlagsMax + 1);
  EXPECT_EQ("event 4 needs behaviour number 2, this worker knows up to 1: it was written by a newer version",
            apply(future));

  EXPECT_EQ(Code::kInvalid, replay({}, kOneActivity, nullptr).error().code);
  EXPECT_EQ(Code::kInvalid, replay(HistoryBuilder().history(), kOneActivity, nullptr).error().code);
}

TEST(Code, AnExceptionFailsTheTaskNotTheWorkflow) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto slept = co_await context.timer(1s);
    if (slept) throw std::runtime_error("a bug");
    co_return std::string();
  };
  HistoryBuilder history;
  history.turn().timer_started("1").timer_fired("1", 5).task();
  WorkflowRun run(function, "default", "w", "run-1");
  const auto applied = run.apply(history.history().events(), Delivery::Task);
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ("exception in workflow code: a bug", applied.error().message);
}

TEST(ContinueAsNew, KeepsTypeQueueTimeoutsMemoAndAttributesButNotPatches) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    context.upsert_memo({{"stage", "\"fetch\""}});
    context.upsert_search_attributes(
        {{"Stage", std::string("fetch")}, {"TemporalChangeVersion", std::vector<std::string>{"p"}}});
    co_return ContinueAsNew{.input = "2"};
  };
  HistoryBuilder history;
  auto with = history.task().history();
  auto* started = with.mutable_events(0)->mutable_workflow_execution_started_event_attributes();
  started->mutable_workflow_run_timeout()->set_seconds(77);
  HistoryBuilder::set_json(&(*started->mutable_memo()->mutable_fields())["who"], "\"me\"");
  WorkflowRun run(function, "default", "w", "run-1");
  ASSERT_TRUE(run.apply(with.events(), Delivery::Task).has_value());
  google::protobuf::RepeatedPtrField<CommandMessage> commands;
  run.take_commands(&commands);
  ASSERT_EQ(3, commands.size());
  const auto& next = commands[2].continue_as_new_workflow_execution_command_attributes();
  EXPECT_EQ("T", next.workflow_type().name());
  EXPECT_EQ("Q", next.task_queue().name());
  EXPECT_EQ("2", next.input().payloads(0).data());
  EXPECT_EQ(77, next.workflow_run_timeout().seconds());
  EXPECT_EQ("\"me\"", next.memo().fields().at("who").data());
  EXPECT_EQ("\"fetch\"", next.memo().fields().at("stage").data());
  EXPECT_EQ(1u, next.search_attributes().indexed_fields().size());
}

TEST(Replay, OfAThousandTasksIsNoNondeterminismAndTakesAMoment) {
  const WorkflowFunction function = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    for (int i = 0; i < 5000; ++i) {
      auto slept = co_await context.timer(1s);
      if (!slept) co_return std::string("!");
    }
    co_return std::string();
  };
  HistoryBuilder history;
  history.turn();
  for (int i = 1; i <= 5000; ++i) {
    history.timer_started(std::to_string(i)).timer_fired(std::to_string(i), history.last()).turn();
  }
  history.closed();
  const auto result = replay(history.history(), function, nullptr);
  EXPECT_TRUE(result.has_value()) << result.error().message;
}

}  // namespace
}  // namespace callimport::engine::worker
