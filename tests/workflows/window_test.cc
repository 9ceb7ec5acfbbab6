// Windows, a start for later, and the watchdog, through a whole import on virtual time: NW-06, NW-09, X-03, X-04.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::Scene;

constexpr auto kFirst = storage::Lane::kFirst;
constexpr auto kBulk = storage::Lane::kBulk;

Timestamp utc(const std::string& text) { return parse_utc(text).value(); }

struct WindowScene : Scene {
  WindowScene(std::uint64_t calls, const std::string& now, const std::string& window, const std::string& zone)
      : WindowScene(options_for(calls), now, window, zone) {}
  WindowScene(simulations::ImportWorldOptions options, const std::string& now, const std::string& window,
              const std::string& zone)
      : Scene(std::move(options)) {
    world->loop.set_clock(utc(now));
    input.window = window;
    input.zone = zone;
    input.settings.first_lane = 10;
    input.settings.fetch_batch = 10;
  }

  std::size_t times_told(const std::string& text) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        world->told, [&](const auto& news) { return news.text.find(text) != std::string::npos; }));
  }
  bool run_until_bulk_is(const std::string& condition, Nanos limit) {
    return world->run_until([&] { return row().bulk.condition == condition; }, limit);
  }
  /// Calls whose details were asked for in [from, to).
  std::size_t calls_asked(Timestamp from, Timestamp to) const {
    return static_cast<std::size_t>(std::ranges::count_if(world->http->log(), [&](const auto& entry) {
      return entry.at >= from && entry.at < to && entry.method == "POST" && !entry.call.empty();
    }));
  }
  /// X-03: no counter of the timeline is ever less than before; found may be, where calls disappear at the source.
  void expect_counters_never_fall() {
    storage::Counters before;
    for (const auto& change : timeline()) {
      const auto& now = change.counters;
      EXPECT_GE(now.registered, before.registered);
      EXPECT_GE(now.duplicate, before.duplicate);
      EXPECT_GE(now.skipped, before.skipped);
      EXPECT_GE(now.failed, before.failed);
      EXPECT_GE(now.found, before.found);
      EXPECT_GE(now.media_bytes, before.media_bytes);
      EXPECT_TRUE(now.add_up());
      before = now;
    }
  }
  void expect_whole(std::int64_t calls) {
    EXPECT_EQ(row().counters.registered, calls);
    EXPECT_THAT(broken_promises(*world, id), IsEmpty());
    expect_counters_never_fall();
    check_histories();
  }
};

TEST(Windows, TheFirstLaneRunsAtAnyHourAndBulkWaitsForTheNight) {
  WindowScene scene(30, "2026-11-21T09:00:00Z", "nights", "Europe/Madrid");
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 10min)) << scene.status();
  const auto row = scene.row();
  EXPECT_EQ(row.first.condition, "completed");
  EXPECT_EQ(row.counters.registered, 10);
  EXPECT_EQ(row.bulk.reason, "window.closed");
  EXPECT_EQ(format_utc(from_unix_ms(*row.bulk.until_ms)), "2026-11-21T19:00:00Z");
  EXPECT_EQ(row.bulk.why, "it opens at 2026-11-21 20:00 Europe/Madrid (19:00 UTC)");
  EXPECT_EQ(scene.status_json()["condition"], "waiting");
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(scene.world->loop.now(), utc("2026-11-21T19:00:00Z"));
  EXPECT_LE(scene.world->loop.now(), utc("2026-11-21T19:05:00Z"));
  EXPECT_EQ(scene.times_told("window for the bulk of the calls is closed"), 1u);
  EXPECT_THAT(scene.conditions(kFirst), ElementsAre("running", "completed"));
  EXPECT_THAT(scene.conditions(kBulk), ElementsAre("running", "waiting window.closed", "running", "completed"));
  scene.expect_whole(30);
}

