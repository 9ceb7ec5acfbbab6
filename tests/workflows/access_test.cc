// Access that expires, is revoked, renewed or of somebody else: the import stops at once, and goes on by itself where it
// stood (ID-12).
#include <algorithm>
#include <functional>
#include <map>

#include "storage/vault/oauth_bundle.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using storage::Lane;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::Scene;

constexpr const char* kFresh = "grain_pat_renewed0_RenewedRenewedRenewedRenewedRenewed0000";
constexpr const char* kRefresh = "grainrt_first0000000000000000000000";

simulations::ImportWorldOptions with_oauth(std::uint64_t calls, Nanos life) {
  auto options = Scene::options_for(calls);
  options.grain.token = "grain_pat_nobodyno_NobodyNobodyNobodyNobodyNobodyNobody0000";
  options.grain.oauth.client_id = "callimport";
  options.grain.oauth.client_secret = "hush";
  options.grain.oauth.refresh_token = kRefresh;
  options.grain.oauth.access_life = life;
  return options;
}

std::string seal_bundle(Scene& scene, const std::string& refresh = kRefresh) {
  storage::OAuthBundle bundle;
  bundle.refresh = storage::Secret(refresh);
  bundle.client_id = "callimport";
  bundle.client_secret = storage::Secret("hush");
  bundle.token_endpoint = "http://127.0.0.1:1" + std::string(simulations::kGrainTokenPath);
  const auto id = scene.world->vault().add("grain", "acme", "oauth", storage::write_bundle(bundle), 1);
  return id.value().str();
}

/// How often each call's details were answered, and each recording sent.
std::map<std::string, int> fetched(const Scene& scene) {
  std::map<std::string, int> times;
  for (const auto& [call, bytes] : scene.world->downloads()) ++times[call];
  return times;
}

std::int64_t times_told(const Scene& scene, const std::string& text) {
  return std::count_if(scene.world->told.begin(), scene.world->told.end(),
                       [&](const auto& news) { return news.text.find(text) != std::string::npos; });
}

TEST(Access, OAuthIsRenewedWithoutAnybodyNoticing) {
  auto options = with_oauth(300, std::chrono::minutes{3});
  options.grain.slow = std::chrono::seconds{4};
  Scene scene(options);
  scene.input.credential = seal_bundle(scene);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_THAT(scene.conditions(Lane::kFirst), ElementsAre("running", "completed"));
  const auto life = scene.world->loop.now() - simulations::kSimulationStart;
  const auto renewals = scene.world->sandbox->oauth().renewals();
  EXPECT_GE(renewals, 2u);
  EXPECT_LE(renewals, static_cast<std::uint64_t>(life / std::chrono::minutes{2}) + 2) << "one for each life";
  for (const auto& [call, times] : fetched(scene)) EXPECT_EQ(times, 1) << call;
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}

TEST(Access, RevokedOAuthStopsBothLanesAndTellsOnce) {
  auto options = with_oauth(300, std::chrono::minutes{3});
  options.grain.slow = std::chrono::seconds{4};
  options.grain.oauth.revoke_after = 2;
  Scene scene(options);
  scene.input.settings.first_lane = 20;
  scene.input.credential = seal_bundle(scene);
  scene.start();
  const auto needs = [&] { return scene.row().bulk.condition == "needs_attention"; };
  ASSERT_TRUE(scene.world->run_until(needs, 24h)) << scene.status();
  EXPECT_EQ(scene.row().bulk.reason, "access.revoked");
  scene.world->loop.run_for(1h);
  EXPECT_EQ(times_told(scene, "needs attention (access.revoked)"), 1);
  const auto stopped = scene.world->http->requests();
  scene.world->loop.run_for(5h);
  EXPECT_EQ(scene.world->http->requests(), stopped) << "nothing is asked of the platform meanwhile";
}

/// Sixty calls, and a token that ends in the middle of the first of them.
struct ExpiredScene : Scene {
  ExpiredScene() : Scene(options()) { start(); }
  bool run_until_it_needs_a_person() {
    return world->run_until([&] { return row().first.condition == "needs_attention"; }, 1h);
  }

 private:
  static simulations::ImportWorldOptions options() {
    auto made = options_for(60);
    made.grain.expire_after = 100;
    return made;
  }
};

TEST(Access, AnExpiredTokenInTheFirstLaneStopsTheOtherLaneToo) {
  ExpiredScene scene;
  ASSERT_TRUE(scene.run_until_it_needs_a_person()) << scene.status();
  scene.world->loop.run_for(10s);
  EXPECT_EQ(scene.row().bulk.condition, "needs_attention");
  EXPECT_EQ(times_told(scene, "needs attention (access.expired)"), 1);

  // Within a minute of good access the import fetches again, and nothing that was done is asked for twice.
  const auto before = fetched(scene);
  const auto stopped = scene.world->loop.now();
  scene.world->sandbox->accept(kFresh);
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, kFresh).has_value());
  const auto goes_on = [&] { return fetched(scene).size() > before.size(); };
  ASSERT_TRUE(scene.world->run_until(goes_on, 1min)) << scene.status();
  EXPECT_LE(scene.world->loop.now() - stopped, Nanos{1min});
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  for (const auto& [call, times] : fetched(scene)) EXPECT_EQ(times, 1) << call;
  EXPECT_EQ(scene.row().counters.registered, 60);
  EXPECT_THAT(scene.conditions(Lane::kBulk),
              ElementsAre("running", "needs_attention access.expired", "running", "completed"));
  scene.check_histories();
}

