// How long a running import may still take, and how that is said (ux X-09, TW-01).
#include "activities/estimate/pace.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "api/cli/text.h"

namespace callimport::activities {
namespace {

constexpr std::int64_t kNoon = 1'767'268'800'000;  // 2026-01-01T12:00:00Z
constexpr std::int64_t kHour = 3'600'000;

/// `done` calls within `active_ms`, the last look.
Standing standing(std::int64_t done, std::int64_t pending, std::int64_t active_ms) {
  Standing made;
  made.now_ms = kNoon + active_ms;
  made.done = done;
  made.pending = pending;
  made.active_ms = active_ms;
  made.budget.calls = 0;
  return made;
}

TEST(Pace, SaysNothingBeforeThirtyCallsOrTwoMinutes) {
  EXPECT_FALSE(Pace().look(standing(0, 100, 0)).to_ms);
  EXPECT_FALSE(Pace().look(standing(29, 100, 60'000)).to_ms);
  EXPECT_TRUE(Pace().look(standing(30, 100, 60'000)).to_ms);
  EXPECT_TRUE(Pace().look(standing(3, 100, 120'000)).to_ms);
}

TEST(Pace, IsARangeAroundWhatTheTimeSoFarGives) {
  Pace pace;
  const auto left = pace.look(standing(600, 6'000, 60'000));  // ten minutes at this pace
  EXPECT_DOUBLE_EQ(left.calls_per_minute, 600);
  EXPECT_EQ(left.from_ms, kNoon + 60'000 + 480'000);
  EXPECT_EQ(left.to_ms, kNoon + 60'000 + 780'000);
  EXPECT_EQ(left.cause, "the pace so far");
}

TEST(Pace, TheLastMinuteCountsMoreThanTheWhole) {
  Pace pace;
  pace.look(standing(600, 6'000, 600'000));
  EXPECT_DOUBLE_EQ(pace.look(standing(1'200, 5'400, 660'000)).calls_per_minute, 600) << "60 a minute before";
}

TEST(Pace, MovesOnlyWithTheReckoning) {
  Pace pace;
  const auto first = pace.look(standing(600, 6'000, 60'000));
  EXPECT_EQ(pace.look(standing(611, 5'989, 61'000)).to_ms, first.to_ms);
  EXPECT_GT(pace.look(standing(620, 12'000, 62'000)).to_ms, first.to_ms) << "twice as much was found";
}

TEST(Pace, AWaitWithAnEndIsAddedAndNamed) {
  Pace pace;
  auto waiting = standing(600, 600, 60'000);
  waiting.waits_for = "platform.rate_limited";
  waiting.until_ms = kNoon + 10 * 60'000;
  const auto left = pace.look(waiting);
  EXPECT_EQ(left.from_ms, kNoon + 10 * 60'000 + 48'000);
  EXPECT_EQ(left.cause, "waiting: platform.rate_limited");
  EXPECT_EQ(left.calls_per_minute, 0);
}

TEST(Pace, AWaitForAPersonHasNoEndAndWhatWasForetoldIsForgotten) {
  Pace pace;
  ASSERT_TRUE(pace.look(standing(600, 600, 60'000)).to_ms);
  auto waiting = standing(600, 600, 61'000);
  waiting.waits_for = "access.expired";
  waiting.person = true;
  const auto left = pace.look(waiting);
  EXPECT_FALSE(left.from_ms);
  EXPECT_FALSE(left.to_ms);
  EXPECT_EQ(left.cause, "it waits for a person (access.expired)");
  EXPECT_FALSE(pace.said().to_ms);
  EXPECT_TRUE(pace.look(standing(610, 590, 62'000)).to_ms) << "they acted";
}

TEST(Pace, WhileCallsAreCountedThatIsTheCause) {
  Pace pace;
  auto counting = standing(600, 600, 60'000);
  counting.counting = true;
  const auto left = pace.look(counting);
  EXPECT_TRUE(left.to_ms);
  EXPECT_EQ(left.cause, "the calls are still being counted");
  EXPECT_EQ(left.calls_per_minute, 0);
}

/// ID-03: what will hold a working import up; minutes from noon, 600 calls a minute.
struct Ahead {
  const char* name;
  const char* window;
  std::int64_t pending, budget;
  std::int64_t at_minutes, goes_on_minutes;  ///< at < 0: nothing will; goes_on < 0: nobody can say
  const char* cause;
};
void PrintTo(const Ahead& row, std::ostream* out) { *out << row.name; }
class NextPause : public testing::TestWithParam<Ahead> {};
TEST_P(NextPause, IsTheFirstThatComesBeforeTheEnd) {
  const auto& row = GetParam();
  auto now = standing(600, row.pending, 60'000);
  now.now_ms = kNoon;
  now.window = storage::TimeWindow::parse(row.window, "Etc/UTC").value();
  now.budget.calls = row.budget;
  now.bulk_done = 600;
  const auto pause = next_pause(now, Pace().look(now));
  ASSERT_EQ(pause.has_value(), row.at_minutes >= 0);
  if (!pause) return;
  EXPECT_EQ(pause->at_ms, kNoon + row.at_minutes * 60'000);
  EXPECT_EQ(pause->goes_on_ms, row.goes_on_minutes < 0 ? 0 : kNoon + row.goes_on_minutes * 60'000);
  EXPECT_EQ(pause->cause, row.cause);
}
INSTANTIATE_TEST_SUITE_P(Table, NextPause,
                         testing::Values(Ahead{"NothingAtAnyHour", "always", 600'000, 0, -1, 0, ""},
                                         Ahead{"TheWindowCloses", "daily 10:00-14:00", 600'000, 0, 120, 22 * 60,
                                               "the hours in which bulk may run"},
                                         Ahead{"TheEndComesFirst", "daily 10:00-14:00", 6'000, 0, -1, 0, ""},
                                         Ahead{"TheBudgetIsSpent", "daily 10:00-14:00", 600'000, 6'600, 10, -1,
                                               "our own budget of 6,600 calls in 12 h"},
                                         Ahead{"TheBudgetIsEnough", "always", 6'000, 6'600, -1, 0, ""}),
                         [](const auto& test) { return test.param.name; });

TEST(NextPauses, AreNotToldOfWhatStandsStill) {
  auto waiting = standing(600, 600'000, 60'000);
  waiting.window = storage::TimeWindow::parse("daily 10:00-14:00", "Etc/UTC").value();
  waiting.waits_for = "platform.outage";
  EXPECT_FALSE(next_pause(waiting, {}));
}

TEST(Pace, TheLimitOfThePlatformIsNamedWhenItSetsThePace) {
  auto at_limit = standing(100, 1'000, 60'000);
  at_limit.platform = "Grain";
  at_limit.per_minute = 300;
  EXPECT_EQ(Pace().look(at_limit).cause, "Grain's 300 requests a minute");
  at_limit.done = 50;
  EXPECT_EQ(Pace().look(at_limit).cause, "the pace so far");
}

TEST(Pace, KnowsWhenTheWindowCloses) {
  auto at_night = standing(600, 6'000, 60'000);
  at_night.window = *storage::TimeWindow::parse("12:00-12:05; 18:00-20:00", "UTC");
  const auto left = Pace().look(at_night);
  EXPECT_GT(*left.from_ms, kNoon + 6 * kHour) << "four minutes are left now, eight are needed";
  EXPECT_EQ(left.cause, "the hours in which bulk may run");
}

TEST(Pace, KnowsOurOwnBudget) {
  auto limited = standing(4'900, 300, 60'000);
  limited.budget = {5'000, 12 * kHour};
  limited.bulk_done = 4'900;
  const auto left = Pace().look(limited);
  EXPECT_GE(*left.from_ms, kNoon + 60'000 + 12 * kHour);
  EXPECT_EQ(left.cause, "our own budget of 5,000 calls in 12 h");
}

//
TEST(Pace, ARestartDoesNotMoveWhatWasTold) {
  Pace before;
  before.look(standing(600, 6'000, 600'000));
  const auto told = before.look(standing(1'200, 5'400, 660'000));
  Pace after(told);
  const auto next = standing(1'210, 5'390, 661'000);
  EXPECT_EQ(after.look(next).to_ms, told.to_ms);
  EXPECT_EQ(after.look(next).cause, told.cause);
  EXPECT_GT(Pace().look(next).to_ms, told.to_ms) << "the average of the whole is slower than the last minute was";
  EXPECT_GT(after.look(standing(1'250, 5'350, 701'000)).to_ms, told.to_ms) << "half a minute of its own counts";
}

TEST(Pace, WhatWasToldBeforeARestartStandsForTwoMinutesAtMost) {
  Pace before;
  const auto told = before.look(standing(600, 6'000, 60'000));
  Pace after(told);
  auto waiting = standing(600, 6'000, 60'000);
  waiting.waits_for = "platform.outage";
  waiting.until_ms = kNoon + 5 * kHour;
  EXPECT_EQ(after.look(waiting).to_ms, told.to_ms);
  waiting.now_ms += 120'000;
  EXPECT_GT(after.look(waiting).to_ms, kNoon + 5 * kHour);
}

TEST(EndWords, AreDurationsAndClockTimesOfTheViewer) {
  ::setenv("TZ", "Europe/Madrid", 1);
  ::tzset();
  using api::end_words;
  EXPECT_EQ(end_words({}, {}, kNoon), "not enough data yet");
  EXPECT_EQ(end_words(kNoon + 9'600'000, kNoon + 12'600'000, kNoon), "2h 40m - 3h 30m, about 15:40-16:30");
  EXPECT_EQ(end_words(kNoon + 39'600'000, kNoon + 46'800'000, kNoon), "11h 00m - 13h 00m, about Fri 00:00-Fri 02:00");
  EXPECT_EQ(end_words(kNoon - 5, kNoon - 1, kNoon), "0s - 0s, about 13:00");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace callimport::activities
