// Imports under the quota ledger, whole, in virtual time: the limits' lower bounds (tests/bench/quota_bench.cc has the
// formula), waits that say which budget and until when, restarts, clocks that are set, many customers.
#include <algorithm>
#include <set>

#include "tests/simulations/customers.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using storage::Lane;
using testing::Contains;
using testing::HasSubstr;
using testing_support::Scene;

simulations::ImportWorldOptions grain_options(std::uint64_t calls) {
  auto options = Scene::options_for(calls);
  options.grain.requests_per_minute = 300;
  options.grain.generated.media_bytes = 500;
  options.grain.generated.transcript_only_percent = 0;
  return options;
}

Nanos since_start(Scene& scene, std::int64_t at_ms) {
  return from_unix_ms(at_ms) - from_unix_ms(scene.row().created_ms);
}

/// When transcripts of bulk's calls were asked for: once for a call, and again for each time that it was cut short.
std::vector<Timestamp> bulk_times(Scene& scene) {
  std::set<std::string> bulk;
  const auto rows = scene.world->library().manifest(scene.id, std::nullopt, "", "", 10'000);
  for (const auto& row : rows.value()) {
    if (row.lane == Lane::kBulk) bulk.insert("/recordings/" + row.source_id + "/transcript");
  }
  std::vector<Timestamp> times;
  for (const auto& entry : scene.world->http->log()) {
    const auto from = entry.path.find("/recordings/");
    if (from != std::string::npos && entry.status == 200 && bulk.contains(entry.path.substr(from))) {
      times.push_back(entry.at);
    }
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::int64_t most_within(const std::vector<Timestamp>& times, Nanos period) {
  std::int64_t most = 0;
  for (std::size_t from = 0, to = 0; to < times.size(); ++to) {
    while (times[from] + period <= times[to]) ++from;
    most = std::max(most, static_cast<std::int64_t>(to - from + 1));
  }
  return most;
}

TEST(Quota, TheFirstHundredAtGrainsLimitsTakeNoLongerThanTheyMust) {
  Scene scene(grain_options(400));
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  ASSERT_EQ(400, scene.row().counters.registered);
  // 2 + 5 + 300 requests need two windows of a minute; 2 + 20 + 1,200 need five.
  EXPECT_LE(since_start(scene, *scene.row().first_ready_ms), 60s * 105 / 100);
  EXPECT_LE(since_start(scene, *scene.row().closed_ms), 4min * 105 / 100 + 12s) << "the last window is used in part";
  for (const auto& entry : scene.world->http->log()) EXPECT_NE(429, entry.status);
  EXPECT_THAT(scene.conditions(Lane::kFirst), testing::ElementsAre("running", "completed")) << "and nobody heard of it";
}

TEST(Quota, BulkKeepsToTheInstallationsBudgetAndSaysSo) {
  auto options = grain_options(300);
  options.budgets.bulk_calls = 80;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h * 3)) << scene.status();
  ASSERT_EQ(300, scene.row().counters.registered);
  // 200 calls of bulk, 80 in any 12 hours: the last forty after twenty-four.
  EXPECT_GE(since_start(scene, *scene.row().closed_ms), 24h);
  EXPECT_LE(since_start(scene, *scene.row().closed_ms), 24h * 105 / 100);
  const auto times = bulk_times(scene);
  EXPECT_EQ(200u, times.size());
  EXPECT_EQ(80, most_within(times, 12h));
  EXPECT_LE(since_start(scene, *scene.row().first_ready_ms), 63s) << "first lanes never count as bulk";
  EXPECT_THAT(scene.conditions(Lane::kBulk), Contains("waiting budget.internal"));
  const auto& told = scene.world->told;
  const auto wait = std::find_if(told.begin(), told.end(),
                                 [](const auto& news) { return news.text.find("own limit") != std::string::npos; });
  ASSERT_NE(wait, told.end());
  EXPECT_THAT(wait->text, HasSubstr("80 calls in 12 hours for bulk"));
  EXPECT_THAT(wait->text, HasSubstr("until 2026-09-01T12:"));
  EXPECT_THAT(wait->next, HasSubstr("goes on by itself at 2026-09-01T12:"));
}

TEST(Quota, ARestartDoesNotResetABudget) {
  auto options = grain_options(300);
  options.budgets.bulk_calls = 80;
  Scene scene(options);
  scene.start();
  int restarts = 0;
  for (; restarts < 60 && scene.row().counters.registered < 160; ++restarts) {
    scene.world->run_until([] { return false; }, 11s);
    ASSERT_TRUE(scene.world->restart().has_value());
  }
  ASSERT_GE(restarts, 12);
  ASSERT_TRUE(scene.world->run_until_closed(24h * 4)) << scene.status();
  ASSERT_EQ(300, scene.row().counters.registered);
  const auto times = bulk_times(scene);
  EXPECT_GT(times.size(), 200u) << "calls were cut short, or this shows nothing";
  EXPECT_LE(most_within(times, 12h), 80);
  for (const auto& entry : scene.world->http->log()) EXPECT_NE(429, entry.status);
}

TEST(Quota, ADailyLimitIsWaitedForByItsName) {
  auto options = grain_options(60);
  options.budgets.platforms["grain"].own = {{storage::Operation::kAny, 100, 24h}};
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h * 4)) << scene.status();
  ASSERT_EQ(60, scene.row().counters.registered);
  EXPECT_THAT(scene.conditions(Lane::kFirst), Contains("waiting platform.daily_quota"));
  // 2 + 3 + 180 requests, and those of calls that a wait cut short: two days' worth.
  EXPECT_LE(since_start(scene, *scene.row().closed_ms), 24h * 2 * 105 / 100);
}