TEST(Windows, ABatchUnderWayWhenItClosesEndsItsCallsAndTakesNoMore) {
  auto options = Scene::options_for(60);
  options.grain.slow = 20s;  // a call takes at least a minute
  WindowScene scene(options, "2026-11-21T09:00:00Z", "daily 10:00-10:06", "UTC");
  scene.input.settings.fetch_batch = 40;
  scene.input.settings.fetch_at_once = 2;
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 50min)) << scene.status();
  scene.world->run_until([&] { return scene.world->loop.now() >= utc("2026-11-21T11:00:00Z"); }, 4h);
  EXPECT_GT(scene.calls_asked(utc("2026-11-21T10:00:00Z"), utc("2026-11-21T10:06:00Z")), 4u);
  EXPECT_EQ(scene.calls_asked(utc("2026-11-21T10:06:00Z"), utc("2026-11-21T11:00:00Z")), 0u);
  EXPECT_EQ(scene.row().bulk.reason, "window.closed");
  EXPECT_GT(scene.row().counters.registered, 10);
  EXPECT_LT(scene.row().counters.registered, 60);
  ASSERT_TRUE(scene.world->run_until_closed(24h * 20)) << scene.status();
  for (Timestamp day = utc("2026-11-21T10:06:00Z"); day < scene.world->loop.now(); day += 24h)
    EXPECT_EQ(scene.calls_asked(day, day + 23h + 54min), 0u) << format_utc(day);
  scene.expect_whole(60);
}

// The night of a change of the clock is an hour shorter, or longer; work stops when the clocks there say so.
struct Night {
  const char* name;
  const char* now;
  const char* zone;
  const char* opens;
  const char* closes;
};
void PrintTo(const Night& row, std::ostream* out) { *out << row.name; }
class Nights : public testing::TestWithParam<Night> {};

TEST_P(Nights, AreAsLongAsTheClocksThereMakeThem) {
  const auto& night = GetParam();
  auto options = Scene::options_for(700);
  options.grain.slow = 25s;  // about 300 calls a night
  WindowScene scene(options, night.now, "nights", night.zone);
  scene.input.settings.fetch_at_once = 1;
  scene.input.settings.fetch_batch = 50;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h * 10)) << scene.status();
  const Timestamp opens = utc(night.opens), closes = utc(night.closes);
  EXPECT_EQ(scene.calls_asked(opens - 3h, opens), 0u);
  EXPECT_GT(scene.calls_asked(opens, opens + 15min), 0u);
  EXPECT_GT(scene.calls_asked(closes - 15min, closes), 0u);
  EXPECT_EQ(scene.calls_asked(closes, closes + 13h), 0u);
  scene.expect_whole(700);
}
INSTANTIATE_TEST_SUITE_P(Table, Nights,
                         testing::Values(Night{"OneHourShorter", "2026-03-07T12:00:00Z", "America/New_York",
                                               "2026-03-08T01:00:00Z", "2026-03-08T10:00:00Z"},
                                         Night{"OneHourLonger", "2026-10-31T12:00:00Z", "America/New_York",
                                               "2026-11-01T00:00:00Z", "2026-11-01T11:00:00Z"},
                                         Night{"HalfAnHourShorter", "2026-10-03T00:00:00Z", "Australia/Lord_Howe",
                                               "2026-10-03T09:30:00Z", "2026-10-03T19:00:00Z"}),
                         [](const auto& test) { return test.param.name; });

TEST(Windows, PauseAttentionAndAClosedWindowAtOnceShowTheMostUrgent) {
  auto options = Scene::options_for(40);
  options.grain.expire_after = 70;
  WindowScene scene(options, "2026-11-21T09:00:00Z", "nights", "UTC");
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 10min)) << scene.status();
  EXPECT_EQ(scene.status_json()["reason"], "window.closed");
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", R"({"who":"Ana","why":"demo"})").has_value());
  ASSERT_TRUE(scene.run_until_bulk_is("paused", 1min)) << scene.status();
  scene.world->run_until([&] { return scene.world->loop.now() >= utc("2026-11-21T20:30:00Z"); }, 24h);
  EXPECT_EQ(scene.status_json()["condition"], "paused") << "a window that opens ends no pause";
  EXPECT_EQ(scene.row().counters.registered, 10);
  ASSERT_TRUE(scene.world->signal(scene.id, "resume", R"({"who":"Ana"})").has_value());
  ASSERT_TRUE(scene.run_until_bulk_is("needs_attention", 10min)) << scene.status();
  scene.world->run_until([&] { return scene.world->loop.now() >= utc("2026-11-22T09:00:00Z"); }, 24h);
  EXPECT_EQ(scene.status_json()["condition"], "needs_attention") << "a window that closes hides no person's task";
  const std::string fresh = "grain_pat_renewed0_RenewedRenewedRenewedRenewedRenewed0000";
  scene.world->sandbox->accept(fresh);
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, fresh).has_value());
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 10min)) << scene.status();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(scene.world->loop.now(), utc("2026-11-22T20:00:00Z"));
  scene.expect_whole(40);
}

