// Worker and embedded service together, in virtual time: every feature, with and without a cache, restarted in the
// middle. CALLIMPORT_REGENERATE_GOLDEN=1 writes tests/golden/histories anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/history/history_file.h"
#include "engine/history/history_rules.h"
#include "engine/worker/commands.h"
#include "tests/engine/engine_world.h"
#include "tests/engine/features.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;
using testing_support::EngineWorld;
using testing_support::Feature;
using testing_support::History;

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(CALLIMPORT_SOURCE_DIR) / "tests/golden/histories" / (name + ".json");
}

/// What must not depend on the cache: types, ids, order, results; not times, run ids and queues of tasks.
std::vector<std::string> outline(const History& history) {
  std::vector<std::string> lines;
  for (const auto& event : history.events())
    lines.push_back(std::to_string(event.event_id()) + " " + worker::describe(event));
  return lines;
}

std::string join(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += "\n  " + line;
  return all;
}

History run_feature(const Feature& feature, int cached_runs, EngineWorld& world) {
  world.start_worker(cached_runs, [&](Worker& worker) {
    worker.register_workflow("T", feature.workflow);
    testing_support::add_activities(worker, world.loop);
  });
  world.start("w", "T", "3");
  feature.treatment(world);
  return world.history("w");
}

class WorkerOnService : public testing::TestWithParam<std::size_t> {
 protected:
  const std::vector<Feature> all = testing_support::features();
  const Feature& feature = all[GetParam()];
};

