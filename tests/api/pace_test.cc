// What `watch` and `show` say about the time that is left (ux X-09, TW-01).
#include "api/cli/pace.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace callimport::api {
namespace {

constexpr std::int64_t kNoon = 1'767'268'800'000;  // 2026-01-01T12:00:00Z

/// `calls` done evenly within `seconds`, seen every second.
Pace steady(std::int64_t calls, std::int64_t seconds) {
  Pace pace;
  for (std::int64_t i = 0; i <= seconds; ++i) pace.saw(kNoon + i * 1000, calls * i / seconds);
  return pace;
}

TEST(Pace, SaysNothingBeforeThirtyCallsOrTwoMinutes) {
  EXPECT_FALSE(Pace().end(100));
  EXPECT_FALSE(steady(29, 60).end(100));
  EXPECT_TRUE(steady(30, 60).end(100));
  EXPECT_TRUE(steady(3, 120).end(100));
  EXPECT_EQ(end_words({}, kNoon), "not enough data yet");
}

TEST(Pace, IsARangeAroundWhatTheLastMinuteGives) {
  auto pace = steady(600, 60);
  EXPECT_DOUBLE_EQ(pace.per_minute(), 600);
  const auto end = pace.end(6000);  // ten minutes at this pace
  ASSERT_TRUE(end);
  EXPECT_EQ(end->from_ms, kNoon + 60'000 + 480'000);
  EXPECT_EQ(end->to_ms, kNoon + 60'000 + 780'000);
}

TEST(Pace, MovesOnlyWithTheEstimate) {
  auto pace = steady(600, 60);
  const auto first = pace.end(6000);
  ASSERT_TRUE(first);
  pace.saw(kNoon + 61'000, 611);  // a little faster
  EXPECT_EQ(pace.end(5989)->to_ms, first->to_ms);
  EXPECT_GT(pace.end(12'000)->to_ms, first->to_ms) << "twice as much was found";
}

TEST(Pace, StandingStillKeepsWhatWasSaid) {
  auto pace = steady(600, 60);
  const auto first = pace.end(6000);
  for (std::int64_t i = 61; i < 200; ++i) pace.saw(kNoon + i * 1000, 600);
  EXPECT_EQ(pace.per_minute(), 0);
  EXPECT_EQ(pace.end(6000)->to_ms, first->to_ms);
}

TEST(Pace, WordsAreDurationsAndClockTimesOfTheViewer) {
  ::setenv("TZ", "Europe/Madrid", 1);
  ::tzset();
  EXPECT_EQ(end_words(Pace::End{kNoon + 9'600'000, kNoon + 12'600'000}, kNoon), "2h 40m - 3h 30m, about 15:40-16:30");
  EXPECT_EQ(end_words(Pace::End{kNoon + 39'600'000, kNoon + 46'800'000}, kNoon),
            "11h 00m - 13h 00m, about Fri 00:00-Fri 02:00");
  EXPECT_EQ(end_words(Pace::End{kNoon - 5, kNoon - 1}, kNoon), "0s - 0s, about 13:00");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace callimport::api
