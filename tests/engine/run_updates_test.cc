// Updates in workflow code (conformance B8, B15, B18, B19, B21's rule for validators): a run, hand-made histories and
// messages.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/worker/run.h"
#include "tests/engine/history_builder.h"

namespace callimport::engine::worker {
namespace {

using testing_support::HistoryBuilder;
using Log = std::vector<std::string>;
using WorkflowRun = Run;  // inside a test, Run is GoogleTest's own

ProtocolMessages asked(const std::vector<std::string>& ids, std::int64_t after, const std::string& input = "1",
                       const std::string& name = "upd") {
  ProtocolMessages out;
  for (const auto& id : ids) {
    auto* message = out.Add();
    message->set_id(id + "/request");
    message->set_protocol_instance_id(id);
    message->set_event_id(after);
    UpdateRequest request;
    HistoryBuilder::set_update(&request, id, input, name);
    message->mutable_body()->PackFrom(request);
  }
  return out;
}

std::string error_of(const Result<>& result) { return result ? "" : result.error().message; }

/// "PROTOCOL_MESSAGE u1/accept", "START_TIMER": the commands of the live task, in order.
Log take_commands(WorkflowRun& run) {
  google::protobuf::RepeatedPtrField<CommandMessage> commands;
  run.take_commands(&commands);
  Log out;
  for (const auto& command : commands) {
    out.push_back(temporal::api::enums::v1::CommandType_Name(command.command_type()).substr(13));
    const auto& id = command.protocol_message_command_attributes().message_id();
    if (!id.empty()) out.back() += " " + id;
  }
  return out;
}

Log take_messages(WorkflowRun& run) {
  ProtocolMessages messages;
  run.take_messages(&messages);
  Log out;
  for (const auto& message : messages) {
    out.push_back(message.id());
    temporal::api::update::v1::Rejection rejection;
    temporal::api::update::v1::Response response;
    if (message.body().UnpackTo(&rejection)) out.back() += ": " + rejection.failure().message();
    if (message.body().UnpackTo(&response) && response.outcome().has_failure()) {
      out.back() += ": " + response.outcome().failure().message();
    } else if (message.body().Is<temporal::api::update::v1::Response>()) {
      out.back() += " " + response.outcome().success().payloads(0).data();
    }
  }
  return out;
}

/// A sum: update `upd` adds and answers the new sum, signal `add` adds; returns at 100.
Flow<Outcome<std::string>> add_at_once(int* sum, std::string input) {
  *sum += std::stoi(input);
  co_return std::to_string(*sum);
}
Flow<WorkflowEnd> summing(WorkflowContext& context, std::string) {
  int sum = 0;
  context.on_signal("add", [&sum](std::string input) { sum *= std::stoi(input); });
  UpdateHandler add;
  add.run = [&sum](std::string input) { return add_at_once(&sum, std::move(input)); };
  add.validate = [&context, &sum](const std::string& input) -> Outcome<> {
    Failure negative;
    negative.message = "not less than " + std::to_string(sum);
    (void)context.random();
    auto ignored = context.timer(1s);  // it may only read: nothing of this lasts
    if (input.starts_with('-')) return tl::unexpected(negative);
    if (input == "throw") throw std::runtime_error("on purpose");
    return {};
  };
  context.on_update("upd", add);
  auto enough = context.until([&sum] { return sum >= 100; });
  co_await enough;
  co_return std::to_string(sum);
}
const WorkflowFunction kSumming = summing;

TEST(RunUpdate, AcceptedAndCompletedInOneTask) {
  HistoryBuilder history;
  history.turn().task();  // 5, 6
  WorkflowRun run(kSumming, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task, asked({"u1", "u2"}, 5, "7"))));
  EXPECT_EQ((Log{"PROTOCOL_MESSAGE u1/accept", "PROTOCOL_MESSAGE u1/complete", "PROTOCOL_MESSAGE u2/accept",
                 "PROTOCOL_MESSAGE u2/complete"}),
            take_commands(run));
  EXPECT_EQ((Log{"u1/accept", "u1/complete 7", "u2/accept", "u2/complete 14"}), take_messages(run));
  EXPECT_TRUE(run.updates_finished());
  history.completed().update_accepted("u1", 5, "7").update_completed("u1", "7");
  history.update_accepted("u2", 5, "7").update_completed("u2", "14").signaled("add", "10").task();
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task))) << "sticky: what it did comes back";
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), take_commands(run));
  EXPECT_EQ(Log{}, take_messages(run));
  history.completed().closed();
  EXPECT_TRUE(replay(history.history(), kSumming, nullptr).has_value());
}

