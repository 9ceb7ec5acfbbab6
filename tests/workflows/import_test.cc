// The life of an import in simulation: lanes, order, pause, cancel, re-request, restarts; and that no promise is
// broken.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using simulations::ImportWorldOptions;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Scene;

constexpr auto kFirst = storage::Lane::kFirst;
constexpr auto kBulk = storage::Lane::kBulk;

TEST(Import, BringsEveryCallAcrossOnce) {
  Scene scene(300);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto row = scene.row();
  EXPECT_EQ(row.counters.found, 300);
  EXPECT_EQ(row.counters.registered, 300);
  EXPECT_TRUE(row.first_ready_ms.has_value());
  EXPECT_TRUE(row.closed_ms.has_value());
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(scene.report()["grade"], "perfect");
  const std::vector<std::string> six = {"authenticate", "enumerate", "prioritize", "fetch", "register", "notify"};
  EXPECT_EQ(scene.stages(kFirst), six);
  EXPECT_EQ(scene.stages(kBulk), six);
  EXPECT_THAT(scene.conditions(kFirst), ElementsAre("running", "completed"));
  EXPECT_THAT(scene.conditions(kBulk), ElementsAre("running", "completed"));
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}

struct SizeRow {
  const char* name;
  std::uint64_t calls;
};
void PrintTo(const SizeRow& row, std::ostream* out) { *out << row.name; }
class Sizes : public testing::TestWithParam<SizeRow> {};

TEST_P(Sizes, CompleteWhateverTheWorkspaceHolds) {
  Scene scene(GetParam().calls);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, static_cast<std::int64_t>(GetParam().calls));
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}
INSTANTIATE_TEST_SUITE_P(Table, Sizes,
                         testing::Values(SizeRow{"Empty", 0}, SizeRow{"One", 1}, SizeRow{"JustTheFirstLane", 100},
                                         SizeRow{"OneMore", 101}, SizeRow{"OnePageMore", 121}, SizeRow{"Many", 1'000}),
                         [](const auto& test) { return test.param.name; });

TEST(Import, TheNewestHundredComeFirstWhileCountingGoesOn) {
  Scene scene(500);
  scene.input.settings.pages = 2;
  scene.start();
  const auto ready = [&] { return scene.world->library().import(scene.id)->first_ready_ms.has_value(); };
  const auto exists = [&] { return scene.world->library().import(scene.id).has_value(); };
  ASSERT_TRUE(scene.world->run_until(exists, 1h));
  ASSERT_TRUE(scene.world->run_until(ready, 1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 100);
  const auto& calls = scene.world->sandbox->calls();
  for (std::uint64_t index = 0; index < 100; ++index) {
    const auto found = scene.world->library().manifest_row(scene.id, calls.head(index).id);
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->state, storage::CallState::kRegistered) << index;
  }
  bool overlapped = false;
  std::string first, bulk;
  for (const auto& change : scene.timeline()) {
    (change.lane == kFirst ? first : bulk) = change.row.stage;
    overlapped = overlapped || (first == "fetch" && bulk == "enumerate");
  }
  EXPECT_TRUE(overlapped);
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  EXPECT_EQ(scene.row().counters.registered, 500);
}

TEST(Import, AHistoryStaysShortAndGoesOnAsNew) {
  Scene scene(700);
  scene.input.settings.events_max = 120;
  scene.input.settings.fetch_batch = 20;
  scene.input.settings.register_batch = 10;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 700);
  const auto histories = scene.world->histories(scene.id, scene.runs.front());
  EXPECT_GE(histories.size(), 3u);
  for (const auto& history : histories) EXPECT_LE(history.events_size(), 220);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}

TEST(Import, WorksWithoutACacheOfRuns) {
  auto options = Scene::options_for(150);
  options.cached_runs_max = 0;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 150);
  scene.check_histories();
}

TEST(Import, ASampleTakesTheNewest) {
  Scene scene(200);
  scene.input.calls_max = 30;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.found, 30);
  EXPECT_EQ(scene.row().counters.registered, 30);
}

