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

}  // namespace
}  // namespace callimport::workflows