TEST(Windows, AnotherOneGivenWhileItWaitsHoldsAtOnce) {
  WindowScene scene(30, "2026-11-21T09:00:00Z", "nights", "Europe/Madrid");
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 10min));
  ASSERT_TRUE(scene.world->signal(scene.id, "set-window", R"({"window":"nihgts","who":"Ana"})").has_value());
  scene.world->loop.run_for(1min);
  EXPECT_EQ(scene.times_told("was not taken"), 1u);
  EXPECT_EQ(scene.row().bulk.condition, "waiting");
  ASSERT_TRUE(scene.world->signal(scene.id, "set-window", R"({"window":"always","who":"Ana","why":"asked"})"));
  ASSERT_TRUE(scene.world->run_until_closed(10min)) << scene.status();
  EXPECT_EQ(scene.times_told("The window was set by Ana (asked): always, in Europe/Madrid."), 1u);
  EXPECT_THAT(scene.row().input, HasSubstr(R"("window":"always")"));
  scene.expect_whole(30);
}

TEST(Windows, AnotherOneGivenWhileABatchRunsHoldsFromTheNextCallOn) {
  auto options = Scene::options_for(60);
  options.grain.slow = 20s;
  WindowScene scene(options, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.input.settings.fetch_batch = 50;
  scene.input.settings.fetch_at_once = 2;
  scene.start();
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().bulk.stage == "fetch"; }, 1h));
  scene.world->loop.run_for(5min);
  ASSERT_TRUE(scene.world->signal(scene.id, "set-window", R"({"window":"nights"})").has_value());
  scene.world->loop.run_for(1s);
  const Timestamp set = scene.world->loop.now();
  scene.world->loop.run_for(1h);
  EXPECT_EQ(scene.calls_asked(set, set + 1h), 0u);
  EXPECT_EQ(scene.row().bulk.reason, "window.closed");
  ASSERT_TRUE(scene.world->restart().has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(scene.world->loop.now(), utc("2026-11-21T20:00:00Z"));
  scene.expect_whole(60);
}

TEST(Windows, OneThatHasNoOpeningLeftNeedsAPerson) {
  auto options = Scene::options_for(60);
  options.grain.slow = 20s;
  WindowScene scene(options, "2026-11-21T09:00:00Z", "open 2026-11-21 09:00-09:10", "UTC");
  scene.input.settings.fetch_at_once = 2;
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("needs_attention", 1h)) << scene.status();
  EXPECT_EQ(scene.row().bulk.reason, "window.never_opens");
  ASSERT_TRUE(scene.world->signal(scene.id, "set-window", R"({"window":"always"})").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  scene.expect_whole(60);
}

struct Refused {
  const char* name;
  const char* window;
  const char* zone;
  const char* says;
};
void PrintTo(const Refused& row, std::ostream* out) { *out << row.name; }
class RefusedWindows : public testing::TestWithParam<Refused> {};

TEST_P(RefusedWindows, EndTheImportBeforeItBegins) {
  WindowScene scene(5, "2026-11-21T09:00:00Z", GetParam().window, GetParam().zone);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h));
  EXPECT_EQ(scene.row().id, "") << "nothing was begun";
  const auto histories = scene.world->histories(scene.id, scene.runs.front());
  const auto& last = histories.back().events(histories.back().events_size() - 1);
  EXPECT_THAT(last.workflow_execution_failed_event_attributes().failure().message(), HasSubstr(GetParam().says));
  EXPECT_TRUE(scene.world->http->log().empty());
}
INSTANTIATE_TEST_SUITE_P(
    Table, RefusedWindows,
    testing::Values(Refused{"NoSuchZone", "nights", "Europe/Madird", "did you mean Europe/Madrid?"},
                    Refused{"AllInThePast", "open 2026-11-20 08:00-12:00", "UTC", "never opens from now on"},
                    Refused{"NoWords", "now and then", "UTC", "is not understood"}),
    [](const auto& test) { return test.param.name; });

