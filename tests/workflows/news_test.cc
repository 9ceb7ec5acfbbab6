// What an import tells beside its changes of place: half way, access that ends, the end of what wanted a person,
// problems; and what is foretold of its end. Each once, with the change it belongs to, whatever fails in between.
#include <algorithm>
#include <map>

#include "storage/library/telling.h"
#include "storage/vault/oauth_bundle.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using nlohmann::json;
using storage::Notification;
using testing::Contains;
using testing_support::Scene;

/// As they were recorded, oldest first.
std::vector<Notification> records(Scene& scene, const std::string& event = "") {
  auto all = scene.world->library().notifications(scene.id, 1'000).value();
  std::reverse(all.begin(), all.end());
  if (!event.empty()) std::erase_if(all, [&](const Notification& one) { return one.event != event; });
  return all;
}

json facts_of(const Notification& record) { return json::parse(record.facts); }

bool come_up(simulations::ImportWorld& world) {
  for (int tries = 0; tries < 5; ++tries) {
    world.close();
    world.disk.kill();
    if (world.open()) return true;
  }
  return false;
}

/// Ux 5.2: "2,106 of 4,212 done".
TEST(News, HalfWayIsToldOnceBetweenTheFirstCallsAndTheEnd) {
  Scene scene(400);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto half = records(scene, "import.half_way");
  ASSERT_EQ(half.size(), 1u);
  EXPECT_EQ(facts_of(half[0])["found"], 400);
  EXPECT_GE(facts_of(half[0])["done"], 200);
  EXPECT_LT(facts_of(half[0])["done"], 400);
  EXPECT_EQ(half[0].weight, "routine");
  std::vector<std::string> order;
  for (const auto& one : records(scene)) {
    if (one.event == "import.first_ready" || one.event == "import.half_way" || one.event == "import.completed")
      order.push_back(one.event);
  }
  EXPECT_THAT(order, testing::ElementsAre("import.first_ready", "import.half_way", "import.completed"));
}

TEST(News, ASampleOfFewIsNotToldHalfWay) {
  Scene scene(20);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(records(scene, "import.half_way").size(), 0u) << "all of them come with one portion";
}

TEST(News, HalfWayIsToldOnceOverManyDeaths) {
  Scene scene(300);
  scene.input.settings.register_batch = 10;
  scene.start();
  for (int kill = 0; kill < 30; ++kill) {
    const auto before = scene.world->loop.steps();
    if (scene.world->run_until([&] { return scene.world->loop.steps() - before > 400; }, 1h)) {
      ASSERT_TRUE(scene.world->restart().has_value());
    }
  }
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(records(scene, "import.half_way").size(), 1u);
}

/// Causes that are worth telling as the library stands, and are not told.
std::vector<std::string> untold_problems(Scene& scene) {
  std::vector<std::string> missing;
  const auto row = scene.row();
  if (row.id.empty() || row.counters.failed == 0) return missing;
  const auto told = records(scene, "problem.new");
  const auto problems = scene.world->library().problems(scene.id).value();
  for (const auto& problem : problems) {
    const bool worth = problem.failed >= 10 || problem.failed * 100 >= row.counters.found;
    const bool is_told = std::any_of(told.begin(), told.end(),
                                     [&](const Notification& one) { return facts_of(one)["cause"] == problem.cause; });
    if (problem.failed > 0 && worth && !is_told) missing.push_back(problem.cause);
  }
  return missing;
}

/// A change of the disk fails, and the records stand where the counters stand at every step after it.
class Problems : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Problems, AreRecordedWithTheCountersTheyBelongTo) {
  auto options = Scene::options_for(40);
  options.grain.generated.broken_percent = 30;
  Scene scene(options);
  scene.start();
  scene.world->disk.fail_nth(simulations::kOpChanges, GetParam());
  std::vector<std::string> untold;
  const auto look = [&] {
    if (scene.world->up() && untold.empty()) untold = untold_problems(scene);
    return !untold.empty() || !scene.world->up() || scene.row().closed_ms.has_value();
  };
  for (int lives = 0; lives < 5; ++lives) {
    if (scene.world->run_until(look, 24h) && scene.world->up()) break;
    ASSERT_TRUE(come_up(*scene.world));
  }
  EXPECT_THAT(untold, testing::IsEmpty()) << "counted, and not told";
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  std::map<std::string, int> times;
  for (const auto& one : records(scene, "problem.new")) ++times[facts_of(one)["cause"].get<std::string>()];
  EXPECT_GT(times.size(), 0u);
  for (const auto& [cause, count] : times) EXPECT_EQ(count, 1) << cause;
}
INSTANTIATE_TEST_SUITE_P(Points, Problems, testing::Range<std::uint64_t>(60, 360, 25));

