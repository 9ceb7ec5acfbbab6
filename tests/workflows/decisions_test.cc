// The import's decisions as functions: what is told, when an outage becomes a pause, what crosses to the next run.
#include "workflows/import/decisions.h"

#include <gtest/gtest.h>

#include <string>

namespace callimport::workflows {
namespace {

using activities::ImportSettings;
using activities::TroubleNote;

constexpr std::int64_t kNow = 1'700'000'000'000;

struct ToldRow {
  const char* name;
  Condition before;
  const char* reason_before;
  Event event;
  const char* reason;
  const char* told;
};
void PrintTo(const ToldRow& row, std::ostream* out) { *out << row.name; }
class Told : public testing::TestWithParam<ToldRow> {};

TEST_P(Told, OnceForEachNews) {
  const auto& row = GetParam();
  ImportState state;
  state.bulk.place = {Stage::kFetch, row.before};
  state.bulk.now.reason = row.reason_before;
  Circumstance circumstance;
  circumstance.reason = row.reason;
  const auto change = apply(state, LaneName::kBulk, row.event, circumstance, kNow);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->told, row.told);
  EXPECT_EQ(change->lane, "bulk");
  EXPECT_EQ(change->reason, row.reason);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Told,
    testing::Values(
        ToldRow{"AWaitBegins", Condition::kRunning, "", Event::kWaitBegan, "platform.outage", "condition.changed"},
        ToldRow{"TheSameWaitGoesOn", Condition::kWaiting, "platform.outage", Event::kWaitBegan, "platform.outage", ""},
        ToldRow{"AWaitForAnotherReason", Condition::kWaiting, "platform.outage", Event::kWaitBegan,
                "platform.rate_limited", "condition.changed"},
        ToldRow{"TheOutageLasts", Condition::kWaiting, "platform.outage", Event::kOutageLasted, "platform.outage",
                "condition.changed"},
        ToldRow{"TheOutageStillLasts", Condition::kPaused, "platform.outage", Event::kOutageLasted, "platform.outage",
                ""},
        ToldRow{"AttentionIsNeeded", Condition::kRunning, "", Event::kAttentionNeeded, "access.expired",
                "condition.changed"},
        ToldRow{"WorkPasses", Condition::kWaiting, "platform.outage", Event::kWorkPassed, "", "condition.changed"},
        ToldRow{"TheDiskIsFull", Condition::kRunning, "", Event::kWaitBegan, "store.full", "condition.changed"},
        ToldRow{"TheDiskIsStillFull", Condition::kWaiting, "store.full", Event::kWaitBegan, "store.full", ""},
        ToldRow{"AllIsFetched", Condition::kRunning, "", Event::kAllFetched, "", "stage.changed"}),
    [](const auto& test) { return test.param.name; });

TEST(Apply, RefusesWhatTheTableRefusesAndChangesNothing) {
  ImportState state;
  EXPECT_FALSE(apply(state, LaneName::kFirst, Event::kAllRegistered, {}, kNow).has_value());
  EXPECT_EQ(state.first.place, (Place{Stage::kAuthenticate, Condition::kRunning}));
}

TEST(Apply, FirstLaneRegisteredIsFirstReady) {
  ImportState state;
  state.first.place = {Stage::kRegister, Condition::kRunning};
  EXPECT_EQ(apply(state, LaneName::kFirst, Event::kAllRegistered, {}, kNow)->told, "first.ready");
}

struct WaitRow {
  const char* name;
  Condition condition;
  const char* cause;
  std::int64_t since_ms_ago;
  Event event;
};
void PrintTo(const WaitRow& row, std::ostream* out) { *out << row.name; }
class Waits : public testing::TestWithParam<WaitRow> {};

TEST_P(Waits, BecomeAPauseOnlyWhenAnOutageLasts) {
  const auto& row = GetParam();
  ImportSettings settings;
  LaneState lane;
  lane.place = {Stage::kFetch, row.condition};
  lane.now.reason = row.cause;
  lane.trouble_since_ms = kNow - row.since_ms_ago;
  TroubleNote trouble{"wait", row.cause, "no answer", "", kNow + 300'000};
  const auto decision = decide_wait(lane, trouble, settings, kNow);
  EXPECT_EQ(decision.event, row.event);
  const std::int64_t until = row.event == Event::kOutageLasted ? kNow + settings.outage_probe_ms : kNow + 300'000;
  EXPECT_EQ(decision.circumstance.until_ms, until);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Waits,
    testing::Values(WaitRow{"FreshOutage", Condition::kWaiting, "platform.outage", 60'000, Event::kWaitBegan},
                    WaitRow{"JustBelowTheLimit", Condition::kWaiting, "platform.outage", 3'599'999, Event::kWaitBegan},
                    WaitRow{"AtTheLimit", Condition::kWaiting, "platform.outage", 3'600'000, Event::kOutageLasted},
                    WaitRow{"PausedGoesOn", Condition::kPaused, "platform.outage", 7'200'000, Event::kOutageLasted},
                    WaitRow{"AQuotaIsNoOutage", Condition::kWaiting, "platform.daily_quota", 9'000'000,
                            Event::kWaitBegan}),
    [](const auto& test) { return test.param.name; });

TEST(DecideWait, AFullDiskStaysAWaitAndIsLookedAtSeldomOnceItLasts) {
  const ImportSettings settings;
  TroubleNote trouble{"wait", "store.full", "the disk is full", "", kNow + 30'000};
  LaneState lane;
  lane.place = {Stage::kFetch, Condition::kWaiting};
  lane.now.reason = "store.full";
  lane.trouble_since_ms = kNow - 3'599'999;
  EXPECT_EQ(decide_wait(lane, trouble, settings, kNow).event, Event::kWaitBegan);
  EXPECT_EQ(decide_wait(lane, trouble, settings, kNow).circumstance.until_ms, kNow + 30'000);
  lane.trouble_since_ms = kNow - 3'600'000;
  EXPECT_EQ(decide_wait(lane, trouble, settings, kNow).event, Event::kWaitBegan);
  EXPECT_EQ(decide_wait(lane, trouble, settings, kNow).circumstance.until_ms, kNow + settings.outage_probe_ms);
}

TEST(DecideWait, NeverEndsInThePast) {
  TroubleNote trouble{"wait", "platform.rate_limited", "", "", kNow - 5};
  EXPECT_EQ(decide_wait(LaneState{}, trouble, ImportSettings{}, kNow).circumstance.until_ms, kNow + 1'000);
}

TEST(Recovers, OnlyByTheStepThatMetTheTrouble) {
  LaneState lane;
  lane.place = {Stage::kFetch, Condition::kWaiting};
  lane.trouble_step = "import.fetch";
  EXPECT_FALSE(recovers(lane, "import.register"));
  EXPECT_TRUE(recovers(lane, "import.fetch"));
  lane.place.condition = Condition::kPaused;
  EXPECT_TRUE(recovers(lane, "import.fetch")) << "it paused itself";
  lane.by_person = true;
  EXPECT_FALSE(recovers(lane, "import.fetch")) << "a person's pause ends by a person";
  lane.place.condition = Condition::kRunning;
  EXPECT_FALSE(recovers(lane, "import.fetch"));
}

TEST(ImportStateJson, ComesBackAsItWas) {
  ImportState state;
  state.first = {
      {Stage::kNotify, Condition::kCompletedWithGaps}, {"a", "b", "c", 4}, 5, "import.fetch", false, true, 6};
  state.bulk = {{Stage::kFetch, Condition::kPaused}, {"", "Ana", "demo", 0}, 0, "", true, false, 0};
  state.pause = {true, "Ana", "demo", 7};
  state.counters = {10, 4, 1, 1, 2, 2, 99};
  state.opened = state.enumerated = state.newest_first = state.bulk_ordered = true;
  state.known = 10;
  state.lane_bulk = 3;
  state.runs = 8;
  state.previous_run = "run";
  const auto back = read_state(write_state(state));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(write_state(*back), write_state(state));
}

TEST(ImportStateJson, OfAnOlderVersionKnowsNothingOfWhatPeopleAsked) {
  ImportState state;
  state.approval = {true, "ben", "seen"};
  state.gaps_mended = state.bulk.again = state.first.ready_told = true;
  auto json = write_state(state);
  ASSERT_TRUE(read_state(json)->approval.given);
  EXPECT_EQ(write_state(*read_state(json)), json);
  json.erase("approval");
  json.erase("gaps_mended");
  for (const char* lane : {"first", "bulk"}) {
    json[lane].erase("again");
    json[lane].erase("ready_told");
  }
  const auto older = read_state(json);
  ASSERT_TRUE(older.has_value()) << older.error().message;
  EXPECT_FALSE(older->approval.given || older->gaps_mended || older->bulk.again || older->first.ready_told);
}

TEST(ResultOf, AnImportWhoseGapsWereTriedAgainAndCameIsWhole) {
  ImportState state;
  state.first.place = {Stage::kNotify, Condition::kCompletedWithGaps};
  state.bulk.place = {Stage::kNotify, Condition::kCompleted};
  EXPECT_EQ(result_of(state), Condition::kCompletedWithGaps);
  state.gaps_mended = true;
  EXPECT_EQ(result_of(state), Condition::kCompleted);
  state.counters.failed = 1;
  EXPECT_EQ(result_of(state), Condition::kCompletedWithGaps);
  state.bulk.place.condition = Condition::kCancelled;
  EXPECT_EQ(result_of(state), Condition::kCancelled);
}

TEST(ImportStateJson, NullIsANewImport) {
  const auto state = read_state(nullptr);
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->opened);
}

TEST(ImportStateJson, RefusesWhatIsNone) {
  EXPECT_FALSE(read_state(nlohmann::json{{"first", 1}}).has_value());
  EXPECT_FALSE(read_state(nlohmann::json::array()).has_value());
}

}  // namespace
}  // namespace callimport::workflows
