// Windows in people's words (ux 2.14, NW-09): zones by name, both edges of daylight saving in both hemispheres, dated
// exceptions, and the calendar that admins subscribe to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "storage/windows/icalendar.h"
#include "storage/windows/time_window.h"

namespace callimport::storage {
namespace {

using testing::HasSubstr;

Timestamp utc(const std::string& text) { return parse_utc(text).value(); }
std::int64_t seconds(Timestamp at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }
TimeWindow window_of(const std::string& text, const std::string& zone) {
  auto window = TimeWindow::parse(text, zone);
  EXPECT_TRUE(window.has_value()) << text << ": " << (window ? "" : window.error().message);
  return window.value_or(TimeWindow());
}

struct Edge {
  const char* name;
  const char* text;
  const char* zone;
  const char* asked;
  const char* opens;   // at or after `asked`
  const char* closes;  // what opened then
};
void PrintTo(const Edge& edge, std::ostream* out) { *out << edge.name; }

class Windows : public testing::TestWithParam<Edge> {};

TEST_P(Windows, OpenAndCloseByTheClocksThere) {
  const auto& edge = GetParam();
  const TimeWindow window = window_of(edge.text, edge.zone);
  const auto opens = window.next_opening(utc(edge.asked));
  ASSERT_TRUE(opens.has_value());
  EXPECT_EQ(format_utc(*opens), edge.opens);
  EXPECT_TRUE(window.is_open(*opens));
  const auto closes = window.closes_at(*opens);
  ASSERT_TRUE(closes.has_value());
  EXPECT_EQ(format_utc(*closes), edge.closes);
  EXPECT_FALSE(window.is_open(*closes));
  EXPECT_TRUE(window.is_open(*closes - 1s));
  if (utc(edge.asked) < *opens) {
    EXPECT_FALSE(window.is_open(*opens - 1s));
    EXPECT_EQ(window.closes_at(utc(edge.asked)), std::nullopt);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Windows,
    testing::Values(Edge{"NightsInMadrid", "nights", "Europe/Madrid", "2026-11-21T12:00:00Z", "2026-11-21T19:00:00Z",
                         "2026-11-22T05:00:00Z"},
                    Edge{"NightUnderWayBeganYesterday", "nights", "Europe/Madrid", "2026-11-21T02:00:00Z",
                         "2026-11-21T02:00:00Z", "2026-11-21T05:00:00Z"},
                    Edge{"AnotherZoneThanTheCustomers", "weekdays 20:00-06:00 America/New_York", "Europe/Madrid",
                         "2026-11-21T12:00:00Z", "2026-11-24T01:00:00Z", "2026-11-24T11:00:00Z"},
                    Edge{"FridaysNightEndsOnSaturday", "weekdays 20:00-06:00", "UTC", "2026-11-20T21:00:00Z",
                         "2026-11-20T21:00:00Z", "2026-11-21T06:00:00Z"},
                    Edge{"WeekendsAreWholeDays", "weekends", "Asia/Kolkata", "2026-11-20T12:00:00Z",
                         "2026-11-20T18:30:00Z", "2026-11-22T18:30:00Z"},
                    Edge{"SeveralAreOne", "weekends whole days; weekday nights", "UTC", "2026-11-20T12:00:00Z",
                         "2026-11-20T20:00:00Z", "2026-11-23T00:00:00Z"},
                    Edge{"DaysInWords", "Mon-Wed in Etc/UTC", "Europe/Madrid", "2026-11-19T00:00:00Z",
                         "2026-11-23T00:00:00Z", "2026-11-26T00:00:00Z"},
                    Edge{"NightIsAnHourShorterInSpring", "nights", "America/New_York", "2026-03-07T18:00:00Z",
                         "2026-03-08T01:00:00Z", "2026-03-08T10:00:00Z"},
                    Edge{"NightIsAnHourLongerInAutumn", "nights", "America/New_York", "2026-10-31T18:00:00Z",
                         "2026-11-01T00:00:00Z", "2026-11-01T11:00:00Z"},
                    Edge{"MissingTimeMovesForward", "sun 02:30-05:00", "America/New_York", "2026-03-08T00:00:00Z",
                         "2026-03-08T07:00:00Z", "2026-03-08T09:00:00Z"},
                    Edge{"DoubledTimeTakesTheFirst", "sun 01:30-05:00", "America/New_York", "2026-11-01T00:00:00Z",
                         "2026-11-01T05:30:00Z", "2026-11-01T10:00:00Z"},
                    Edge{"DoubledEndTakesTheFirst", "sun 00:30-01:30", "America/New_York", "2026-11-01T00:00:00Z",
                         "2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z"},
                    Edge{"HoursThatDoNotExistThatDayAreNone", "sun 02:10-02:50", "America/New_York",
                         "2026-03-07T12:00:00Z", "2026-03-15T06:10:00Z", "2026-03-15T06:50:00Z"},
                    Edge{"SpringInOctober", "sun 02:30-06:00", "Australia/Sydney", "2026-10-02T00:00:00Z",
                         "2026-10-03T16:00:00Z", "2026-10-03T19:00:00Z"},
                    Edge{"AutumnInApril", "sun 02:30-06:00", "Australia/Sydney", "2026-04-03T00:00:00Z",
                         "2026-04-04T15:30:00Z", "2026-04-04T20:00:00Z"},
                    Edge{"HalfAnHourForward", "sun 02:15-06:00", "Australia/Lord_Howe", "2026-10-02T00:00:00Z",
                         "2026-10-03T15:30:00Z", "2026-10-03T19:00:00Z"},
                    Edge{"HalfAnHourBack", "sun 01:45-06:00", "Australia/Lord_Howe", "2026-04-03T00:00:00Z",
                         "2026-04-04T14:45:00Z", "2026-04-04T19:30:00Z"},
                    Edge{"MidnightThatDoesNotExist", "sun", "America/Santiago", "2026-09-05T12:00:00Z",
                         "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
                    Edge{"ClosedDaysAreSkipped", "nights; closed 2026-12-24..2026-12-26", "Europe/Madrid",
                         "2026-12-23T23:00:00Z", "2026-12-26T23:00:00Z", "2026-12-27T05:00:00Z"},
                    Edge{"ANightEndsWhereAClosingBegins", "nights; closed 2026-12-24", "Europe/Madrid",
                         "2026-12-23T20:00:00Z", "2026-12-23T20:00:00Z", "2026-12-23T23:00:00Z"},
                    Edge{"OpenedBesides", "nights; open 2026-12-27 08:00-12:00", "Europe/Madrid",
                         "2026-12-27T05:30:00Z", "2026-12-27T07:00:00Z", "2026-12-27T11:00:00Z"},
                    Edge{"OpeningsAlone", "open 2027-06-01 08:00-12:00 Asia/Tokyo", "", "2026-01-01T00:00:00Z",
                         "2027-05-31T23:00:00Z", "2027-06-01T03:00:00Z"},
                    Edge{"AlwaysButForAClosing", "always; closed 2026-12-31; closed 2027-12-31", "UTC",
                         "2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z", "2027-12-31T00:00:00Z"},
                    Edge{"ALongClosing", "nights; closed 2027-01-01..2027-12-31", "UTC", "2027-01-01T12:00:00Z",
                         "2028-01-01T00:00:00Z", "2028-01-01T06:00:00Z"}),
    [](const auto& test) { return test.param.name; });

TEST(Windows, WhatHasNoEndInSightHasNone) {
  EXPECT_EQ(window_of("always", "UTC").closes_at(utc("2026-11-21T00:00:00Z")), std::nullopt);
  EXPECT_EQ(window_of("daily 00:00-24:00", "Europe/Madrid").closes_at(utc("2026-11-21T00:00:00Z")), std::nullopt);
  EXPECT_TRUE(window_of("always", "").always());
  EXPECT_FALSE(window_of("always; closed 2026-12-24", "").always());
}

TEST(Windows, OneThatIsOverNeverOpensAgain) {
  const TimeWindow window = window_of("open 2026-01-05 08:00-12:00", "Europe/Madrid");
  EXPECT_EQ(window.next_opening(utc("2026-01-05T11:00:00Z")), std::nullopt);
  EXPECT_TRUE(window.next_opening(utc("2026-01-05T10:59:59Z")).has_value());
}

// Nights by another way: what the clocks show, minute by minute, in a year of each hemisphere.
TEST(Windows, NightsAreWhatClocksShow) {
  for (const std::string zone :
       {"Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "UTC"}) {
    SCOPED_TRACE(zone);
    const TimeWindow window = window_of("nights", zone);
    const auto clocks = TimeZone::find(zone).value();
    const auto open = window.openings(seconds(utc("2026-01-01T00:00:00Z")), seconds(utc("2027-01-01T00:00:00Z")));
    std::size_t next = 0;
    int wrong = 0;
    for (Timestamp at = utc("2026-01-01T00:00:00Z"); at < utc("2027-01-01T00:00:00Z"); at += 5min) {
      const int hour = std::stoi(format_local(at, clocks).substr(11, 2));
      while (next < open.size() && open[next].to <= seconds(at)) ++next;
      const bool is_open = next < open.size() && open[next].from <= seconds(at);
      if (is_open != (hour >= 20 || hour < 6)) ++wrong;
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_GE(open.size(), 365u);
  }
}

struct Refusal {
  const char* name;
  const char* text;
  const char* zone;
  const char* says;
};
void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }
class WindowRefusals : public testing::TestWithParam<Refusal> {};

TEST_P(WindowRefusals, SayWhatIsWrong) {
  const auto window = TimeWindow::parse(GetParam().text, GetParam().zone);
  ASSERT_FALSE(window.has_value());
  EXPECT_EQ(window.error().code, Code::kInvalid);
  EXPECT_THAT(window.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WindowRefusals,
    testing::Values(Refusal{"Nothing", " ; ", "UTC", "without a word"},
                    Refusal{"ZoneMisspelled", "nights", "Amrica/New_York", "did you mean America/New_York?"},
                    Refusal{"ZoneInOtherLetters", "nights europe/madrid", "", "did you mean Europe/Madrid?"},
                    Refusal{"CityAlone", "nights", "Madrid", "did you mean Europe/Madrid?"},
                    Refusal{"ZoneOfNowhere", "nights Atlantis/Capital_City", "", "there is no time zone"},
                    Refusal{"Offset", "nights +02:00", "", "is an offset"},
                    Refusal{"OffsetFromUtc", "nights", "UTC+2", "is an offset"},
                    Refusal{"NoHours", "mon 25:00-26:00", "", "are no hours"},
                    Refusal{"HalfAnHourGlass", "20:00-", "", "are no hours"},
                    Refusal{"NeverOpensByHours", "20:00-20:00", "", "never opens"},
                    Refusal{"NeverOpensByClosings", "closed 2026-12-24", "", "never opens"},
                    Refusal{"NoDays", "sometimes 20:00-06:00", "", "is not understood"},
                    Refusal{"TooManyWords", "nights Europe/Madrid please", "", "is not understood"},
                    Refusal{"NoSuchDay", "nights; closed 2026-02-30", "", "is no day"},
                    Refusal{"Backwards", "nights; closed 2026-12-26..2026-12-24", "", "ends before it begins"},
                    Refusal{"TooLong", "nights; closed 2026-01-01..2027-06-01", "", "longer than 366 days"},
                    Refusal{"ClosingsOverlap", "nights; closed 2026-12-24..2026-12-26; closed 2026-12-26", "",
                            "overlap"},
                    Refusal{"OpenedWhileClosed", "nights; closed 2026-12-24..2026-12-26; open 2026-12-25 08:00-12:00",
                            "", "overlap"},
                    Refusal{"OverlapAcrossZones",
                            "nights; closed 2026-12-24 Asia/Tokyo; open 2026-12-23 14:00-16:00 UTC", "", "overlap"},
                    Refusal{"ClosedForHours", "nights; closed 2026-12-24 08:00-12:00", "", "takes whole days"},
                    Refusal{"ADayIsMissing", "nights; closed", "", "wants a day"},
                    Refusal{"MoreThanAlways", "always nights", "", "after always"}),
    [](const auto& test) { return test.param.name; });

TEST(Windows, HaveALimitOnTheirWords) {
  std::string parts = "nights";
  for (std::size_t i = 1; i < kWindowRulesMax; ++i) parts += ";mon";
  EXPECT_TRUE(TimeWindow::parse(parts, "").has_value());
  EXPECT_FALSE(TimeWindow::parse(parts + ";tue", "").has_value());
  EXPECT_FALSE(TimeWindow::parse("nights" + std::string(kWindowBytesMax, ' '), "").has_value());
}

TEST(Windows, SayAMomentInBothZones) {
  const auto madrid = window_of("nights", "Europe/Madrid").zone();
  EXPECT_EQ(spoken_moment(utc("2026-11-21T19:00:00Z"), madrid), "2026-11-21 20:00 Europe/Madrid (19:00 UTC)");
  EXPECT_EQ(spoken_moment(utc("2026-11-21T23:30:00Z"), madrid),
            "2026-11-22 00:30 Europe/Madrid (2026-11-21 23:30 UTC)");
  EXPECT_EQ(spoken_moment(utc("2026-11-21T19:00:00Z"), {"UTC", {}}), "2026-11-21 19:00 UTC");
}

// A reader of calendars of its own: events by RRULE, BYDAY and EXDATE, in the zone that TZID names.
std::vector<Stretch> read_calendar(const std::string& text, std::int64_t from, std::int64_t to) {
  std::string unfolded = text;
  for (std::size_t at; (at = unfolded.find("\r\n ")) != std::string::npos;) unfolded.erase(at, 3);
  std::istringstream lines(unfolded);
  std::vector<Stretch> out;
  std::multimap<std::string, std::string> event;
  std::map<std::string, std::string> zone;
  const auto local_of = [](std::string stamp) {
    const bool is_utc = stamp.ends_with('Z');
    if (is_utc) stamp.pop_back();
    const std::string text_of = stamp.substr(0, 4) + "-" + stamp.substr(4, 2) + "-" + stamp.substr(6, 5) + ":" +
                                stamp.substr(11, 2) + ":" + stamp.substr(13, 2) + "Z";
    return seconds(utc(text_of));
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t colon = line.find(':'), mark = line.find(";TZID=");
    const std::string name = line.substr(0, std::min(colon, mark));
    if (name == "BEGIN") {
      event.clear();
      zone.clear();
    }
    if (mark < colon) zone[name] = line.substr(mark + 6, colon - mark - 6);
    event.emplace(name, line.substr(colon + 1));
    if (line != "END:VEVENT") continue;
    const std::string start = event.find("DTSTART")->second;
    const TimeZone clocks = start.ends_with('Z') ? TimeZone() : TimeZone::find(zone["DTSTART"]).value();
    const std::int64_t first = local_of(start), length = local_of(event.find("DTEND")->second) - first;
    std::set<std::int64_t> without;
    for (auto [it, end] = event.equal_range("EXDATE"); it != end; ++it) without.insert(local_of(it->second));
    const bool repeats = event.contains("RRULE");
    const std::string rule = repeats ? event.find("RRULE")->second : "BYDAY=";
    const std::string days = rule.substr(rule.find("BYDAY=") + 6);
    static const char* const kNames[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
    for (std::int64_t at = first; at < to + 86'400; at += 86'400) {
      const std::int64_t day = (at - (at % 86'400 + 86'400) % 86'400) / 86'400;
      const bool on = !repeats || days.find(kNames[weekday_of(day)]) != std::string::npos;
      const Stretch one{clocks.moment_of(at), clocks.moment_of(at + length)};
      if (on && !without.contains(at) && one.to > from && one.from < to)
        out.push_back({std::max(one.from, from), std::min(one.to, to)});
      if (!repeats) break;
    }
  }
  std::sort(out.begin(), out.end(), [](const Stretch& a, const Stretch& b) { return a.from < b.from; });
  std::vector<Stretch> merged;
  for (const Stretch& one : out) {
    if (!merged.empty() && one.from <= merged.back().to) {
      merged.back().to = std::max(merged.back().to, one.to);
    } else {
      merged.push_back(one);
    }
  }
  return merged;
}

TEST(WindowCalendars, SayTheSameAsTheWindow) {
  const Timestamp now = utc("2026-09-01T12:00:00Z");
  const std::int64_t from = seconds(now), to = seconds(utc("2027-09-01T00:00:00Z"));
  for (const char* text :
       {"nights", "always", "always; closed 2026-12-24..2026-12-26", "weekends; mon-thu 22:00-05:30 America/New_York",
        "nights; closed 2026-12-24..2026-12-26; open 2026-12-25 23:00-24:00 America/Los_Angeles",
        "nights; closed 2026-12-24; closed 2026-12-26; open 2027-01-06 08:00-12:00",
        "open 2026-10-10..2026-10-12 08:00-12:00"}) {
    for (const char* zone : {"Europe/Madrid", "Australia/Lord_Howe", "UTC"}) {
      SCOPED_TRACE(std::string(text) + " in " + zone);
      const auto parsed = TimeWindow::parse(text, zone);
      if (!parsed) continue;  // a pair that overlaps in this zone
      const std::string calendar = write_icalendar(*parsed, "Acme; nights", "imp_a", now);
      EXPECT_EQ(read_calendar(calendar, from, to), parsed->openings(from, to)) << calendar;
    }
  }
}

TEST(WindowCalendars, AreCalendars) {
  const std::string name(120, 'n');
  const std::string text = write_icalendar(window_of("nights; closed 2026-12-24", "Europe/Madrid"), name, "imp_a",
                                           utc("2026-11-21T12:00:00Z"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.ends_with('\r')) << line;
    EXPECT_LE(line.size(), 76u) << line;
  }
  for (const char* part : {"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:", "TZID:Europe/Madrid\r\n",
                           "BEGIN:DAYLIGHT\r\nDTSTART:20270328T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n",
                           "DTSTART;TZID=Europe/Madrid:20261120T200000\r\nDTEND;TZID=Europe/Madrid:20261121T060000\r\n"
                           "RRULE:FREQ=WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR,SA\r\nEXDATE;TZID=Europe/Madrid:20261223T200000",
                           "END:VCALENDAR\r\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace callimport::storage
