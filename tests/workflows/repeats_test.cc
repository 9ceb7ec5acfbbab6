// Calls that the library has from another account of the same customer: recognised by their details, before transcript
// and recording are fetched; and never across customers.
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing_support::Scene;

constexpr int kCalls = 12;

/// One workspace is in the library; a second account, with the same meetings, comes after it.
struct TwoAccounts {
  explicit TwoAccounts(const std::string& customer) : scene(options()) {
    scene.world->outside.answer = [this](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
      transcripts += request.target.ends_with("/transcript") ? 1 : 0;
      return std::nullopt;
    };
    EXPECT_TRUE(scene.world->library()
                    .change([&](storage::LibraryTx& tx) -> Result<> {
                      TRY_VOID(tx.set_workspace(scene.input.workspace, {.customer = customer}));
                      return tx.set_workspace("second", {.customer = customer});
                    })
                    .has_value());
    scene.start();
    EXPECT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
    EXPECT_EQ(kCalls, scene.row().counters.registered);
    first_downloads = scene.world->downloads().size();
    first_transcripts = transcripts;
  }
  static simulations::ImportWorldOptions options() {
    auto options = Scene::options_for(kCalls);
    options.grain.generated.transcript_only_percent = 0;
    return options;
  }
  void bring_second(const std::string& policy) {
    scene.input = scene.world->ask(scene.world->add_credential());
    scene.input.import = scene.id = "imp_second";
    scene.input.workspace = "second";
    scene.input.duplicates = policy;
    scene.runs.clear();
    scene.start();
    ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
    EXPECT_EQ("completed", scene.report()["result"]);
  }
  std::size_t library_calls() { return scene.world->library().calls({}, "", 100)->size(); }
  std::string cause() { return scene.world->library().manifest(scene.id, std::nullopt, "", "", 1)->at(0).cause; }

  Scene scene;
  std::size_t first_downloads = 0;
  int transcripts = 0, first_transcripts = 0;
};