TEST(Import, WithoutMediaFetchesNone) {
  Scene scene(50);
  scene.input.media = false;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 50);
  EXPECT_THAT(scene.world->downloads(), IsEmpty());
}

TEST(Import, AnotherImportOfTheWorkspaceFindsDuplicatesAndFetchesNothing) {
  Scene scene(60);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  const auto fetched = scene.world->downloads().size();
  scene.input.import = scene.id = "imp_second";
  scene.input.credential = scene.world->add_credential();
  scene.runs.clear();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.duplicate, 60);
  EXPECT_EQ(scene.row().counters.registered, 0);
  EXPECT_EQ(scene.world->downloads().size(), fetched);
  EXPECT_EQ(scene.report()["result"], "completed");
}

TEST(Import, CredentialAndReceiptsAreGoneOnceItIsClosed) {
  Scene scene(20);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  const auto known = scene.world->vault().list();
  ASSERT_EQ(known->size(), 1u);
  EXPECT_TRUE(known->front().wiped_ms.has_value());
  EXPECT_EQ(scene.row().credential, "");
  // A receipt would be returned instead of the work being done.
  bool ran = false;
  const auto written =
      scene.world->library().write({scene.runs.front(), "1", 1}, [&](storage::LibraryTx&) -> Result<std::string> {
        ran = true;
        return std::string("{}");
      });
  EXPECT_TRUE(written.has_value());
  EXPECT_TRUE(ran);
}

TEST(Import, EveryChangeIsToldInOrderAndTheEndIsAReport) {
  Scene scene(120);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  ASSERT_TRUE(scene.world->run_until(
      [&] { return !scene.world->told.empty() && scene.world->told.back().event == "import.completed"; }, 1h));
  std::vector<std::string> events;
  for (const auto& news : scene.world->told) events.push_back(news.event);
  EXPECT_EQ(events.front(), "import.started");
  EXPECT_EQ(std::count(events.begin(), events.end(), "import.first_ready"), 1);
  EXPECT_EQ(std::count(events.begin(), events.end(), "import.completed"), 1);
  EXPECT_THAT(scene.world->told.back().text, HasSubstr("120 of 120 importable calls (grade perfect)"));
  for (const auto& news : scene.world->told) {
    EXPECT_EQ(news.subject, "[Calls] Northwind · Grain import imp_world");
    EXPECT_FALSE(news.next.empty()) << news.text;
  }
  // One record for each change of place but the closing one, which the report tells, and one each for start and end;
  // half way is a change of counters alone.
  const auto half = std::count(events.begin(), events.end(), "import.half_way");
  EXPECT_LE(half, 1);
  EXPECT_EQ(events.size(), scene.timeline().size() + static_cast<std::size_t>(half));
}

TEST(Import, IsPausedAndResumedByAPerson) {
  Scene scene(400);
  scene.input.settings.fetch_batch = 20;
  scene.start();
  const auto fetching = [&] {
    const auto row = scene.world->library().import(scene.id);
    return row && row->counters.registered > 20;
  };
  ASSERT_TRUE(scene.world->run_until(fetching, 1h));
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", R"({"who":"Ana","why":"customer demo"})").has_value());
  const auto paused = [&] { return scene.row().bulk.condition == "paused"; };
  ASSERT_TRUE(scene.world->run_until(paused, 1h)) << scene.status();
  EXPECT_EQ(scene.row().bulk.who, "Ana");
  EXPECT_EQ(scene.row().bulk.why, "customer demo");
  EXPECT_EQ(scene.status_json()["condition"], "paused");
  scene.world->loop.run_for(1h);
  const auto requests = scene.world->http->requests();
  const auto before = scene.row().counters;
  EXPECT_FALSE(scene.world->run_until_closed(48h));
  EXPECT_EQ(scene.world->http->requests(), requests) << "a paused import asks for nothing";
  EXPECT_EQ(scene.row().counters, before);
  ASSERT_TRUE(scene.world->restart().has_value());
  EXPECT_FALSE(scene.world->run_until_closed(48h)) << "a restart does not resume";
  ASSERT_TRUE(scene.world->signal(scene.id, "resume", R"({"who":"Ana"})").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 400);
  EXPECT_THAT(scene.conditions(kBulk), ElementsAre("running", "paused", "running", "completed"));
  scene.check_histories();
}

