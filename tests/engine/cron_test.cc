// Cron expressions and the calendar below them (conformance C.5, C7).
#include "engine/service/cron.h"

#include <gtest/gtest.h>

#include "tests/engine/utc_text.h"

namespace callimport::engine {
namespace {

struct Next {
  const char* name;
  const char* cron;
  const char* after;
  const char* next;
};
void PrintTo(const Next& row, std::ostream* out) { *out << row.name; }
class CronNext : public testing::TestWithParam<Next> {};
TEST_P(CronNext, IsTheFirstMomentAfter) {
  const Next& row = GetParam();
  const auto cron = parse_cron(row.cron);
  ASSERT_TRUE(cron.has_value()) << row.cron;
  EXPECT_EQ(text_of(next_after(*cron, at(row.after))), row.next);
}
// The rows of 2026-11-21 12:43:05 are what server 1.29.1 answered then.
constexpr const char* kThen = "2026-11-21 12:43:05";
INSTANTIATE_TEST_SUITE_P(
    Table, CronNext,
    testing::Values(Next{"EveryMinute", "* * * * *", kThen, "2026-11-21 12:44:00"},
                    Next{"NewYorksMidnight", "CRON_TZ=America/New_York 0 0 * * *", kThen, "2026-11-22 05:00:00"},
                    Next{"WorkingDays", "*/5 * * * mon-fri", kThen, "2026-11-23 00:00:00"},
                    Next{"NamesInCapitals", "* * * * MON", kThen, "2026-11-23 00:00:00"},
                    Next{"QuestionMarkAndStep", "?/15 * * * *", kThen, "2026-11-21 12:45:00"},
                    Next{"ListWithAHole", "1,,2 * * * *", kThen, "2026-11-21 13:01:00"},
                    Next{"PlusSign", "+5 * * * *", kThen, "2026-11-21 13:05:00"},
                    Next{"StarWithAnEnd", "*-3 * * * *", kThen, "2026-11-21 12:44:00"},
                    Next{"Hourly", "TZ=UTC @hourly", kThen, "2026-11-21 13:00:00"},
                    Next{"LocalIsUtc", "CRON_TZ=Local * * * * *", kThen, "2026-11-21 12:44:00"},
                    Next{"EveryOfATenth", "@every 100ms", kThen, "2026-11-21 12:43:06"},
                    Next{"EveryWithUnits", "@every 1h30m10.5s", kThen, "2026-11-21 14:13:15"},
                    Next{"ADayOfTheMonthOrOfTheWeek", "0 0 13 * fri", "2026-11-21 00:00:00", "2026-11-27 00:00:00"},
                    Next{"ADayOfTheMonthOnAnyWeekday", "0 0 13 * *", "2026-11-21 00:00:00", "2026-12-13 00:00:00"},
                    Next{"StarWithStepSaysSomething", "0 0 13 * */2", "2026-11-20 00:00:00", "2026-11-21 00:00:00"},
                    Next{"FromAndStepRunToTheEnd", "50/5 * * * *", kThen, "2026-11-21 12:50:00"},
                    Next{"TheMomentItselfIsPast", "43 12 * * *", "2026-11-21 12:43:00", "2026-11-22 12:43:00"},
                    Next{"LastMinuteOfTheYear", "59 23 31 dec *", kThen, "2026-12-31 23:59:00"},
                    Next{"LeapDay", "0 0 29 2 *", kThen, "2028-02-29 00:00:00"},
                    Next{"Yearly", "@yearly", kThen, "2027-01-01 00:00:00"},
                    Next{"Weekly", "@weekly", kThen, "2026-11-22 00:00:00"},
                    Next{"Monthly", "@monthly", kThen, "2026-12-01 00:00:00"},
                    Next{"Daily", "@midnight", kThen, "2026-11-22 00:00:00"},
                    Next{"AnHourThatTheClockLeavesOut", "CRON_TZ=America/New_York 30 2 * * *", "2026-03-08 05:00:00",
                         "2026-03-09 06:30:00"},
                    Next{"AnHourThatComesTwiceFirst", "CRON_TZ=America/New_York 30 1 * * *", "2026-11-01 04:00:00",
                         "2026-11-01 05:30:00"},
                    Next{"AnHourThatComesTwiceAgain", "CRON_TZ=America/New_York 30 1 * * *", "2026-11-01 05:30:00",
                         "2026-11-01 06:30:00"},
                    Next{"TheThirtiethOfFebruary", "0 0 30 2 *", kThen, "never"}),
    [](const auto& test) { return std::string(test.param.name); });

class CronRefused : public testing::TestWithParam<const char*> {};
TEST_P(CronRefused, IsNoExpression) { EXPECT_FALSE(parse_cron(GetParam()).has_value()); }
INSTANTIATE_TEST_SUITE_P(Table, CronRefused,
                         testing::Values("", " ", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
                                         "* * 32 * *", "* * * 13 *", "* * * * 7", "-1 * * * *", "5-1 * * * *",
                                         "1-5/0 * * * *", "1/2/3 * * * *", "1-2-3 * * * *", "x * * * *", "* * * foo *",
                                         "@reboot", "@EVERY 1s", "@every", "@every ", "@every x", "@every 1",
                                         "@every 1.2.3s", "@hourly ", " @hourly", "CRON_TZ=Mars/X * * * * *",
                                         "CRON_TZ=UTC", "TZ=UTC", "@every 99999999999h"));

struct Backoff {
  const char* name;
  const char* cron;
  const char* scheduled;
  const char* now;
  std::int64_t now_ms;
  std::int64_t seconds;
};
void PrintTo(const Backoff& row, std::ostream* out) { *out << row.name; }
class CronBackoff : public testing::TestWithParam<Backoff> {};
TEST_P(CronBackoff, IsWholeSecondsRoundedUp) {
  const Backoff& row = GetParam();
  const auto cron = parse_cron(row.cron);
  ASSERT_TRUE(cron.has_value());
  const auto backoff = cron_backoff(*cron, at(row.scheduled), at(row.now) + row.now_ms * 1'000'000);
  ASSERT_TRUE(backoff.has_value());
  EXPECT_EQ(*backoff, row.seconds * kSecond);
}
INSTANTIATE_TEST_SUITE_P(
    Table, CronBackoff,
    testing::Values(
        Backoff{"FromTheDueTimeNotFromNow", "@every 10s", "2026-01-01 00:00:00", "2026-01-01 00:00:03", 500, 7},
        Backoff{"MomentsThatPassedAreSkipped", "@every 10s", "2026-01-01 00:00:00", "2026-01-01 01:00:03", 0, 7},
        Backoff{"ALongRunSkipsHours", "0 * * * *", "2026-01-01 00:00:00", "2026-01-01 05:30:00", 0, 1800},
        Backoff{"NowIsNotPast", "0 * * * *", "2026-01-01 00:00:00", "2026-01-01 05:00:00", 0, 0},
        Backoff{"EndedBeforeItWasDue", "@every 20s", "2026-01-01 00:00:20", "2026-01-01 00:00:00", 10, 20}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace callimport::engine