struct Row {
  const char* name;
  const char* customer;
  const char* policy;
  const char* cause;
  bool fetched;  ///< transcripts and recordings came a second time
  int registered;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class Repeats : public testing::TestWithParam<Row> {};

// NW-07
TEST_P(Repeats, AreRecognisedByTheirDetails) {
  const Row& row = GetParam();
  TwoAccounts world(row.customer);
  world.bring_second(row.policy);
  const auto counters = world.scene.row().counters;
  EXPECT_EQ(row.registered, counters.registered);
  EXPECT_EQ(kCalls - row.registered, counters.duplicate);
  EXPECT_EQ(std::size_t{kCalls} + static_cast<std::size_t>(row.registered), world.library_calls());
  EXPECT_EQ(row.cause, world.cause());
  const std::size_t again = row.fetched ? 2 : 1;
  EXPECT_EQ(world.first_downloads * again, world.scene.world->downloads().size());
  EXPECT_EQ(world.first_transcripts * static_cast<int>(again), world.transcripts);
  world.scene.check_histories();
}
INSTANTIATE_TEST_SUITE_P(
    Table, Repeats,
    testing::Values(Row{"OfOneCustomerAreNotFetched", "Acme", "skip", "duplicate.same_meeting", false, 0},
                    Row{"OfOneCustomerAreBroughtUpToDateByDetails", "Acme", "update", "duplicate.updated", false, 0},
                    Row{"OfOneCustomerAreReplacedWhole", "Acme", "replace", "duplicate.replaced", true, 0},
                    Row{"OfTwoCustomersComeToBoth", "", "skip", "", true, kCalls}),
    [](const auto& test) { return test.param.name; });

/// A call gets another recording in place of its own; the file goes when the next import has ended.
TEST(Replaced, RecordingsLeaveTheDisk) {
  TwoAccounts world("Acme");
  auto& library = world.scene.world->library();
  auto& media = world.scene.world->media();
  const auto calls = library.calls({}, "", 100).value();
  const auto old = calls.at(0).media->hash;
  ASSERT_TRUE(media.contains(old).value());
  ASSERT_TRUE(library
                  .change([&](storage::LibraryTx& tx) -> Result<> {
                    auto row = world.scene.row();
                    row.id = "imp_by_hand";
                    TRY_VOID(tx.put_import(row));
                    storage::ManifestRow found;
                    found.source_id = calls.at(0).source_id;
                    found.start_ms = calls.at(0).start_ms;
                    const auto policy = storage::DuplicatePolicy::kReplace;
                    TRY_VOID(tx.add_manifest("imp_by_hand", {found}, {}, policy));
                    storage::Call other = calls.at(0);
                    other.media->hash = std::string(64, 'a');
                    TRY_VOID(tx.register_call("imp_by_hand", other, policy));
                    return tx.close_import("imp_by_hand", 1, "{}");
                  })
                  .has_value());
  EXPECT_TRUE(media.contains(old).value()) << "the commit comes first";
  world.bring_second("skip");
  EXPECT_FALSE(media.contains(old).value());
  const auto after = library.calls({}, "", 100).value();
  for (const auto& call : after) {
    const bool by_hand = call.source_id == calls.at(0).source_id;
    EXPECT_EQ(!by_hand, media.contains(call.media->hash).value()) << call.source_id;
  }
}

/// Every meeting twice in one workspace, under two ids, one next to the other in the list.
struct Twins {
  explicit Twins(std::uint64_t calls) : scene(options(calls)) {
    scene.world->outside.answer = [this](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
      if (!request.target.ends_with("/transcript")) return std::nullopt;
      ++transcripts;
      if (refused.empty() || request.target.find(refused) == std::string::npos) return std::nullopt;
      SandboxReply reply;
      reply.status = 403;
      return reply;
    };
  }
  static simulations::ImportWorldOptions options(std::uint64_t calls) {
    auto options = Scene::options_for(calls);
    options.grain.generated.transcript_only_percent = 0;
    options.grain.generated.each_twice = true;
    return options;
  }
  int put_off() {
    int times = 0;
    auto& library = scene.world->library();
    const auto rows = library.manifest(scene.id, std::nullopt, "", "", 1'000).value();
    for (const auto& row : rows) {
      const auto attempts = library.attempts(scene.id, row.source_id).value();
      for (const auto& attempt : attempts) times += attempt.cause == "duplicate.under_way" ? 1 : 0;
    }
    return times;
  }
  Scene scene;
  int transcripts = 0;
  std::string refused = {};  ///< source id of a call whose transcript nobody may read
};

struct Side {
  const char* name;
  int at_once, batch;
};
void PrintTo(const Side& side, std::ostream* out) { *out << side.name; }
class TwinsOfOneImport : public testing::TestWithParam<Side> {};

TEST_P(TwinsOfOneImport, AreFetchedOnce) {
  constexpr int kMeetings = 30;
  Twins twins(2 * kMeetings);
  twins.scene.input.settings.fetch_at_once = GetParam().at_once;
  twins.scene.input.settings.fetch_batch = GetParam().batch;
  twins.scene.start();
  ASSERT_TRUE(twins.scene.world->run_until_closed(24h)) << twins.scene.status();
  EXPECT_EQ("completed", twins.scene.report()["result"]);
  const auto counters = twins.scene.row().counters;
  EXPECT_EQ(kMeetings, counters.registered);
  EXPECT_EQ(kMeetings, counters.duplicate);
  EXPECT_EQ(kMeetings, twins.transcripts) << "the second copy is recognised by its details";
  EXPECT_EQ(std::size_t{kMeetings}, twins.scene.world->downloads().size());
  EXPECT_GT(twins.put_off(), 0) << "else no copy ever met the other one under way or staged";
  twins.scene.check_histories();
}
INSTANTIATE_TEST_SUITE_P(Table, TwinsOfOneImport,
                         testing::Values(Side{"SideBySide", 24, 100}, Side{"OneAfterTheOther", 1, 100},
                                         Side{"InSmallBatches", 4, 10}),
                         [](const auto& test) { return test.param.name; });

TEST(OneOfTwins, TheSecondComesWhereTheFirstCannot) {
  Twins twins(2);
  twins.refused = twins.scene.world->sandbox->calls().head(0).id;
  twins.scene.start();
  ASSERT_TRUE(twins.scene.world->run_until_closed(24h)) << twins.scene.status();
  const auto counters = twins.scene.row().counters;
  EXPECT_EQ(1, counters.registered);
  EXPECT_EQ(1, counters.failed);
  const auto row = twins.scene.world->library().manifest_row(twins.scene.id, twins.refused);
  EXPECT_EQ(storage::CallState::kFailed, row->value().state) << "the first was asked for, and refused";
  twins.scene.check_histories();
}

TEST(OneOfTwins, AreFetchedOnceThroughARestart) {
  constexpr int kMeetings = 30;
  Twins twins(2 * kMeetings);
  twins.scene.input.settings.fetch_batch = 10;
  twins.scene.start();
  ASSERT_TRUE(twins.scene.world->run_until([&] { return twins.scene.row().counters.registered > 5; }, 24h));
  ASSERT_TRUE(twins.scene.world->restart().has_value());
  ASSERT_TRUE(twins.scene.world->run_until_closed(24h)) << twins.scene.status();
  EXPECT_EQ(kMeetings, twins.scene.row().counters.registered);
  EXPECT_EQ(kMeetings, twins.scene.row().counters.duplicate);
  EXPECT_EQ(std::size_t{kMeetings}, twins.scene.world->library().calls({}, "", 1'000)->size());
  twins.scene.check_histories();
}

}  // namespace
}  // namespace callimport::workflows