struct Set {
  const char* name;
  Nanos by;
};
void PrintTo(const Set& row, std::ostream* out) { *out << row.name; }
class ClockSet : public testing::TestWithParam<Set> {};

/// While the import waits for its budget and while it works.
TEST_P(ClockSet, TheImportGoesOnWithinThePeriod) {
  auto options = grain_options(160);
  options.budgets.bulk_calls = 40;
  Scene scene(options);
  scene.start();
  scene.world->run_until([] { return false; }, 75s);
  scene.world->loop.set_clock(scene.world->loop.now() + GetParam().by);
  const Timestamp then = scene.world->loop.now();
  ASSERT_TRUE(scene.world->run_until_closed(24h * 3)) << scene.status();
  EXPECT_EQ(160, scene.row().counters.registered);
  EXPECT_LE(scene.world->loop.now() - then, 12h * 105 / 100 + 2h) << "one budget's period, and the hour itself";
}
INSTANTIATE_TEST_SUITE_P(Table, ClockSet, testing::Values(Set{"BackAnHour", -1h}, Set{"ForwardAYear", 24h * 365}),
                         [](const auto& test) { return test.param.name; });

TEST(Quota, ImportsOfOneWorkspaceShareItsMinute) {
  Scene scene(grain_options(120));
  scene.start();
  auto other = scene.input;
  other.import = "imp_other";
  ASSERT_TRUE(scene.world->start(other).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  for (const auto& entry : scene.world->http->log()) EXPECT_NE(429, entry.status);
}

TEST(Quota, ManyCustomersHaveTheSame) {
  simulations::CustomersOptions options;
  options.customers = 60;
  options.bulk_calls = 300;
  const auto seen = simulations::run_customers(options);
  ASSERT_TRUE(seen.has_value()) << seen.error().message;
  EXPECT_GE(seen->jain_after_first_period, 0.95);
  EXPECT_EQ(0, seen->refused);
  options.calls_each = static_cast<std::uint64_t>(options.first_lane);
  const auto without_bulk = simulations::run_customers(options);
  ASSERT_TRUE(without_bulk.has_value()) << without_bulk.error().message;
  EXPECT_LE(seen->slowest_first_s, without_bulk->slowest_first_s * 1.05) << "no first lane waits behind bulk";
}

/// Two dozen imports, two places: bulk stands in line for longer than the watchdog waits, and a late first lane for
/// nothing.
TEST(Quota, MoreImportsThanPlacesKeepNoFirstLaneWaitingAndAlarmNobody) {
  simulations::CustomersOptions options;
  options.customers = 24;
  options.places = 2;
  options.calls_each = 150;
  options.bulk_calls = 100'000;
  options.late = 5min;
  const auto seen = simulations::run_customers(options);
  ASSERT_TRUE(seen.has_value()) << seen.error().message;
  EXPECT_EQ(0, seen->alarms);
  EXPECT_GT(seen->whole_s, 600) << "two at a time, or this shows nothing";
  options.customers = 1;
  options.late = 0s;
  const auto alone = simulations::run_customers(options);
  ASSERT_TRUE(alone.has_value()) << alone.error().message;
  EXPECT_LE(seen->late_first_s, alone->late_first_s * 1.05);
}

TEST(Quota, AThousandModelledCustomersHaveTheSame) {
  const auto seen = simulations::model_customers(1'000, 20, 5'000, 12h, 10);
  EXPECT_GE(seen.jain_least, 0.95);
  EXPECT_LE(seen.until_done, 36h * 105 / 100) << "20,000 calls at 5,000 in 12 hours";
}

}  // namespace
}  // namespace callimport::workflows