TEST(RunUpdate, AcceptanceCarriesTheRequest) {
  HistoryBuilder history;
  WorkflowRun run(kSumming, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.task().history().events(), Delivery::Task, asked({"u1"}, 2))));
  ProtocolMessages messages;
  run.take_messages(&messages);
  temporal::api::update::v1::Acceptance acceptance;
  ASSERT_TRUE(messages[0].body().UnpackTo(&acceptance));
  EXPECT_EQ("type.googleapis.com/temporal.api.update.v1.Acceptance", messages[0].body().type_url());
  EXPECT_EQ("u1", messages[0].protocol_instance_id());
  EXPECT_EQ("u1/request", acceptance.accepted_request_message_id());
  EXPECT_EQ(2, acceptance.accepted_request_sequencing_event_id());
  EXPECT_EQ("upd", acceptance.accepted_request().input().name());
}

struct Refusal {
  const char* name;
  const char* update;
  const char* input;
  Log messages;
};
void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }
class RefusedUpdate : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedUpdate, LeavesNothing) {
  HistoryBuilder history;
  history.turn();
  WorkflowRun run(kSumming, "default", "w", "run-1"), untouched(kSumming, "default", "w", "run-1");
  history.task();
  const auto messages = asked({"u1"}, 5, GetParam().input, GetParam().update);
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task, messages)));
  EXPECT_EQ(Log{}, take_commands(run));
  EXPECT_EQ(GetParam().messages, take_messages(run));
  ASSERT_EQ("", error_of(untouched.apply(history.history().events(), Delivery::Task)));
  EXPECT_EQ(untouched.random(), run.random()) << "chance included";
  run.rewind(3);  // B20: the service dropped the task, and uses its ids again
  history.completed();
  HistoryBuilder again;
  again.turn().signaled("add", "2").task();
  ASSERT_EQ("", error_of(run.apply(again.history().events(), Delivery::Task)));
  EXPECT_EQ(Log{}, take_commands(run));
}
INSTANTIATE_TEST_SUITE_P(
    B18, RefusedUpdate,
    testing::Values(Refusal{"ByItsValidator", "upd", "-1", {"u1/reject: not less than 0"}},
                    Refusal{
                        "ByAnExceptionOfIt", "upd", "throw", {"u1/reject: exception in update validator: on purpose"}},
                    Refusal{"Unknown", "nope", "1", {"u1/reject: unknown update nope; this workflow knows: upd"}}),
    [](const auto& test) { return test.param.name; });

/// B8, B15: a signal before the event an update names is seen by its handler, one after it is not.
TEST(RunUpdate, SignalsAndUpdatesInTheOrderOfHistory) {
  HistoryBuilder history;
  history.turn();                                     // 1 to 4
  history.signaled("add", "3").signaled("add", "5");  // 5, 6
  history.task();                                     // 7, 8
  WorkflowRun run(kSumming, "default", "w", "run-1");
  auto messages = asked({"first"}, 4, "1");
  *messages.Add() = asked({"between"}, 5, "1")[0];
  *messages.Add() = asked({"last"}, 7, "1")[0];
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task, messages)));
  EXPECT_EQ((Log{"first/accept", "first/complete 1", "between/accept", "between/complete 4", "last/accept",
                 "last/complete 21"}),
            take_messages(run));
}

Flow<Outcome<std::string>> fetch(WorkflowContext& context, std::string input) {
  ActivityOptions options;
  options.start_to_close = 10s;
  auto outcome = co_await context.activity("A", input, options);
  co_return outcome;
}
/// Waits for a signal, and for its handlers if asked to.
Flow<WorkflowEnd> fetching(WorkflowContext& context, std::string input) {
  bool stop = false;
  context.on_signal("stop", [&stop](std::string) { stop = true; });
  UpdateHandler handler;
  handler.run = [&context](std::string wanted) { return fetch(context, std::move(wanted)); };
  context.on_update("upd", handler);
  auto stopped = context.until([&] { return stop && (input != "\"patient\"" || context.updates_finished()); });
  co_await stopped;
  co_return std::string("\"end\"");
}
const WorkflowFunction kFetching = fetching;

TEST(RunUpdate, CompletedSeveralTasksLater) {
  HistoryBuilder history("\"patient\"");
  history.turn().task();  // to 6
  WorkflowRun run(kFetching, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task, asked({"u1"}, 5))));
  EXPECT_EQ((Log{"PROTOCOL_MESSAGE u1/accept", "SCHEDULE_ACTIVITY_TASK"}), take_commands(run));
  EXPECT_EQ((Log{"u1/accept"}), take_messages(run));
  EXPECT_FALSE(run.updates_finished());
  history.completed().update_accepted("u1", 5).activity_scheduled("1", "A");  // 7, 8, 9
  history.signaled("stop", "1").task();
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task)));
  EXPECT_EQ(Log{}, take_commands(run)) << "it waits for its handler";
  history.completed().activity_started(9).activity_completed(9, "\"r\"").task();
  for (const bool cached : {true, false}) {
    WorkflowRun fresh(kFetching, "default", "w", "run-1");
    WorkflowRun& used = cached ? run : fresh;
    ASSERT_EQ("", error_of(used.apply(history.history().events(), Delivery::Task)));
    EXPECT_EQ((Log{"PROTOCOL_MESSAGE u1/complete", "COMPLETE_WORKFLOW_EXECUTION"}), take_commands(used));
    EXPECT_EQ((Log{"u1/complete \"r\""}), take_messages(used));
    EXPECT_EQ(Log{}, used.unfinished_updates());
  }
  history.completed().update_completed("u1", "\"r\"").closed();
  EXPECT_TRUE(replay(history.history(), kFetching, nullptr).has_value());
}

