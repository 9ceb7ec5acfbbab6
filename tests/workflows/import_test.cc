// Whole imports in simulation: the happy path, and that nothing is left undone.
#include <set>

#include <gtest/gtest.h>

#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using testing_support::Scene;

TEST(Import, BringsEveryCallAcrossOnce) {
  Scene scene(300);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto row = scene.row();
  EXPECT_EQ(row.counters.found, 300);
  EXPECT_EQ(row.counters.registered, 300);
  EXPECT_EQ(row.first.condition, "completed");
  EXPECT_EQ(row.bulk.condition, "completed");
  EXPECT_TRUE(row.first_ready_ms.has_value());
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(scene.report()["grade"], "complete");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), testing::IsEmpty());
  scene.check_histories();
}

}  // namespace
}  // namespace callimport::workflows
