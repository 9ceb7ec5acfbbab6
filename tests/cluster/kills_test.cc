// One import of 1,000 calls on the real server, while our worker or that server is killed by SIGKILL at seeded moments.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <temporal/api/history/v1/message.pb.h>

#include <cstdlib>
#include <random>

#include "tests/cluster/dev_server.h"
#include "tests/cluster/scrubbed.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

inline constexpr std::uint64_t kCalls = 1000;
inline constexpr std::size_t kRequestsPerCall = 4;  // details, transcript, link, recording

int number_from(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

/// A request some way ahead, so that `left` more kills find the import at work.
std::size_t moment(House& house, int left, std::mt19937_64& chance) {
  const std::size_t registered = std::min<std::size_t>(house.registered().size(), kCalls);
  const std::size_t requests = kRequestsPerCall * (kCalls - registered);
  const std::size_t most = std::max<std::size_t>(1, requests * 3 / (2 * static_cast<std::size_t>(left + 1)));
  return std::uniform_int_distribution<std::size_t>(1, most)(chance);
}

/// The workflow ended well, too, and nothing in its history says otherwise.
void expect_closed_well(const DevServer& server, const std::string& import) {
  auto client = api::Client::create(api::Connection{.address = server.address()});
  const auto runs = closed_histories(*client, import);
  ASSERT_FALSE(runs.empty());
  ASSERT_FALSE(runs.back().events().empty());
  EXPECT_EQ(runs.back().events().rbegin()->event_type(),
            temporal::api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
  for (const auto& run : runs) {
    for (const auto& event : run.events()) {
      EXPECT_NE(event.event_type(), temporal::api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_FAILED)
          << event.ShortDebugString();
    }
  }
}

TEST(KillOnCluster, TheWorkerLosesAndDoublesNothing) {
  NEEDS_TEMPORAL();
  const int kills = number_from("CALLIMPORT_CLUSTER_KILLS", 4);
  std::mt19937_64 chance(static_cast<std::uint64_t>(number_from("CALLIMPORT_SEED", 20261121)));
  Scratch scratch;
  DevServer server(scratch);
  ASSERT_TRUE(server.start()) << server.words();
  House house(kCalls, 31);
  ASSERT_TRUE(house.work(server.address()));
  const auto started = house.start({"--batch", "8"});
  ASSERT_EQ(started.code, 0) << started.err;
  int killed = 0;
  for (;;) {
    if (killed < kills) {
      house.sandbox().arm(moment(house, kills - killed, chance),
                          [pid = house.server().pid()] { ::kill(pid, SIGKILL); });
    }
    if (house.follow()) break;
    ASSERT_EQ(house.server().wait(), -SIGKILL) << "a worker that was not killed went away: " << house.server().err();
    ++killed;
    ASSERT_LE(killed, kills);
    ASSERT_TRUE(house.work(server.address())) << house.server().err();
  }
  EXPECT_EQ(killed, kills) << "the import ended before its worker was killed often enough";
  house.expect_whole();
  expect_closed_well(server, house.import());
}

TEST(KillOnCluster, TheWorkerOutlivesItsServer) {
  NEEDS_TEMPORAL();
  const int kills = number_from("CALLIMPORT_CLUSTER_SERVER_KILLS", 2);
  std::mt19937_64 chance(static_cast<std::uint64_t>(number_from("CALLIMPORT_SEED", 20261121)));
  Scratch scratch;
  DevServer server(scratch);
  ASSERT_TRUE(server.start()) << server.words();
  House house(kCalls, 32);
  ASSERT_TRUE(house.work(server.address()));
  ASSERT_EQ(house.start({"--batch", "8"}).code, 0);
  int killed = 0;
  // On the sandbox's thread: the request it holds back is answered once the server is there again.
  std::function<void()> at = [&] {
    ++killed;
    server.kill_hard();
    EXPECT_TRUE(server.start()) << server.words();
    if (killed < kills) house.sandbox().arm(std::uniform_int_distribution<std::size_t>(200, 1000)(chance), at);
  };
  house.sandbox().arm(std::uniform_int_distribution<std::size_t>(100, 1000)(chance), at);
  ASSERT_TRUE(house.follow()) << house.server().err();
  EXPECT_EQ(killed, kills);
  house.expect_whole();
  expect_closed_well(server, house.import());
}

/// Runs of the import that did not continue another one.
int beginnings(const DevServer& server, const std::string& import) {
  auto client = api::Client::create(api::Connection{.address = server.address()});
  int count = 0;
  for (const auto& run : closed_histories(*client, import)) {
    if (run.events().empty()) continue;
    const auto& started = run.events(0).workflow_execution_started_event_attributes();
    count += started.continued_execution_run_id().empty() ? 1 : 0;
  }
  return count;
}

/// The cluster comes back empty, as after its own disk was lost: the library still has the import open.
TEST(LostCluster, TheWorkerTakesUpWhatNothingRunsFor) {
  NEEDS_TEMPORAL();
  Scratch scratch, empty;
  House house(120, 33);
  {
    DevServer server(scratch);
    ASSERT_TRUE(server.start()) << server.words();
    ASSERT_TRUE(house.work(server.address()));
    house.sandbox().arm(200, [pid = house.server().pid()] { ::kill(pid, SIGKILL); });
    ASSERT_EQ(house.start({"--batch", "8"}).code, 0);
    ASSERT_FALSE(house.follow());
    ASSERT_EQ(house.server().wait(), -SIGKILL);
    server.kill_hard();
  }
  DevServer server(empty);
  ASSERT_TRUE(server.start()) << server.words();
  // The first worker is killed once the import is at work again; the second one finds it running.
  ASSERT_TRUE(house.work(server.address()));
  house.sandbox().arm(30, [pid = house.server().pid()] { ::kill(pid, SIGKILL); });
  ASSERT_FALSE(house.follow());
  ASSERT_EQ(house.server().wait(), -SIGKILL);
  ASSERT_TRUE(house.work(server.address()));
  ASSERT_TRUE(house.follow()) << house.server().err();
  house.expect_whole();
  expect_closed_well(server, house.import());
  EXPECT_EQ(beginnings(server, house.import()), 1);
}

}  // namespace
}  // namespace callimport::tests
