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

constexpr const char* kFreshToken = "grain_pat_renewed0_RenewedRenewedRenewedRenewedRenewed0000";

/// An import with everything an operator meets: a window to wait for, access that expires, a pause, a resume, and a
/// wait that is cut short. Looks now and then, and does what is to be done; each thing once.
class Operator {
 public:
  Operator(ImportWorld& world, std::string import, std::string credential)
      : world_(world), import_(std::move(import)), credential_(std::move(credential)) {}
  static simulations::ImportWorldOptions world_options() {
    auto options = Scene::options_for(kCalls);
    options.grain.expire_after = 12;
    return options;
  }
  static void wish(activities::ImportInput& input) {
    input.window = "daily 02:00-03:00; daily 14:00-15:00";
    input.zone = "UTC";
  }
  /// Of the import as the library has it now.
  void look() {
    const auto row = world_.library().import(import_);
    if (!row || row->closed_ms) return;
    const std::string& bulk = row->bulk.condition;
    const bool shut = bulk == "waiting" && row->bulk.reason == "window.closed";
    if (bulk == "needs_attention" || row->first.condition == "needs_attention") {
      world_.sandbox->accept(kFreshToken);
      done("renewed", world_.renew(import_, credential_, kFreshToken).has_value());
    } else if (shut && !did_.contains("pause")) {
      done("pause", world_.signal(import_, "pause", R"({"who":"Ana","why":"a call at three"})").has_value());
    } else if (bulk == "paused" && row->bulk.who == "Ana") {
      done("resume", world_.signal(import_, "resume", R"({"who":"Ana"})").has_value());
    } else if (shut && did_.contains("resume") && !did_.contains("retry-now")) {
      done("retry-now", world_.signal(import_, "retry-now", "").has_value());
    }
  }
  const std::set<std::string>& did() const { return did_; }

 private:
  void done(const std::string& what, bool accepted) {
    if (accepted) did_.insert(what);
  }
  ImportWorld& world_;
  std::string import_, credential_;
  std::set<std::string> did_;
};

/// Until the import has closed; false when it has not after days.
bool operate(ImportWorld& world, Operator& person) {
  constexpr int kLooksMax = 6 * 24 * 4;
  for (int looks = 0; looks < kLooksMax; ++looks) {
    if (world.up() && world.run_until_closed(10min)) return true;
    if (!world.up() && !bring_up(world)) return false;
    person.look();
  }
  return false;
}

enum class Story : std::uint8_t { kPlain, kOperated };

void run_with_fault(const Point& point, Story story, Costs* costs) {
  auto made = ImportWorld::make(story == Story::kPlain ? Scene::options_for(kCalls) : Operator::world_options());
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
  if (story == Story::kOperated) Operator::wish(input);
  std::string run;
  ASSERT_TRUE(insist(world, [&] {
    const auto started = world.start(input);
    if (started) run = *started;
    return started.has_value() || started.error().code == Code::kConflict;
  }));
  if (story == Story::kOperated) {
    Operator person(world, input.import, credential);
    ASSERT_TRUE(operate(world, person)) << world.status(input.import).value_or("no status");
    EXPECT_EQ(person.did(), (std::set<std::string>{"pause", "renewed", "resume", "retry-now"}));
  }
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

class FailingLoop : public testing::TestWithParam<Story> {};
INSTANTIATE_TEST_SUITE_P(Stories, FailingLoop, testing::Values(Story::kPlain, Story::kOperated),
                         [](const auto& test) { return test.param == Story::kPlain ? "Plain" : "Operated"; });

TEST_P(FailingLoop, ACleanRunIsClean) {
  Costs costs;
  run_with_fault({}, GetParam(), &costs);
  EXPECT_GT(costs.disk, 100u);
  EXPECT_GT(costs.http, 15u);
}

TEST_P(FailingLoop, AnyChangeOfTheDiskMayFail) {
  Costs costs;
  run_with_fault({}, GetParam(), &costs);
  for (const std::uint64_t n : spread(costs.disk, number_from("CALLIMPORT_POINTS", 300))) {
    if (number_from("CALLIMPORT_POINT", n) != n) continue;
    SCOPED_TRACE("change of the disk " + std::to_string(n) + " of " + std::to_string(costs.disk));
    run_with_fault({.disk = n}, GetParam(), nullptr);
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(FailingLoop, AnyHttpCallMayFail) {
  Costs costs;
  run_with_fault({}, GetParam(), &costs);
  for (std::uint64_t n = 1; n <= costs.http; ++n) {
    SCOPED_TRACE("HTTP call " + std::to_string(n) + " of " + std::to_string(costs.http));
    run_with_fault({.http = n}, GetParam(), nullptr);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace callimport::workflows
