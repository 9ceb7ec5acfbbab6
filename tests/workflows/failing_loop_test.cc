// The n-th change of the disk, or the n-th HTTP call, fails once; for n = 1, 2, 3 ... until a run passes clean. Nothing
// that was acknowledged is lost, no call is doubled, and the import ends as if nothing had been. CALLIMPORT_POINTS: how
// many points, spread evenly, 300 by default; full: every one. CALLIMPORT_POINT: this one only.
#include <gtest/gtest.h>

#include <set>

#include "tests/workflows/import_support.h"
#include "tests/workflows/sweep.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using simulations::ImportWorld;
using testing_support::number_from;
using testing_support::Scene;

constexpr int kCalls = 5;
constexpr int kStartsMax = 5;

/// Where the fault strikes: a change of the disk, or an HTTP call.
struct Point {
  std::uint64_t disk = 0, http = 0;
};

/// What a run cost, for spreading the points.
struct Costs {
  std::uint64_t disk = 0, http = 0;
};

/// As a supervisor does: what does not come up is started again.
bool bring_up(ImportWorld& world) {
  for (int tries = 0; tries < kStartsMax; ++tries) {
    world.close();
    world.disk.kill();
    if (world.open()) return true;
  }
  return false;
}

/// What a person does whose command was refused: gives it again, a little later.
template <class Act>
bool insist(ImportWorld& world, Act act) {
  for (int tries = 0; tries < kStartsMax; ++tries) {
    if (act()) return true;
    if (!world.up() && !bring_up(world)) return false;
    world.run_until([] { return false; }, 1s);
  }
  return false;
}

void run_with_fault(const Point& point, Costs* costs) {
  auto made = ImportWorld::make(Scene::options_for(kCalls));
  ASSERT_TRUE(made.has_value());
  ImportWorld& world = **made;
  if (point.disk != 0) world.disk.fail_nth(simulations::kOpChanges, point.disk);
  if (point.http != 0) {
    world.http->set_fault([n = point.http](std::uint64_t number) -> std::optional<Error> {
      if (number != n) return std::nullopt;
      return Error{Code::kUnavailable, "no answer: reset"};
    });
  }
  ASSERT_TRUE(bring_up(world));
  std::string credential;
  ASSERT_TRUE(insist(world, [&] {
    credential = world.add_credential();
    return !credential.empty();
  }));
  auto input = world.ask(credential);
  input.settings.first_lane = 3;
  input.settings.fetch_batch = 2;
  input.settings.register_batch = 2;
  std::string run;
  ASSERT_TRUE(insist(world, [&] {
    const auto started = world.start(input);
    if (started) run = *started;
    return started.has_value() || started.error().code == Code::kConflict;
  }));
  // A service that stopped over its disk's failure is started again by its supervisor.
  for (int tries = 0; tries < kStartsMax && !world.run_until_closed(3h); ++tries) ASSERT_TRUE(bring_up(world));
  ASSERT_TRUE(world.run_until_closed(1h)) << world.status(input.import).value_or("no status");
  const auto row = world.library().import(input.import);
  ASSERT_TRUE(row.has_value()) << row.error().message;
  EXPECT_EQ(row->counters.registered, kCalls) << row->report;
  EXPECT_EQ(row->counters.found, kCalls);
  EXPECT_TRUE(row->closed_ms.has_value());
  EXPECT_THAT(broken_promises(world, input.import), testing::IsEmpty());
  for (const auto& history : world.histories(input.import, run))
    EXPECT_THAT(engine::broken_rules(history), testing::IsEmpty());
  if (costs != nullptr) *costs = {world.disk.count(simulations::kOpChanges), world.http->requests()};
}

/// 1 .. last, evenly, at most `points` of them (0: all); then beyond the last, where nothing fails.
std::set<std::uint64_t> spread(std::uint64_t last, std::uint64_t points) {
  std::set<std::uint64_t> at;
  if (points == 0 || points > last) points = last;
  for (std::uint64_t i = 0; i < points; ++i) at.insert(1 + i * last / points);
  at.insert(last);
  return at;
}

TEST(FailingLoop, ACleanRunIsClean) {
  Costs costs;
  run_with_fault({}, &costs);
  EXPECT_GT(costs.disk, 100u);
  EXPECT_GT(costs.http, 15u);
}

TEST(FailingLoop, AnyChangeOfTheDiskMayFail) {
  Costs costs;
  run_with_fault({}, &costs);
  for (const std::uint64_t n : spread(costs.disk, number_from("CALLIMPORT_POINTS", 300))) {
    if (number_from("CALLIMPORT_POINT", n) != n) continue;
    SCOPED_TRACE("change of the disk " + std::to_string(n) + " of " + std::to_string(costs.disk));
    run_with_fault({.disk = n}, nullptr);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(FailingLoop, AnyHttpCallMayFail) {
  Costs costs;
  run_with_fault({}, &costs);
  for (std::uint64_t n = 1; n <= costs.http; ++n) {
    SCOPED_TRACE("HTTP call " + std::to_string(n) + " of " + std::to_string(costs.http));
    run_with_fault({.http = n}, nullptr);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace callimport::workflows