std::string seal_ending(Scene& scene, Nanos life) {
  storage::OAuthBundle bundle;
  bundle.access = storage::Secret(std::string(simulations::kGrainSandboxToken));
  bundle.client_id = "callimport";
  bundle.token_endpoint = "https://grain.test/token";
  bundle.expires_ms = to_unix_ms(scene.world->loop.now() + life);
  return scene.world->vault().add("grain", "acme", "oauth", storage::write_bundle(bundle), 1).value().str();
}

/// Ux 5.2: "Access ends Friday 12:00, before the expected finish."
TEST(News, AccessThatEndsIsWarnedOfAWeekAndADayBefore) {
  Scene scene(60);
  scene.input.credential = seal_ending(scene, 24h * 10);
  scene.start();
  const auto fetches = [&] { return scene.row().first.stage == "fetch"; };
  ASSERT_TRUE(scene.world->run_until(fetches, 1h)) << scene.status();
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", R"({"who":"Ana","why":"a demo"})").has_value());
  const auto warned = [&] { return records(scene, "access.ends_soon").size(); };
  scene.world->loop.run_for(24h * 2);
  EXPECT_EQ(warned(), 0u) << "more than a week is left";
  scene.world->loop.run_for(24h * 2);
  EXPECT_EQ(warned(), 1u) << "a week before";
  ASSERT_TRUE(scene.world->restart().has_value());
  scene.world->loop.run_for(24h * 2);
  EXPECT_EQ(warned(), 1u) << "once";
  scene.world->loop.run_for(24h * 3 + 12h);
  ASSERT_EQ(warned(), 2u) << "a day before";
  EXPECT_EQ(facts_of(records(scene, "access.ends_soon").back())["credential"], scene.input.credential);
}

TEST(News, AccessThatIsRenewedByItselfEndsForNobody) {
  Scene scene(60);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(records(scene, "access.ends_soon").size(), 0u);
}

/// What was foretold at the start, and what is expected once the calls are counted.
TEST(News, TheBeginningAndTheCountSayWhenItWillBeDone) {
  Scene scene(400);
  scene.input.predicted = {
      .calls = 400, .duration_from_ms = 3'600'000, .duration_to_ms = 7'200'000, .cause = "the platform"};
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto started = records(scene, "import.started").at(0);
  const auto begun = facts_of(started);
  EXPECT_EQ(begun["calls"], 400);
  EXPECT_EQ(begun["least_s"], 3'600);
  EXPECT_EQ(begun["most_s"], 7'200);
  EXPECT_EQ(begun["first_by_ms"], started.at_ms + 15'000 + 1'800'000) << "a hundred of four hundred calls";
  const auto counted = records(scene, "import.counted");
  ASSERT_FALSE(counted.empty());
  const auto facts = facts_of(counted.back());
  EXPECT_GT(facts["finish_ms"].get<std::int64_t>(), counted.back().at_ms);
  EXPECT_LE(facts["least_s"], facts["most_s"]);
  const auto end = facts_of(records(scene, "import.completed").at(0));
  EXPECT_EQ(end["most_s"], 7'200) << "what it took stands beside what was foretold";
}

TEST(News, WhatCannotComeAcrossIsSaidWithTheCount) {
  Scene scene(30);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  std::optional<storage::ManifestSums> sums;
  ASSERT_TRUE(scene.world->library()
                  .look_at_telling([&](storage::TellingReads& telling) -> Result<> {
                    TRY(sums, telling.manifest_sums(scene.id));
                    return {};
                  })
                  .has_value());
  EXPECT_EQ(sums->calls, 30);
  EXPECT_LE(sums->with_length, 30);
  EXPECT_EQ(sums->problems.size(), 0u);
  EXPECT_FALSE(facts_of(records(scene, "import.counted").back()).contains("no_way"));
}

}  // namespace
}  // namespace callimport::workflows