// NW-06: the first lane is cut from the order asked for.
TEST(Orders, TheLongestComeFirst) {
  WindowScene scene(60, "2026-11-21T09:00:00Z", "nights", "UTC");
  scene.input.order = "length";
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 1h)) << scene.status();
  std::int64_t shortest_first = -1, longest_bulk = 0;
  const auto rows = scene.world->library().manifest(scene.id, std::nullopt, "", "", 100).value();
  for (const auto& row : rows) {
    const std::int64_t length = row.duration_ms.value_or(0);
    if (row.lane == kBulk) longest_bulk = std::max(longest_bulk, length);
    if (row.lane == kFirst && (shortest_first < 0 || length < shortest_first)) shortest_first = length;
  }
  EXPECT_GE(shortest_first, longest_bulk);
  EXPECT_EQ(scene.row().counters.registered, 10);
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  scene.expect_whole(60);
}

std::string owner_of(const simulations::SandboxCall& call) {
  for (const auto& person : call.people) {
    if (person.host) return person.email;
  }
  return {};
}

TEST(Orders, OneOwnersCallsComeFirst) {
  WindowScene scene(60, "2026-11-21T09:00:00Z", "nights", "UTC");
  const auto owner = owner_of(scene.world->sandbox->calls().whole(40));
  scene.input.order = "owner:" + owner;
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 1h)) << scene.status();
  const auto of_owner = [&](std::uint64_t index) {
    return owner_of(scene.world->sandbox->calls().whole(index)) == owner;
  };
  std::size_t theirs = 0, theirs_first = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    if (!of_owner(i)) continue;
    ++theirs;
    const auto id = scene.world->sandbox->calls().head(i).id;
    theirs_first += scene.world->library().manifest_row(scene.id, id).value()->lane == kFirst ? 1 : 0;
  }
  EXPECT_EQ(theirs_first, std::min<std::size_t>(theirs, 10));
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  scene.expect_whole(60);
}

TEST(ScheduledStarts, WaitAndSayUntilWhen) {
  WindowScene scene(5, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.input.at_ms = to_unix_ms(utc("2026-11-23T07:00:00Z"));
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 1min)) << scene.status();
  EXPECT_EQ(scene.row().first.reason, "start.scheduled");
  EXPECT_EQ(scene.row().first.until_ms, scene.input.at_ms);
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", R"({"who":"Ana","until_ms":1795338000000})").has_value());
  ASSERT_TRUE(scene.run_until_bulk_is("paused", 1min)) << scene.status();
  ASSERT_TRUE(scene.world->signal(scene.id, "resume", "{}").has_value());
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 1min)) << scene.status();
  ASSERT_TRUE(scene.world->restart().has_value());
  ASSERT_TRUE(scene.world->run_until_closed(72h)) << scene.status();
  EXPECT_GE(scene.world->loop.now(), utc("2026-11-23T07:00:00Z"));
  EXPECT_LE(scene.world->loop.now(), utc("2026-11-23T07:05:00Z"));
  EXPECT_EQ(scene.calls_asked(utc("2026-11-21T09:00:00Z"), utc("2026-11-23T07:00:00Z")), 0u);
  scene.expect_whole(5);
}

TEST(ScheduledStarts, MayBeginAtOnceAfterAll) {
  WindowScene scene(5, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.input.at_ms = to_unix_ms(utc("2026-11-23T07:00:00Z"));
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 1min));
  ASSERT_TRUE(scene.world->signal(scene.id, "retry-now", "").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(10min)) << scene.status();
  scene.expect_whole(5);
}

// While it waits for its window somebody sets the machine's clock: back an hour, forward a year.
TEST(Windows, TheClockIsSetBackAnHourWhileOneIsWaitedFor) {
  WindowScene scene(30, "2026-11-21T18:30:00Z", "nights", "UTC");
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 10min));
  scene.world->loop.set_clock(scene.world->loop.now() - 1h);
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(scene.world->loop.now(), utc("2026-11-21T20:00:00Z"));
  scene.expect_whole(30);
}

TEST(Windows, TheClockIsSetForwardAYearWhileOneIsWaitedFor) {
  WindowScene scene(30, "2026-11-21T09:00:00Z", "nights", "UTC");
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("waiting", 10min));
  scene.world->loop.set_clock(utc("2027-11-21T12:00:00Z"));
  scene.world->loop.run_for(1h);
  EXPECT_EQ(scene.row().bulk.reason, "window.closed") << "it is noon, whatever the year";
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(scene.world->loop.now(), utc("2027-11-21T20:00:00Z"));
  EXPECT_EQ(scene.times_told("Nothing moves"), 0u);
  scene.expect_whole(30);
}

