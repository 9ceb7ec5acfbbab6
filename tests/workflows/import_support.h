#pragma once
// One world with one import in it, and what tests ask of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/history/history_rules.h"
#include "simulations/world/import_world.h"
#include "workflows/import/import_workflow.h"

namespace callimport::workflows::testing_support {

struct Scene {
  explicit Scene(std::uint64_t calls) : Scene(options_for(calls)) {}
  explicit Scene(simulations::ImportWorldOptions options) {
    auto made = simulations::ImportWorld::make(std::move(options));
    if (!made) {
      ADD_FAILURE() << made.error().message;
      std::abort();
    }
    world = std::move(*made);
    const auto opened = world->open();
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    credential = world->add_credential();
    input = world->ask(credential);
    input.settings.approve_above_percent = 100;  // nobody is here to approve gaps, unless a test says so
    id = input.import;
  }

  static simulations::ImportWorldOptions options_for(std::uint64_t calls) {
    simulations::ImportWorldOptions options;
    options.grain.generated.calls = calls;
    options.grain.generated.media_bytes = 4'000;
    options.grain.requests_per_minute = 0;
    return options;
  }

  void start() {
    const auto run = world->start(input);
    ASSERT_TRUE(run.has_value()) << run.error().message;
    runs.push_back(*run);
  }

  /// Empty before the import has opened.
  storage::ImportRow row() {
    const auto row = world->library().import(id);
    if (row) return *row;
    EXPECT_EQ(row.error().code, Code::kNotFound) << row.error().message;
    return {};
  }
  nlohmann::json report() { return nlohmann::json::parse(row().report, nullptr, false); }
  std::string status() { return world->status(id).value_or("no status"); }
  nlohmann::json status_json() { return nlohmann::json::parse(status(), nullptr, false); }

  std::vector<storage::StageChange> timeline() { return world->library().timeline(id, 0, 100'000).value(); }
  /// Conditions the import was in, one after another, without the stages; of one lane.
  std::vector<std::string> conditions(storage::Lane lane) {
    std::vector<std::string> seen;
    for (const auto& change : timeline()) {
      if (change.lane != lane) continue;
      const std::string text =
          change.row.reason.empty() ? change.row.condition : change.row.condition + " " + change.row.reason;
      if (seen.empty() || seen.back() != text) seen.push_back(text);
    }
    return seen;
  }
  std::vector<std::string> stages(storage::Lane lane) {
    std::vector<std::string> seen;
    for (const auto& change : timeline()) {
      if (change.lane == lane && (seen.empty() || seen.back() != change.row.stage)) seen.push_back(change.row.stage);
    }
    return seen;
  }

  /// Conformance C.2 over every history made, today's code replays it, and no activity's input or result above the
  /// contract's limit.
  void check_histories() {
    for (const std::string& run : runs) {
      for (const auto& history : world->histories(id, run)) {
        EXPECT_THAT(engine::broken_rules(history), testing::IsEmpty());
        engine::ReplayDifference difference;
        const auto replayed = engine::replay(history, import_workflow, &difference);
        EXPECT_TRUE(replayed.has_value()) << replayed.error().message;
        for (const auto& event : history.events()) {
          const auto& scheduled = event.activity_task_scheduled_event_attributes();
          const auto& completed = event.activity_task_completed_event_attributes();
          EXPECT_LE(scheduled.input().ByteSizeLong(), activities::kContractBytesMax + 100) << event.event_id();
          EXPECT_LE(completed.result().ByteSizeLong(), activities::kContractBytesMax + 100) << event.event_id();
        }
      }
    }
  }

  std::unique_ptr<simulations::ImportWorld> world;
  std::string credential, id;
  activities::ImportInput input;
  std::vector<std::string> runs;
};

}  // namespace callimport::workflows::testing_support
