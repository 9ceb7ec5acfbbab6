// Specs of schedules: their one form, and the times they name (conformance C.15). Rows marked [live] are what server
// 1.29.1 answered.
#include "engine/service/schedule_times.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "tests/engine/utc_text.h"

namespace callimport::engine {
namespace {

ScheduleSpec spec_of(const std::string& text) {
  ScheduleSpec out;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &out)) << text;
  return out;
}

/// `s 0-59/10 h 9-17` and so on; a field with no range is left out.
std::string shown(const StructuredCalendar& calendar) {
  std::string out;
  const auto add = [&out](const char* name, const auto& ranges) {
    if (ranges.empty()) return;
    out += std::string(out.empty() ? "" : " ") + name;
    for (const auto& range : ranges) {
      out += " " + std::to_string(range.start()) + "-" + std::to_string(range.end());
      if (range.step() != 1) out += "/" + std::to_string(range.step());
    }
  };
  add("s", calendar.second());
  add("m", calendar.minute());
  add("h", calendar.hour());
  add("d", calendar.day_of_month());
  add("mon", calendar.month());
  add("y", calendar.year());
  add("w", calendar.day_of_week());
  return calendar.comment().empty() ? out : out + " # " + calendar.comment();
}

std::string shown(const ScheduleSpec& spec) {
  std::string out;
  for (const auto& one : spec.structured_calendar()) out += "[" + shown(one) + "]";
  for (const auto& one : spec.interval())
    out += "[every " + std::to_string(one.interval().seconds()) + " +" + std::to_string(one.phase().seconds()) + "]";
  for (const auto& one : spec.exclude_structured_calendar()) out += "[not " + shown(one) + "]";
  return out + spec.timezone_name();
}