TEST(Import, APauseWithADateEndsByItself) {
  Scene scene(400);
  scene.start();
  const auto begun = [&] { return scene.world->library().import(scene.id).has_value(); };
  ASSERT_TRUE(scene.world->run_until(begun, 1h));
  const auto until = to_unix_ms(scene.world->loop.now() + 5h);
  ASSERT_TRUE(
      scene.world->signal(scene.id, "pause", R"({"who":"Ana","until_ms":)" + std::to_string(until) + "}").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(to_unix_ms(scene.world->loop.now()), until);
  EXPECT_EQ(scene.row().counters.registered, 400);
}

TEST(Import, ACancelledImportClosesWithAReportAndKeepsWhatItHas) {
  Scene scene(600);
  scene.input.settings.fetch_batch = 20;
  scene.start();
  const auto some = [&] {
    const auto row = scene.world->library().import(scene.id);
    return row && row->counters.registered > 150;
  };
  ASSERT_TRUE(scene.world->run_until(some, 1h));
  ASSERT_TRUE(scene.world->cancel(scene.id).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(10min)) << scene.status();
  EXPECT_EQ(scene.row().bulk.condition, "cancelled");
  EXPECT_EQ(scene.row().first.condition, "completed");
  EXPECT_EQ(scene.report()["result"], "cancelled");
  const auto kept = scene.row().counters.registered;
  EXPECT_GT(kept, 150);
  EXPECT_LT(kept, 600);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();

  const auto before = scene.world->downloads();
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 600);
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
}

TEST(Import, CancelledWhileItWaits) {
  Scene scene(40);
  scene.world->outside.answer = [](const SandboxRequest&, Timestamp) -> std::optional<SandboxReply> {
    SandboxReply reply;
    reply.status = 503;
    return reply;
  };
  scene.start();
  ASSERT_FALSE(scene.world->run_until_closed(3h));
  EXPECT_EQ(scene.row().first.condition, "paused");
  ASSERT_TRUE(scene.world->cancel(scene.id).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(1min)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "cancelled");
}

