// The kitchen sink on the real server and on ours, with our worker: the same events, and each replays.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>

#include <nlohmann/json.hpp>

#include "engine/history/history_rules.h"
#include "engine/worker.h"
#include "tests/cluster/dev_server.h"
#include "tests/cluster/kitchen_driver.h"
#include "tests/cluster/kitchen_workflow.h"

namespace callimport::tests {
namespace {

KitchenHistories on_ours(const Scratch& scratch) {
  Command command;
  command.args = {"serve", "--port", "0", "--data", scratch / "ours", "--quiet", "--log-level", "off"};
  command.ready = true;
  Process serve(callimport_binary(), std::move(command), scratch);
  const auto ready = nlohmann::json::parse(serve.wait_ready(), nullptr, false);
  EXPECT_TRUE(ready.is_object()) << serve.err();
  if (!ready.is_object()) return {};
  return drive_kitchen(ready["grpc"]);
}

KitchenHistories on_the_real(const Scratch& scratch) {
  DevServer server(scratch);
  EXPECT_TRUE(server.start()) << server.words();
  if (testing::Test::HasFailure()) return {};
  return drive_kitchen(server.address());
}

/// B1 to B26, as far as a history shows them.
void expect_sound(const KitchenHistories& histories) {
  for (const auto& [id, runs] : histories.runs) {
    const engine::WorkflowFunction function = id == "kitchen-sink" ? kitchen_sink : kitchen_child;
    for (const auto& run : runs) {
      EXPECT_THAT(engine::broken_rules(run), testing::IsEmpty()) << id;
      const auto replayed = engine::replay(run, function, nullptr);
      EXPECT_TRUE(replayed.has_value()) << id << ": " << replayed.error().message;
    }
  }
}

constexpr const char* kTold =
    R"(["side effect \"dice\"","patch new","once \"once\"","flaky \"done\"","broken Broken","held try cancelled",)"
    R"("held wait cancelled","held abandon cancelled","never cancelled","quick \"quick\"","moody \"well\"",)"
    R"("sleepy \"awake\"","timer done","hour cancelled","in vain false","open true","child done \"done\"",)"
    R"("child try cancelled","child wait cancelled","child requested cancelled","child abandon cancelled",)"
    R"("child done WorkflowAlreadyExists","signal kitchen-sink-target done",)"
    R"("signal kitchen-sink-nobody WorkflowNotFound","cancel kitchen-sink-target done",)"
    R"("cancel kitchen-sink-nobody WorkflowNotFound"])";

TEST(KitchenSink, RunsOnOursAndReplays) {
  Scratch scratch;
  const auto ours = on_ours(scratch);
  EXPECT_EQ(kTold, ours.told);
  expect_sound(ours);
  if (HasFailure()) return;
  const auto& first = ours.runs.at("kitchen-sink").front();
  EXPECT_GT(first.events_size(), 300);
  const auto other = engine::replay(first, kitchen_child, nullptr);
  ASSERT_FALSE(other.has_value()) << "another workflow's code";
  EXPECT_THAT(other.error().message, testing::HasSubstr("at event 5: the history has MarkerRecorded"));
}

TEST(KitchenSink, WritesTheSameEventsOnTheRealServer) {
  NEEDS_TEMPORAL();
  Scratch scratch;
  const auto real = on_the_real(scratch), ours = on_ours(scratch);
  if (HasFailure()) return;
  EXPECT_EQ(kTold, real.told);
  EXPECT_EQ(kTold, ours.told);
  expect_sound(real);
  expect_sound(ours);
  ASSERT_EQ(real.runs.size(), ours.runs.size());
  for (const auto& [id, runs] : real.runs) {
    const auto& here = ours.runs.at(id);
    ASSERT_EQ(runs.size(), here.size()) << id;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const auto theirs = scrubbed(runs[run]), lines = scrubbed(here[run]);
      for (std::size_t i = 0; i < std::min(theirs.size(), lines.size()); ++i) EXPECT_EQ(theirs[i], lines[i]) << id;
      EXPECT_EQ(theirs.size(), lines.size()) << id;
    }
  }
}

}  // namespace
}  // namespace callimport::tests