TEST(Access, ABadNewTokenKeepsTheImportWhereItIs) {
  ExpiredScene scene;
  ASSERT_TRUE(scene.run_until_it_needs_a_person()) << scene.status();
  const auto done = scene.row().counters;
  ASSERT_TRUE(scene.world
                  ->renew(scene.id, scene.credential, "grain_pat_wrongwro_WrongWrongWrongWrongWrongWrongWrongWrong")
                  .has_value());
  scene.world->loop.run_for(1h);
  EXPECT_EQ(scene.row().first.condition, "needs_attention");
  EXPECT_EQ(scene.row().counters.failed, 0);
  EXPECT_EQ(scene.row().counters.registered, done.registered);
  scene.world->sandbox->accept(kFresh);
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, kFresh).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 60);
}

/// A token of another workspace is accepted and lists; taken at its word, it would make every call look deleted.
TEST(Access, ATokenOfAnotherWorkspaceIsToldApart) {
  ExpiredScene scene;
  ASSERT_TRUE(scene.run_until_it_needs_a_person()) << scene.status();

  const std::string stranger = "grain_pat_stranger_StrangerStrangerStrangerStrangerStranger";
  auto other = Scene::options_for(40).grain;
  other.generated.seed = 4711;
  other.token = stranger;
  auto elsewhere = std::move(*simulations::GrainSandbox::make(other));
  scene.world->outside.answer = [&](const simulations::SandboxRequest& request,
                                    Timestamp now) -> std::optional<simulations::SandboxReply> {
    const auto token = simulations::find_header(request.headers, "authorization");
    if (token.find(stranger) == std::string_view::npos) return std::nullopt;
    return elsewhere->handle(request, now);
  };
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, stranger).has_value());
  const auto told = [&] { return scene.row().first.reason == "access.wrong_account"; };
  ASSERT_TRUE(scene.world->run_until(told, 1min)) << scene.status();
  scene.world->loop.run_for(1h);
  EXPECT_EQ(scene.row().counters.failed, 0) << "no call was taken for deleted";
  scene.world->sandbox->accept(kFresh);
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, kFresh).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 60);
  for (const auto& [call, times] : fetched(scene)) EXPECT_EQ(times, 1) << call;
  scene.check_histories();
}

/// Two imports of one workspace with one OAuth credential renew it once between them.
TEST(Access, TwoImportsShareOneRenewal) {
  auto options = with_oauth(120, std::chrono::minutes{10});
  options.grain.slow = std::chrono::seconds{2};
  Scene scene(options);
  scene.input.credential = seal_bundle(scene);
  scene.start();
  auto second = scene.input;
  second.import = "imp_second";
  second.calls_max = 60;
  ASSERT_TRUE(scene.world->start(second).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(nlohmann::json::parse(scene.world->library().import("imp_second")->report)["result"], "completed");
  const auto life = scene.world->loop.now() - simulations::kSimulationStart;
  EXPECT_LE(scene.world->sandbox->oauth().renewals(), static_cast<std::uint64_t>(life / std::chrono::minutes{9}) + 1);
}

struct EndRow {
  const char* name;
  std::function<void(Scene&)> end;
};
void PrintTo(const EndRow& row, std::ostream* out) { *out << row.name; }
class Ends : public testing::TestWithParam<EndRow> {};

/// Credentials live as long as the import: however it ends, they are wiped, and not before the last that uses them.
TEST_P(Ends, WipeTheCredential) {
  Scene scene(60);
  const auto wiped = [&] { return scene.world->vault().list()->front().wiped_ms.has_value(); };
  auto longer = scene.input;
  longer.import = "imp_longer";
  scene.start();
  ASSERT_TRUE(scene.world->start(longer).has_value());
  const auto begun = [&] { return scene.row().counters.found > 0; };
  ASSERT_TRUE(scene.world->run_until(begun, 1h));
  ASSERT_TRUE(scene.world->signal("imp_longer", "pause", R"({"who":"Ana"})").has_value());
  GetParam().end(scene);
  const auto closed = [&] { return scene.row().closed_ms.has_value(); };
  ASSERT_TRUE(scene.world->run_until(closed, 24h)) << scene.status();
  scene.world->loop.run_for(1min);
  EXPECT_FALSE(wiped()) << "the other import still works with it";
  ASSERT_TRUE(scene.world->cancel("imp_longer").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  EXPECT_TRUE(wiped());
  EXPECT_EQ(scene.row().credential, "");
  // A retry asks again: with the old handle it cannot go on.
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  EXPECT_EQ(scene.report()["cause"], "access.credential_gone");
}
INSTANTIATE_TEST_SUITE_P(
    Table, Ends,
    testing::Values(EndRow{"Cancelled", [](Scene& scene) { ASSERT_TRUE(scene.world->cancel(scene.id).has_value()); }},
                    EndRow{"Completed", [](Scene&) {}}),
    [](const auto& test) { return test.param.name; });

TEST(Access, AFailedImportWipesItsCredential) {
  Scene scene(10);
  scene.input.platform = "nosuch";
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h));
  EXPECT_EQ(scene.report()["cause"], "platform.unknown");
  EXPECT_TRUE(scene.world->vault().list()->front().wiped_ms.has_value());
}

}  // namespace
}  // namespace callimport::workflows