TEST(RunUpdate, FailedHandler) {
  HistoryBuilder history;
  history.turn().task().completed().update_accepted("u1", 5).activity_scheduled("1", "A");
  history.activity_started(9).activity_failed(9, "E", "broken").task();
  WorkflowRun run(kFetching, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task)));
  EXPECT_EQ((Log{"u1/complete: broken"}), take_messages(run));
}

TEST(RunUpdate, HandlersTheBodyDoesNotWaitForAreUnfinished) {
  HistoryBuilder history;
  history.turn().task().completed().update_accepted("u1", 5).activity_scheduled("1", "A");
  history.signaled("stop", "1").task();
  WorkflowRun run(kFetching, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task)));
  EXPECT_TRUE(run.closed());
  EXPECT_EQ((Log{"u1"}), run.unfinished_updates());
}

TEST(RunUpdate, EvictedWhileAHandlerWaits) {
  HistoryBuilder history;
  history.turn().task();
  WorkflowRun run(kFetching, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task, asked({"u1"}, 5))));
}  // the sanitizers look at what is left

/// B19: after a reset the request is an event, and there is no message.
TEST(RunUpdate, AdmittedByAnEvent) {
  HistoryBuilder history;
  history.turn().update_admitted("u1", "7").task();  // 5, 6, 7
  WorkflowRun run(kSumming, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task)));
  EXPECT_EQ((Log{"u1/accept", "u1/complete 7"}), take_messages(run));
  history.completed().update_accepted("u1", 5, "", "").update_completed("u1", "7").closed();
  EXPECT_FALSE(replay(history.history(), kSumming, nullptr).has_value()) << "7 is no end";
  HistoryBuilder goes_on;
  goes_on.turn().update_admitted("u1", "7").turn();
  goes_on.update_accepted("u1", 5, "", "").update_completed("u1", "7").signaled("add", "20").task();
  WorkflowRun replayed(kSumming, "default", "w", "run-1");
  ASSERT_EQ("", error_of(replayed.apply(goes_on.history().events(), Delivery::Task)));
  EXPECT_EQ((Log{"COMPLETE_WORKFLOW_EXECUTION"}), take_commands(replayed));
}

TEST(RunUpdate, AdmittedByAnEventAndRejected) {
  HistoryBuilder history;
  history.turn().update_admitted("u1", "-1").turn().signaled("add", "2").task();
  WorkflowRun run(kSumming, "default", "w", "run-1");
  ASSERT_EQ("", error_of(run.apply(history.history().events(), Delivery::Task)));
  EXPECT_EQ(Log{}, take_messages(run)) << "a replay validates nothing";
}

struct Difference {
  const char* name;
  std::function<HistoryBuilder()> history;
  const char* expected;
  const char* got;
};
void PrintTo(const Difference& row, std::ostream* out) { *out << row.name; }
class UpdateDifference : public testing::TestWithParam<Difference> {};

TEST_P(UpdateDifference, NamesTheEvent) {
  const HistoryBuilder history = GetParam().history();
  ReplayDifference difference;
  const auto result = replay(history.history(), kSumming, &difference);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(Code::kNondeterministic, result.error().code);
  EXPECT_EQ(GetParam().expected, difference.expected);
  EXPECT_EQ(GetParam().got, difference.got);
}
INSTANTIATE_TEST_SUITE_P(
    B12, UpdateDifference,
    testing::Values(
        Difference{
            "NoSuchHandlerAnyMore",
            [] { return HistoryBuilder().turn().update_accepted("u1", 2, "1", "old").update_completed("u1", "1"); },
            "an accepted update u1 of name old", "no handler for it"},
        Difference{"CompletedLaterThan", [] { return HistoryBuilder().turn().update_accepted("u1", 2).turn(); },
                   "WorkflowTaskScheduled, so no further command in this workflow task", "outcome of update u1"},
        Difference{"OfAnother",
                   [] { return HistoryBuilder().turn().update_accepted("u1", 2).update_completed("u2", "1"); },
                   "WorkflowExecutionUpdateCompleted u2", "outcome of update u1"}),
    [](const auto& test) { return test.param.name; });

TEST(RunUpdate, MessageWithoutAPlaceIsFatal) {
  HistoryBuilder history;
  auto messages = asked({"u1"}, 2);
  messages.Mutable(0)->clear_event_id();
  WorkflowRun run(kSumming, "default", "w", "run-1");
  const auto result = run.apply(history.task().history().events(), Delivery::Task, messages);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(Code::kCorrupt, result.error().code);
}

}  // namespace
}  // namespace callimport::engine::worker
