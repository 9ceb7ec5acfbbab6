// Windows at the terminal, over a real server: said before a start, shown while one is waited for, set while it runs
// (NW-06, NW-09, ux 2.14).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Shut whenever this test runs.
constexpr const char* kFarWindow = "open 2099-01-01 08:00-12:00";
constexpr const char* kOpens = "2099-01-01 08:00 Europe/Madrid (07:00 UTC)";

TEST(WindowVerbs, SayShowAndSetTheWindow) {
  House house(30, 5);
  ASSERT_TRUE(house.serve());
  const auto started = house.start({"--window", kFarWindow, "--zone", "Europe/Madrid", "--first", "10"});
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_THAT(started.err, HasSubstr("the first 10 calls first, newest first"));
  EXPECT_THAT(started.err, HasSubstr(std::string("bulk opens at ") + kOpens));
  const std::string id = house.import();
  ASSERT_TRUE(house.follow_until([](const v1::WatchImportResponse& message) {
    const auto& import = message.import();  // one of the first ten is broken
    return import.bulk().reason() == "window.closed" && import.first().condition() == "completed_with_gaps";
  }));

  EXPECT_THAT(house.verb({"show", id}).out, HasSubstr(std::string("window.closed (it opens at ") + kOpens));
  const auto shown = json::parse(house.verb({"window", "show", id, "-o", "json"}).out);
  EXPECT_EQ(shown["window"], kFarWindow);
  EXPECT_EQ(shown["zone"], "Europe/Madrid");
  EXPECT_EQ(shown["open"], false);
  EXPECT_EQ(shown["next_opening_ms"], 4'070'934'000'000);
  EXPECT_THAT(house.verb({"window", "show", id}).out, HasSubstr(std::string("closed, opens at ") + kOpens));
  EXPECT_THAT(house.verb({"window", "next", id}).err, HasSubstr("no opening in the next 60 days"));
  const auto calendar = house.verb({"window", "ics", id});
  EXPECT_EQ(calendar.out.substr(0, 17), "BEGIN:VCALENDAR\r\n");
  EXPECT_THAT(calendar.out, HasSubstr("DTSTART;TZID=Europe/Madrid:20990101T080000\r\n"));

  const auto refused = house.verb({"window", "set", id, "nights Europe/Madird", "--yes"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("did you mean Europe/Madrid?"));
  const auto set = house.verb({"window", "set", id, "always", "--why", "the customer agreed", "--yes"});
  EXPECT_EQ(set.code, 0) << set.err;
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  EXPECT_EQ(json::parse(house.verb({"window", "show", id, "-o", "json"}).out)["window"], "always");
  const auto late = house.verb({"window", "set", id, "nights", "--yes"});
  EXPECT_EQ(late.code, 1);
  EXPECT_THAT(late.err, HasSubstr("has ended"));
}

TEST(WindowVerbs, TheServersOwnAreUsedWhereAStartSaysNothing) {
  House house(5, 5);
  ASSERT_TRUE(house.serve());
  // What was not said is said before access is looked at, and this credential is none.
  const auto plan = house.verb({"start", "--platform", "grain", "--customer", "Acme", "--zone", "Europe/Madrid",
                                "--credential", "cred_none", "--dry-run"});
  EXPECT_THAT(plan.err, HasSubstr("the first 100 calls first, newest first"));
  EXPECT_THAT(plan.err, HasSubstr(": nights"));
  EXPECT_THAT(plan.err, HasSubstr(" Europe/Madrid ("));
}

}  // namespace
}  // namespace callimport::tests
