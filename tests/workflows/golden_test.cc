// Histories that imports once made, replayed by today's code: a change of the workflow that cannot replay them must be
// gated by `patched`. CALLIMPORT_WRITE_GOLDEN=1 writes them anew: for a feature that has none yet, or before the first
// release.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/history/history_file.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

namespace fs = std::filesystem;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing_support::Scene;

fs::path folder() { return fs::path(CALLIMPORT_SOURCE_DIR) / "tests" / "golden" / "histories"; }

void write_all(Scene& scene, const std::string& name) {
  int number = 0;
  for (const std::string& run : scene.runs) {
    for (const auto& history : scene.world->histories(scene.id, run)) {
      std::ofstream out(folder() / ("import_" + name + "_" + std::to_string(++number) + ".json"));
      out << engine::write_json(history);
    }
  }
}

void make_plain() {
  Scene scene(8);
  scene.input.settings.first_lane = 3;
  scene.input.settings.fetch_batch = 3;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  write_all(scene, "plain");
}

/// Several runs, each going on as new.
void make_long() {
  Scene scene(30);
  scene.input.settings.first_lane = 10;
  scene.input.settings.fetch_batch = 3;
  scene.input.settings.events_max = 90;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  write_all(scene, "long");
}

/// An outage that becomes a pause, an expired token, a person's pause, a cancellation.
void make_troubled() {
  auto options = Scene::options_for(40);
  options.grain.slow = 100ms;
  options.grain.expire_after = 90;
  options.grain.outages = {{2s, 3h, simulations::OutageKind::kRefused}};
  Scene scene(options);
  scene.input.settings.first_lane = 10;
  scene.input.settings.fetch_batch = 5;
  scene.start();
  const auto needs = [&] {
    return scene.row().bulk.condition == "needs_attention" || scene.row().first.condition == "needs_attention";
  };
  ASSERT_TRUE(scene.world->run_until(needs, 24h)) << scene.status();
  const std::string fresh = "grain_pat_renewed0_RenewedRenewedRenewedRenewedRenewed0000";
  scene.world->sandbox->accept(fresh);
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, fresh).has_value());
  scene.world->loop.run_for(300ms);
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", R"({"who":"Ana","why":"demo"})").has_value());
  scene.world->loop.run_for(1h);
  ASSERT_TRUE(scene.world->signal(scene.id, "resume", R"({"who":"Ana"})").has_value());
  scene.world->loop.run_for(300ms);
  ASSERT_TRUE(scene.world->cancel(scene.id).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(24h));
  write_all(scene, "troubled");
}

/// A start set for later, a window that is closed and set anew, and refusals that the watchdog tells of.
void make_window() {
  Scene scene(20);
  scene.input.settings.first_lane = 5;
  scene.input.settings.fetch_batch = 5;
  scene.input.window = "nights";
  scene.input.zone = "Asia/Tokyo";
  scene.input.at_ms = to_unix_ms(scene.world->loop.now() + 1h);
  scene.start();
  const auto waits_for = [&](const std::string& reason) {
    return scene.world->run_until([&] { return scene.row().bulk.reason == reason; }, 24h);
  };
  ASSERT_TRUE(waits_for("window.closed")) << scene.status();
  scene.world->outside.answer = [](const SandboxRequest&, Timestamp) -> std::optional<SandboxReply> {
    SandboxReply busy;
    busy.status = 429;
    busy.headers.emplace_back("retry-after", "20");
    return busy;
  };
  ASSERT_TRUE(scene.world->signal(scene.id, "set-window", R"({"window":"always","who":"Ana"})").has_value());
  ASSERT_TRUE(waits_for("engine.no_progress")) << scene.status();
  scene.world->outside.answer = nullptr;
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  write_all(scene, "window");
}

TEST(GoldenHistories, TodaysCodeReplaysThem) {
  if (std::getenv("CALLIMPORT_WRITE_GOLDEN") != nullptr) {
    fs::create_directories(folder());
    make_plain();
    make_long();
    make_troubled();
    make_window();
  }
  int replayed = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    if (!entry.path().filename().string().starts_with("import_")) continue;
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    const auto histories = engine::read_histories(text.str());
    ASSERT_TRUE(histories.has_value()) << histories.error().message;
    for (const auto& history : *histories) {
      EXPECT_THAT(engine::broken_rules(history), testing::IsEmpty());
      engine::ReplayDifference difference;
      const auto result = engine::replay(history, import_workflow, &difference);
      EXPECT_TRUE(result.has_value()) << result.error().message;
      ++replayed;
    }
  }
  EXPECT_GE(replayed, 5);
}

}  // namespace
}  // namespace callimport::workflows