TEST_P(WorkerOnService, GivesOneHistoryWhateverTheCache) {
  EngineWorld cached_world(1), replaying_world(2);
  const auto cached = run_feature(feature, 1000, cached_world);
  const auto replayed = run_feature(feature, 0, replaying_world);
  ASSERT_GT(cached.events_size(), 3);
  EXPECT_EQ(feature.closes_with, worker::event_name(cached.events(cached.events_size() - 1))) << join(outline(cached));
  EXPECT_EQ(outline(cached), outline(replayed));
  EXPECT_EQ(0u, cached_world.worker->figures().cached_runs);
  for (const auto* history : {&cached, &replayed}) {
    const auto broken = broken_rules(*history);
    EXPECT_TRUE(broken.empty()) << join(broken) << join(outline(*history));
    ReplayDifference difference;
    const auto again = replay(*history, feature.workflow, &difference);
    EXPECT_TRUE(again.has_value()) << again.error().message;
  }
  if (std::getenv("CALLIMPORT_REGENERATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(golden("").parent_path());
    std::ofstream(golden(feature.name)) << write_json(cached);
  }
}

TEST_P(WorkerOnService, GoldenHistoryStillReplays) {
  std::ifstream in(golden(feature.name), std::ios::binary);
  ASSERT_TRUE(in.good()) << "no " << golden(feature.name);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  const auto histories = read_histories(bytes.str());
  ASSERT_TRUE(histories.has_value()) << histories.error().message;
  const auto again = replay(histories->front(), feature.workflow, nullptr);
  EXPECT_TRUE(again.has_value()) << again.error().message;
}

TEST_P(WorkerOnService, AnotherWorkerGoesOnWhereOneWasStopped) {
  EngineWorld world(3);
  const auto begin = [&] {
    world.start_worker(1000, [&](Worker& worker) {
      worker.register_workflow("T", feature.workflow);
      testing_support::add_activities(worker, world.loop);
    });
  };
  begin();
  world.start("w", "T", "3");
  world.loop.run_for(100ms);
  bool stopped = false;
  world.worker->stop(10s, [&stopped] { stopped = true; });
  world.loop.run_until([&stopped] { return stopped; });
  begin();
  feature.treatment(world);
  world.loop.run_for(60s);
  const auto history = world.history("w");
  EXPECT_EQ(feature.closes_with, worker::event_name(history.events(history.events_size() - 1)))
      << join(outline(history));
}

TEST_P(WorkerOnService, GoesOnAfterTheProcessDied) {
  EngineWorld world(4);
  const auto begin = [&] {
    world.start_worker(1000, [&](Worker& worker) {
      worker.register_workflow("T", feature.workflow);
      testing_support::add_activities(worker, world.loop);
    });
  };
  begin();
  world.start("w", "T", "3");
  world.loop.run_for(500ms);
  world.kill_and_reopen();
  begin();
  feature.treatment(world);
  world.loop.run_for(120s);
  const auto history = world.history("w");
  EXPECT_EQ(feature.closes_with, worker::event_name(history.events(history.events_size() - 1)))
      << join(outline(history));
  const auto broken = broken_rules(history);
  EXPECT_TRUE(broken.empty()) << join(broken) << join(outline(history));
}

INSTANTIATE_TEST_SUITE_P(Features, WorkerOnService, testing::Range(std::size_t{0}, testing_support::features().size()),
                         [](const auto& test) { return std::string(testing_support::features()[test.param].name); });

Flow<WorkflowEnd> counting(WorkflowContext& context, std::string) {
  int count = 0;
  context.on_signal("add", [&count](std::string) { ++count; });
  context.on_query("count", [&count](std::string) { return Outcome<std::string>(std::to_string(count)); });
  auto stop = context.until([&context] { return context.cancel_requested(); });
  co_await stop;
  co_return Cancelled{};
}

TEST(WorkerAndService, QueriesSeeTheNewestStateWithAndWithoutACache) {
  for (const int cached : {0, 1000}) {
    EngineWorld world;
    world.start_worker(cached, [](Worker& worker) { worker.register_workflow("T", counting); });
    world.start("w", "T");
    world.loop.run_for(1s);
    EXPECT_EQ("0", world.query("w", "count"));
    for (int i = 1; i <= 3; ++i) {
      world.signal("w", "add", "1");
      EXPECT_EQ(std::to_string(i), world.query("w", "count"));
    }
    EXPECT_EQ("unknown query nope; this workflow knows: count", world.query("w", "nope"));
    const auto before = world.history("w").events_size();
    EXPECT_EQ("3", world.query("w", "count"));
    EXPECT_EQ(before, world.history("w").events_size());
  }
}

TEST(WorkerAndService, ClosedRunsAreAskedByReplay) {  // C.7: closed runs are queried directly
  for (const int cached : {0, 1000}) {
    EngineWorld world;
    world.start_worker(cached, [](Worker& worker) { worker.register_workflow("T", counting); });
    world.start("w", "T");
    world.loop.run_for(1s);
    for (int i = 0; i < 3; ++i) world.signal("w", "add", "1");
    world.loop.run_for(1s);
    world.cancel("w");
    world.loop.run_for(1s);
    const auto history = world.history("w");
    ASSERT_EQ(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, history.events(history.events_size() - 1).event_type());
    EXPECT_EQ("3", world.query("w", "count"));
    EXPECT_EQ("unknown query nope; this workflow knows: count", world.query("w", "nope"));
    EXPECT_EQ("3", world.query("w", "count")) << "as often as one likes";
    EXPECT_EQ(history.events_size(), world.history("w").events_size());
  }
}

TEST(WorkerAndService, ManyRunsInASmallCacheAllEnd) {
  EngineWorld world;
  world.start_worker(5, [&](Worker& worker) {
    worker.register_workflow("T", testing_support::features()[0].workflow);
    testing_support::add_activities(worker, world.loop);
  });
  for (int i = 0; i < 50; ++i) world.start("w" + std::to_string(i), "T");
  world.loop.run_for(60s);
  for (int i = 0; i < 50; ++i) {
    const auto history = world.history("w" + std::to_string(i));
    EXPECT_EQ(11, history.events_size()) << join(outline(history));
  }
  EXPECT_EQ(0u, world.worker->figures().cached_runs);
}

TEST(WorkerAndService, CodeThatDiffersFailsTheTaskAndTheFixedCodeGoesOn) {
  const WorkflowFunction one = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto wait = co_await context.timer(10s);
    co_return std::string(wait ? "1" : "2");
  };
  const WorkflowFunction other = [](WorkflowContext& context, std::string) -> Flow<WorkflowEnd> {
    auto outcome = co_await context.activity("echo", "1", ActivityOptions{.start_to_close = 10s});
    co_return std::string(outcome ? "1" : "2");
  };
  EngineWorld world;
  world.start_worker(1000, [&](Worker& worker) { worker.register_workflow("T", one); });
  world.start("w", "T");
  world.loop.run_for(1s);
  world.start_worker(1000, [&](Worker& worker) { worker.register_workflow("T", other); });
  world.loop.run_for(30s);
  const auto failed = world.history("w");
  const auto& last = failed.events(failed.events_size() - 1);
  ASSERT_EQ(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, last.event_type()) << join(outline(failed));
  EXPECT_EQ(enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
            last.workflow_task_failed_event_attributes().cause());
  EXPECT_EQ(
      "nondeterministic workflow w at event 5: the history has TimerStarted 1, "
      "the workflow code made ScheduleActivityTask 1 of type echo",
      last.workflow_task_failed_event_attributes().failure().message());
  world.start_worker(1000, [&](Worker& worker) { worker.register_workflow("T", one); });
  world.loop.run_for(60s);
  const auto healed = world.history("w");
  EXPECT_EQ("WorkflowExecutionCompleted", worker::event_name(healed.events(healed.events_size() - 1)))
      << join(outline(healed));
}

}  // namespace
}  // namespace callimport::engine
