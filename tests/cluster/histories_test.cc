// The same import on the real server and on ours: what both wrote down is the same. The order of activities is the
// gate's: how much a step finds to do depends on what ran before it, and so do the commands after it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>

#include <nlohmann/json.hpp>

#include "engine/history/history_rules.h"
#include "tests/cluster/dev_server.h"
#include "tests/cluster/gated_import.h"

namespace callimport::tests {
namespace {

class SameHistory : public testing::Test {
 protected:
  /// The same import on both.
  void import(std::uint64_t calls, const activities::ImportSettings& settings) {
    DevServer server(scratch_);
    ASSERT_TRUE(server.start()) << server.words();
    real = gated_import(server.address(), calls, settings);
    Command command;
    command.args = {"serve", "--port", "0", "--data", scratch_ / "ours", "--quiet", "--log-level", "off"};
    command.ready = true;
    Process serve(callimport_binary(), std::move(command), scratch_);
    const auto ready = nlohmann::json::parse(serve.wait_ready(), nullptr, false);
    ASSERT_TRUE(ready.is_object()) << serve.err();
    ours = gated_import(ready["grpc"], calls, settings);
    ASSERT_FALSE(real.empty());
    ASSERT_EQ(real.size(), ours.size());
    for (const auto& run : real) EXPECT_THAT(engine::broken_rules(run), testing::IsEmpty());
  }

  static void expect_same(const std::vector<std::string>& theirs, const std::vector<std::string>& here) {
    for (std::size_t i = 0; i < std::min(theirs.size(), here.size()); ++i)
      ASSERT_EQ(theirs[i], here[i]) << "line " << i;
    EXPECT_EQ(theirs.size(), here.size());
  }

  std::vector<History> real, ours;

 private:
  Scratch scratch_;
};

TEST_F(SameHistory, EventByEventOneCallAtATime) {
  NEEDS_TEMPORAL();
  activities::ImportSettings settings;
  settings.first_lane = 4;
  settings.fetch_batch = 3;
  settings.fetch_at_once = 1;
  import(12, settings);
  if (HasFatalFailure()) return;
  EXPECT_GT(real[0].events_size(), 50);
  for (std::size_t run = 0; run < real.size(); ++run) expect_same(scrubbed(real[run]), scrubbed(ours[run]));
}

/// Calls within a step come as they come; workflow tasks may be cut otherwise.
TEST_F(SameHistory, CommandsAndOutcomesOfAThousandCalls) {
  NEEDS_TEMPORAL();
  import(1000, {});
  if (HasFatalFailure()) return;
  for (std::size_t run = 0; run < real.size(); ++run) expect_same(canonical(real[run]), canonical(ours[run]));
}

}  // namespace
}  // namespace callimport::tests
