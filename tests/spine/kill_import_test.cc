// One import of 1,000 calls through real sockets, its server killed by SIGKILL CALLIMPORT_KILLS times at seeded
// moments. A moment is a request the sandbox has just received: the answer is never read, or the kill lands among the
// writes of those before it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

inline constexpr std::uint64_t kCalls = 1000;
inline constexpr std::size_t kRequestsPerCall = 4;  // details, transcript, link, recording

int number_from(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

TEST(KillImport, LosesAndDoublesNothing) {
  const int kills = number_from("CALLIMPORT_KILLS", 10);
  std::mt19937_64 chance(static_cast<std::uint64_t>(number_from("CALLIMPORT_SEED", 20260904)));
  House house(kCalls, 11);
  ASSERT_TRUE(house.serve());
  // Small batches: a step that was killed waits a little longer before each new try, and 100 kills would be mostly
  // waiting.
  const auto started = house.start({"--batch", "8"});
  ASSERT_EQ(started.code, 0) << started.err;

  int killed = 0;
  for (;;) {
    if (killed < kills) {
      // Spread over what is left, so that every kill finds the import at work.
      const std::size_t left = kRequestsPerCall * (kCalls - std::min<std::size_t>(house.registered().size(), kCalls));
      const std::size_t most = std::max<std::size_t>(1, left * 3 / (2 * static_cast<std::size_t>(kills - killed + 1)));
      const std::size_t at = std::uniform_int_distribution<std::size_t>(1, most)(chance);
      house.sandbox().arm(at, [pid = house.server().pid()] { ::kill(pid, SIGKILL); });
    }
    if (house.follow()) break;
    ASSERT_EQ(house.server().wait(), -SIGKILL) << "a server that was not killed went away: " << house.server().err();
    ++killed;
    ASSERT_LE(killed, kills);
    ASSERT_TRUE(house.serve()) << house.server().err();
  }
  EXPECT_EQ(killed, kills) << "the import ended before its server was killed often enough";
  house.expect_whole();
  house.expect_none_fetched_again();
  std::printf("killed %d times, %zu requests for %llu calls\n", killed, house.sandbox().asked(),
              static_cast<unsigned long long>(kCalls));
}

bool either_lane(const v1::WatchImportResponse& message, const std::string& condition, const std::string& reason) {
  const auto stands = [&](const v1::LaneStatus& lane) {
    return lane.condition() == condition && lane.reason() == reason;
  };
  return stands(message.import().first()) || stands(message.import().bulk());
}

/// A window, a pause, a retry and new access: what an operator asked for outlives the server each time.
TEST(KillImport, WhatAnOperatorAskedForOutlivesTheServer) {
  House house(60, 13, 120);
  ASSERT_TRUE(house.serve());
  const auto started = house.start({"--batch", "8", "--first", "10", "--window", "open 2099-01-01 08:00-12:00"});
  ASSERT_EQ(started.code, 0) << started.err;
  const auto follow_to = [&house](const std::string& condition, const std::string& reason) {
    return house.follow_until(
        [&](const v1::WatchImportResponse& message) { return either_lane(message, condition, reason); });
  };
  const auto kill_and_serve = [&house] {
    ::kill(house.server().pid(), SIGKILL);
    EXPECT_EQ(house.server().wait(), -SIGKILL);
    return house.serve();
  };
  const std::string id = house.import();
  ASSERT_TRUE(follow_to("waiting", "window.closed"));
  ASSERT_TRUE(kill_and_serve()) << house.server().err();
  ASSERT_TRUE(follow_to("waiting", "window.closed"));
  ASSERT_EQ(house.verb({"pause", id, "--reason", "a call at three", "--yes"}).code, 0);
  ASSERT_TRUE(follow_to("paused", ""));
  ASSERT_TRUE(kill_and_serve()) << house.server().err();
  ASSERT_EQ(house.verb({"resume", id, "--yes"}).code, 0);
  ASSERT_TRUE(follow_to("waiting", "window.closed"));
  ASSERT_EQ(house.verb({"retry", id, "--now", "--yes"}).code, 0);
  ASSERT_EQ(house.verb({"window", "set", id, "always", "--yes"}).code, 0);
  ASSERT_TRUE(follow_to("needs_attention", "access.expired"));
  ASSERT_TRUE(kill_and_serve()) << house.server().err();
  const auto renewed = house.renew_token();
  ASSERT_EQ(renewed.code, 0) << renewed.err;
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  house.expect_none_fetched_again();
}

/// What the proof above would say.
TEST(KillImport, AMediaRequestAfterTheFetchIsSeenInTheLog) {
  const std::vector<LoggedRequest> log = {{1'000, "a", "/_/public-api/v2/recordings/a/download", 302},
                                          {1'005, "a", "/cdn/a.mp4", 200},
                                          {2'000, "a", "/_/public-api/v2/recordings/a", 200},
                                          {2'001, "b", "/cdn/b.mp4", 200}};
  EXPECT_TRUE(fetched_again(log, {{"a", 1'005}}).empty());
  EXPECT_EQ(fetched_again(log, {{"a", 1'004}}).size(), 1u);
  EXPECT_EQ(fetched_again(log, {{"a", 999}, {"b", 2'000}}).size(), 3u);
}

/// The log on disk says the same as what the sandbox saw: a person can check the proof afterwards.
TEST(KillImport, RequestLogShowsEachRecordingOnceWhenNothingIsKilled) {
  House house(40, 12);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  house.expect_none_fetched_again();
  std::map<std::string, int> downloads;
  for (const auto& request : read_request_log(house.scratch() / "requests.jsonl")) {
    if (request.path.starts_with("/cdn/") && request.status == 200) ++downloads[request.call];
  }
  EXPECT_GT(downloads.size(), 30u);
  const auto registered = house.registered();
  for (const auto& [call, times] : downloads) {
    if (registered.contains(call)) EXPECT_EQ(times, 1) << call;
  }
}

}  // namespace
}  // namespace callimport::tests