// X-04: a platform that takes each connection and never answers, while the step's heartbeats go on.
TEST(Watchdog, SaysByItselfThatNothingMovesAndThatItMovesAgain) {
  WindowScene scene(40, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.input.settings.tries_in_step = 1'000;
  scene.input.settings.no_progress_ms = 120'000;  // before the outage has a name
  const Timestamp from = utc("2026-11-21T09:00:00Z") + 100ms;
  bool silent = false;
  scene.world->outside.answer = [&silent](const SandboxRequest&, Timestamp) -> std::optional<SandboxReply> {
    if (!silent) return std::nullopt;
    SandboxReply never;
    never.delay = std::chrono::hours{24 * 365};
    return never;
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().counters.found >= 10; }, 1h));
  silent = true;
  const auto needs = [&] { return scene.status_json()["condition"] == "needs_attention"; };
  ASSERT_TRUE(scene.world->run_until(needs, 1h)) << scene.status();
  EXPECT_EQ(scene.status_json()["reason"], "engine.no_progress");
  const auto told = [&] { return scene.times_told("Nothing moves, though nothing is waited for.") == 1; };
  EXPECT_TRUE(scene.world->run_until(told, 2s)) << "an escalation is told at once";
  EXPECT_GE(scene.world->loop.now() - from, 119s);
  EXPECT_LE(scene.world->loop.now() - from, 5min);
  silent = false;
  ASSERT_TRUE(scene.world->run_until_closed(2h)) << scene.status();
  EXPECT_THAT(scene.conditions(kBulk), Not(Contains("failed")));
  scene.expect_whole(40);
}

TEST(Watchdog, IsSilentWhereASlowBatchMoves) {
  auto options = Scene::options_for(60);
  options.grain.slow = 25s;
  WindowScene scene(options, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.input.settings.fetch_batch = 60;
  scene.input.settings.fetch_at_once = 1;  // one step of an hour and more, no event in it
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(48h)) << scene.status();
  EXPECT_EQ(scene.times_told("Nothing moves"), 0u);
  EXPECT_THAT(scene.conditions(kBulk), ElementsAre("running", "completed"));
  scene.expect_whole(60);
}

TEST(Watchdog, LetsASilentPlatformHaveItsName) {
  WindowScene scene(40, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.world->outside.answer = [](const SandboxRequest&, Timestamp now) -> std::optional<SandboxReply> {
    if (now < utc("2026-11-21T09:00:01Z") || now > utc("2026-11-21T09:40:00Z")) return std::nullopt;
    SandboxReply never;
    never.delay = std::chrono::hours{24 * 365};
    return never;
  };
  scene.world->loop.set_clock(utc("2026-11-21T09:00:02Z"));
  scene.start();
  ASSERT_TRUE(scene.world->run_until([&] { return scene.status_json()["condition"] == "waiting"; }, 1h));
  EXPECT_LE(scene.world->loop.now(), utc("2026-11-21T09:05:02Z"));
  EXPECT_EQ(scene.status_json()["reason"], "platform.outage");
  ASSERT_TRUE(scene.world->run_until_closed(4h)) << scene.status();
  EXPECT_EQ(scene.times_told("Nothing moves"), 0u);
  scene.expect_whole(40);
}

// Refused for a while, each time for less than a minute: no wait is told, so the watchdog must.
TEST(Watchdog, SeesARefusalThatNeverEnds) {
  WindowScene scene(40, "2026-11-21T09:00:00Z", "always", "UTC");
  scene.world->outside.answer = [](const SandboxRequest&, Timestamp now) -> std::optional<SandboxReply> {
    if (now > utc("2026-11-21T09:30:00Z")) return std::nullopt;
    SandboxReply busy;
    busy.status = 429;
    busy.headers.emplace_back("retry-after", "20");
    return busy;
  };
  scene.start();
  ASSERT_TRUE(scene.run_until_bulk_is("needs_attention", 10min)) << scene.status();
  EXPECT_EQ(scene.row().bulk.reason, "engine.no_progress");
  EXPECT_LE(scene.world->loop.now(), utc("2026-11-21T09:05:30Z"));
  ASSERT_TRUE(scene.world->run_until_closed(2h)) << scene.status();
  EXPECT_EQ(scene.times_told("Nothing moves"), 1u) << "once, not once a lane";
  EXPECT_THAT(scene.conditions(kFirst),
              ElementsAre("running", "needs_attention engine.no_progress", "running", "completed"));
  scene.expect_whole(40);
}

}  // namespace
}  // namespace callimport::workflows