TEST(Import, ARequestForTheSameImportRunsOnlyWhatIsMissing) {
  auto options = Scene::options_for(80);
  Scene scene(options);
  const std::string broken = scene.world->sandbox->calls().head(3).id;
  scene.world->outside.answer = [broken](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
    if (request.target.find(broken) == std::string::npos) return std::nullopt;
    SandboxReply reply;
    reply.status = 403;
    return reply;
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed_with_gaps");
  EXPECT_EQ(scene.row().counters.failed, 1);
  const auto before = scene.world->http->log().size();

  scene.world->outside.answer = nullptr;
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(scene.row().counters.registered, 80);
  for (std::size_t at = before; at < scene.world->http->log().size(); ++at) {
    const auto& entry = scene.world->http->log()[at];
    EXPECT_TRUE(entry.call.empty() || entry.call == broken) << entry.path;
  }
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}

TEST(Import, AFailedOneIsTakenUpAgain) {
  Scene scene(300);
  scene.input.settings.fetch_batch = 20;
  scene.start();
  const auto some = [&] {
    const auto row = scene.world->library().import(scene.id);
    return row && row->counters.registered > 50;
  };
  ASSERT_TRUE(scene.world->run_until(some, 1h));
  ASSERT_TRUE(scene.world->vault().wipe(CredentialId::parse(scene.credential).value(), 1).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(10min)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "failed");
  EXPECT_EQ(scene.report()["cause"], "access.credential_gone");
  EXPECT_EQ(scene.row().bulk.condition, "failed");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();

  std::set<std::string> registered;
  const auto rows = scene.world->library().manifest(scene.id, storage::CallState::kRegistered, "", "", 1'000);
  for (const auto& row : *rows) registered.insert(row.source_id);
  const auto before = scene.world->downloads().size();
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(scene.row().counters.registered, 300);
  const auto downloads = scene.world->downloads();
  for (std::size_t at = before; at < downloads.size(); ++at) EXPECT_FALSE(registered.contains(downloads[at].first));
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
}

TEST(Import, ACredentialInUseElsewhereIsKept) {
  Scene scene(30);
  scene.start();
  auto second = scene.input;
  second.import = "imp_second";
  second.workspace = "other";
  second.calls_max = 5;
  ASSERT_TRUE(scene.world->start(second).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(nlohmann::json::parse(scene.world->library().import("imp_second")->report)["result"], "completed");
  EXPECT_TRUE(scene.world->vault().list()->front().wiped_ms.has_value());
}

TEST(Import, LongNamesAreCutOrRefused) {
  Scene scene(3);
  scene.input.title = std::string(100'000, 'x') + "\r\nBcc: eve";
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  EXPECT_EQ(scene.report()["result"], "completed");
  scene.check_histories();
  scene.input.import = "imp_long";
  scene.input.workspace = std::string(10'000, 'w');
  ASSERT_TRUE(scene.world->start(scene.input).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  EXPECT_FALSE(scene.world->library().import("imp_long").has_value()) << "refused before anything was done";
}

TEST(Import, AnUnknownPlatformFailsAndSaysSo) {
  Scene scene(1);
  scene.input.platform = "nobody";
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(10min)) << scene.status();
  EXPECT_EQ(scene.report()["cause"], "platform.unknown");
}

TEST(Import, SecretsAreInNoHistoryAndNoNotification) {
  Scene scene(30);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  const std::string token(simulations::kGrainSandboxToken);
  for (const auto& history : scene.world->histories(scene.id, scene.runs.front())) {
    const std::string bytes = history.SerializeAsString();
    EXPECT_EQ(bytes.find(token), std::string::npos);
    EXPECT_EQ(bytes.find("Signature="), std::string::npos);
  }
  for (const auto& news : scene.world->told) EXPECT_EQ((news.text + news.next).find(token), std::string::npos);
}

/// Killed at its n-th step of the loop, for many n, and at every later multiple: the end is the same.
class Restarts : public testing::TestWithParam<int> {};

TEST_P(Restarts, LeadToTheSameEnd) {
  auto options = Scene::options_for(60);
  options.grain.generated.broken_percent = 10;
  options.seed = static_cast<std::uint64_t>(GetParam());
  Scene scene(options);
  scene.input.settings.first_lane = 20;
  scene.input.settings.fetch_batch = 10;
  scene.start();
  const std::uint64_t every = 150 + 37 * static_cast<std::uint64_t>(GetParam());
  std::set<std::string> registered;
  for (int kill = 0; kill < 40; ++kill) {
    const auto before = scene.world->loop.steps();
    if (scene.world->run_until([&] { return scene.world->loop.steps() - before > every; }, 1h)) {
      ASSERT_TRUE(scene.world->restart().has_value());
    }
  }
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  std::int64_t failed = 0;
  const auto& calls = scene.world->sandbox->calls();
  for (std::uint64_t index = 0; index < calls.size(); ++index) {
    const auto media = calls.head(index).media;
    failed += media != simulations::MediaState::kGood && media != simulations::MediaState::kNone ? 1 : 0;
  }
  EXPECT_EQ(scene.row().counters.failed, failed);
  EXPECT_EQ(scene.row().counters.registered, 60 - failed);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}
INSTANTIATE_TEST_SUITE_P(Seeds, Restarts, testing::Range(1, 21));

}  // namespace
}  // namespace callimport::workflows