struct Form {
  const char* name;
  const char* spec;
  const char* form;  ///< or what is wrong with it
};
void PrintTo(const Form& row, std::ostream* out) { *out << row.name; }
class SpecForm : public testing::TestWithParam<Form> {};
TEST_P(SpecForm, IsOne) {
  const Form& row = GetParam();
  const auto spec = canonical_spec(spec_of(row.spec));
  std::string got = spec ? shown(*spec) : spec.error();
  if (spec) {
    if (const auto times = ScheduleTimes::of(*spec, ""); !times) got = times.error();
    const auto again = canonical_spec(*spec);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->SerializeAsString(), spec->SerializeAsString());
  }
  EXPECT_EQ(got, row.form);
}
#define EVERY_DAY "d 1-31 mon 1-12 w 0-6"
// All [live].
INSTANTIATE_TEST_SUITE_P(
    Cron, SpecForm,
    testing::Values(
        Form{"NoFields", "cron_string: 'nonsense'", "CronString does not have 5-7 fields"},
        Form{"Empty", "cron_string: ''", "CronString does not have 5-7 fields"},
        Form{"TooManyFields", "cron_string: '* * * * * * * *'", "CronString does not have 5-7 fields"},
        Form{"AComment", "cron_string: '15 10 * * * # a comment'", "[s 0-0 m 15-15 h 10-10 " EVERY_DAY " # a comment]"},
        Form{"AnEmptyComment", "cron_string: '0 12 * * * #'", "[s 0-0 m 0-0 h 12-12 " EVERY_DAY "]"},
        Form{"EveryWithPhase", "cron_string: '@every 1h/5m'", "[every 3600 +300]"},
        Form{"EveryWithComment", "cron_string: '@every 90m/30m # note'", "[every 5400 +1800]"},
        Form{"EveryOfNothing", "cron_string: '@every x'", "time: invalid duration \"x\""},
        Form{"PhaseOfNothing", "cron_string: '@every 1h/x'", "time: invalid duration \"x\""},
        Form{"PhaseBeyond", "cron_string: '@every 1h/2h'", "phase cannot be greater than Interval"},
        Form{"EveryTooOften", "cron_string: '@every 500ms'", "interval is too small"},
        Form{"Hourly", "cron_string: '@hourly'", "[s 0-0 m 0-0 h 0-23 " EVERY_DAY "]"},
        Form{"Weekly", "cron_string: '@weekly'", "[s 0-0 m 0-0 h 0-0 d 1-31 mon 1-12 w 0-0]"},
        Form{"Yearly", "cron_string: '@yearly'", "[s 0-0 m 0-0 h 0-0 d 1-1 mon 1-1 w 0-6]"},
        Form{"InCapitals", "cron_string: '@HOURLY'", "CronString does not have 5-7 fields"},
        Form{"AZone", "cron_string: 'CRON_TZ=Europe/Berlin 0 9 * * MON-FRI'",
             "[s 0-0 m 0-0 h 9-9 d 1-31 mon 1-12 w 1-5]Europe/Berlin"},
        Form{"AZoneBeforeDaily", "cron_string: 'TZ=Europe/Berlin @daily'",
             "[s 0-0 m 0-0 h 0-0 " EVERY_DAY "]Europe/Berlin"},
        Form{"AZoneAlone", "cron_string: 'TZ=UTC'", "CronString has time zone but missing fields"},
        Form{"AnEmptyZone", "cron_string: 'TZ= 0 9 * * *'", "[s 0-0 m 0-0 h 9-9 " EVERY_DAY "]"},
        Form{"NoSuchZone", "cron_string: 'TZ=Mars/X 0 9 * * 7'", "unknown time zone Mars/X"},
        Form{"TwoZones", "cron_string: 'TZ=Europe/Berlin 0 9 * * *' timezone_name: 'Europe/Paris'",
             "conflicting timezone names"},
        Form{"TheSecondSunday", "cron_string: '0 9 * * 7'", "[s 0-0 m 0-0 h 9-9 d 1-31 mon 1-12 w 0-0]"},
        Form{"WithAYear", "cron_string: '0 9 * * * 2030'", "[s 0-0 m 0-0 h 9-9 d 1-31 mon 1-12 y 2030-2030 w 0-6]"},
        Form{"WithSeconds", "cron_string: '5 0 9 * * * 2030'", "[s 5-5 m 0-0 h 9-9 d 1-31 mon 1-12 y 2030-2030 w 0-6]"},
        Form{"AQuestionMark", "cron_string: '0 0 ? * *'", "DayOfMonth is not in range [1-31]"},
        Form{"AMinuteBeyond", "cron_string: '61 * * * *'", "Minute is not in range [0-59]"},
        Form{"NotAMinute", "cron_string: 'x * * * *'", "Minute is not in range [0-59]"},
        Form{"Backwards", "cron_string: '5-1 * * * *'", "Minute End is before Start or not in range [0-59]"},
        Form{"NoStep", "cron_string: '*/0 * * * *'", "Minute has invalid Step"}),
    [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(
    Calendar, SpecForm,
    testing::Values(
        Form{"Defaults", "calendar {}", "[s 0-0 m 0-0 h 0-0 " EVERY_DAY "]"},
        Form{"Lists", "calendar { hour: '9' minute: '0,30' day_of_week: 'MONDAY' }",
             "[s 0-0 m 0-0 30-30 h 9-9 d 1-31 mon 1-12 w 1-1]"},
        Form{"Years", "calendar { hour: '*' minute: '*/10' second: '1-5' year: '2030-2032' comment: 'hi' }",
             "[s 1-5 m 0-59/10 h 0-23 d 1-31 mon 1-12 y 2030-2032 w 0-6 # hi]"},
        Form{"FromAYearOn", "calendar { year: '2030/2' }", "[s 0-0 m 0-0 h 0-0 d 1-31 mon 1-12 y 2030-2100/2 w 0-6]"},
        Form{"BeginningsOfNames", "calendar { day_of_week: 'mo' month: 'janu' }",
             "[s 0-0 m 0-0 h 0-0 d 1-31 mon 1-1 w 1-1]"},
        Form{"NoSuchDay", "calendar { day_of_week: 'funday' }", "DayOfWeek is not in range [0-7]"},
        Form{"MoreThanTheName", "calendar { day_of_week: 'monx' }", "DayOfWeek is not in range [0-7]"},
        Form{"SundayIsFirst", "calendar { day_of_week: 'sat-sun' }",
             "DayOfWeek End is before Start or not in range [0-7]"},
        Form{"AndLast", "calendar { day_of_week: '5-7' }", "[s 0-0 m 0-0 h 0-0 d 1-31 mon 1-12 w 0-0 5-6]"},
        Form{"WithAStep", "calendar { day_of_week: '1-7/2' }", "[s 0-0 m 0-0 h 0-0 d 1-31 mon 1-12 w 0-0 1-6/2]"},
        Form{"BothSundays", "calendar { day_of_week: '0-7' }", "[s 0-0 m 0-0 h 0-0 " EVERY_DAY "]"},
        Form{"ToTheEnd", "calendar { hour: '1/2' }", "[s 0-0 m 0-0 h 1-23/2 " EVERY_DAY "]"},
        Form{"Dashes", "calendar { hour: '1-5-6' }", "Hour has too many dashes"},
        Form{"Slashes", "calendar { hour: '1/2/3' }", "Hour has too many slashes"},
        Form{"AHole", "calendar { hour: '1,,2' }", "Hour is not in range [0-23]"},
        Form{"NoStart", "calendar { hour: '-1' }", "Hour Start is not in range [0-23]"},
        Form{"TooEarly", "calendar { year: '1999' }", "Year is not in range [2000-2100]"},
        Form{"OneHour", "structured_calendar { hour { start: 9 } }", "[h 9-9]"},
        Form{"AnHourBeyond", "structured_calendar { hour { start: 25 } }",
             "invalid calendar spec: Hour Start is not in range [0-23]"},
        Form{"HoursBackwards", "structured_calendar { hour { start: 9 end: 3 } }",
             "invalid calendar spec: Hour End is before Start or not in range [0-23]"},
        Form{"HoursBack", "structured_calendar { hour { start: 9 step: -1 } }",
             "invalid calendar spec: Hour has invalid Step"},
        Form{"OneSundayOnly", "structured_calendar { day_of_week { start: 7 } }",
             "invalid calendar spec: DayOfWeek Start is not in range [0-6]"},
        Form{"Excluded", "exclude_calendar { hour: '*' }", "[not s 0-0 m 0-0 h 0-23 " EVERY_DAY "]"},
        Form{"ExcludedUnchecked", "exclude_structured_calendar { hour { start: 77 } }", "[not h 77-77]"},
        Form{"TooOften", "interval { interval { nanos: 500000000 } }", "interval is too small"},
        Form{"NegativePhase", "interval { interval { seconds: 9 } phase { seconds: -1 } }", "phase is negative"},
        Form{"WholePhase", "interval { interval { seconds: 9 } phase { seconds: 9 } }",
             "phase cannot be greater than Interval"},
        Form{"Mars", "timezone_name: 'Mars/X'", "unknown time zone Mars/X"}),
    [](const auto& test) { return test.param.name; });

TEST(SpecForm, CommentsHaveALimit) {  // [live]
  ScheduleSpec spec;
  spec.add_calendar()->set_comment(std::string(kCalendarCommentBytesMax, 'x'));
  EXPECT_TRUE(canonical_spec(spec).has_value());
  spec.mutable_calendar(0)->set_comment(std::string(kCalendarCommentBytesMax + 1, 'x'));
  EXPECT_EQ(canonical_spec(spec).error(), "invalid calendar spec: comment is too long");
}

struct Next {
  const char* name;
  const char* spec;
  const char* after;
  const char* next;
};
void PrintTo(const Next& row, std::ostream* out) { *out << row.name; }
class SpecNext : public testing::TestWithParam<Next> {};
TEST_P(SpecNext, IsTheFirstTimeAfter) {
  const Next& row = GetParam();
  const auto spec = canonical_spec(spec_of(row.spec));
  ASSERT_TRUE(spec.has_value()) << spec.error();
  const auto times = ScheduleTimes::of(*spec, "seed");
  ASSERT_TRUE(times.has_value());
  const auto next = times->next(at(row.after));
  EXPECT_EQ(text_of(next ? std::optional(next->due_ns) : std::nullopt), row.next);
}
constexpr const char* kThen = "2026-11-21 15:29:31";
#define HOURLY "interval { interval { seconds: 3600 } }"
INSTANTIATE_TEST_SUITE_P(
    Table, SpecNext,
    testing::Values(
        Next{"Phase", "cron_string: '@every 1h/5m'", kThen, "2026-11-21 16:05:00"},                            // [live]
        Next{"Berlin", "cron_string: 'CRON_TZ=Europe/Berlin 0 9 * * MON-FRI'", kThen, "2026-11-23 08:00:00"},  // [live]
        Next{"InYears", "cron_string: '0 9 * * * 2030'", kThen, "2030-01-01 09:00:00"},                        // [live]
        Next{"NoSuchDate", "cron_string: '0 0 31 2 *'", kThen, "never"},                                       // [live]
        Next{"ADayOfBoth", "cron_string: '0 0 13 * FRI'", kThen, "2027-08-13 00:00:00"},
        Next{"AFieldWithNothing", "structured_calendar { hour { start: 9 } }", kThen, "never"},  // [live]
        Next{"NothingAtAll", "", kThen, "never"},
        Next{"TheEarlierOfTwo", "cron_string: '0 17 * * *' cron_string: '@every 1h'", kThen, "2026-11-21 16:00:00"},
        Next{"FromItsStart", HOURLY "start_time { seconds: 1893456000 }", kThen, "2030-01-01 00:00:00"},  // [live]
        Next{"ToItsEnd", HOURLY "end_time { seconds: 1893456000 }", "2029-12-31 23:30:00", "2030-01-01 00:00:00"},
        Next{"NotBeyond", HOURLY "end_time { seconds: 1893455999 }", "2029-12-31 23:30:00", "never"},
        Next{"AllExcluded", HOURLY "exclude_calendar { hour: '*' }", kThen, "never"},  // [live]
        Next{"OneExcluded", HOURLY "exclude_calendar { hour: '16-17' }", kThen, "2026-11-21 18:00:00"},
        Next{"ExcludedDays",
             "interval { interval { seconds: 1 } } exclude_calendar { second: '*' minute: '*' hour: '*' year: "
             "'2026-2029' }",
             kThen, "2030-01-01 00:00:00"},
        Next{"TheLastYear", "cron_string: '0 0 1 1 * 2100'", kThen, "2100-01-01 00:00:00"},
        Next{"AndNoLater", "cron_string: '0 0 1 1 * 2100'", "2100-01-01 00:00:00", "never"},
        Next{"AnHourThatIsLeftOut", "cron_string: 'TZ=Europe/Berlin 30 2 * * *'", "2026-03-28 12:00:00",
             "2026-03-30 00:30:00"},
        Next{"HalfSecondsAreCut", "interval { interval { seconds: 1 nanos: 500000000 } }", kThen,
             "2026-11-21 15:29:32"}),  // [live]
    [](const auto& test) { return test.param.name; });

TEST(SpecNext, JitterIsTheSameEachTimeAndStaysBeforeTheNextTime) {
  const auto spec = spec_of(HOURLY "jitter { seconds: 86400 }");
  const auto times = ScheduleTimes::of(spec, "seed"), again = ScheduleTimes::of(spec, "seed");
  const auto other = ScheduleTimes::of(spec, "another");
  std::int64_t after = at(kThen), differ = 0, late = 0;
  for (int i = 0; i < 100; ++i) {
    const auto next = times->next(after);
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->due_ns, again->next(after)->due_ns);
    EXPECT_GE(next->due_ns, next->nominal_ns);
    EXPECT_LT(next->due_ns, next->nominal_ns + 3600 * kSecond);
    differ += next->due_ns != other->next(after)->due_ns ? 1 : 0;
    late += next->due_ns > next->nominal_ns + 1800 * kSecond ? 1 : 0;
    after = next->nominal_ns;
  }
  EXPECT_GT(differ, 90);
  EXPECT_GT(late, 25);
  EXPECT_LT(late, 75);
}

}  // namespace
}  // namespace callimport::engine
