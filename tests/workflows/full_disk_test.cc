// A disk that refuses space in the middle of an import, on the virtual clock: at every stage the import says that it
// waits and why, and goes on by itself.
#include <gtest/gtest.h>

#include <algorithm>

#include "activities/import/texts.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Scene;

constexpr std::uint64_t kPlenty = 1u << 30;

struct FullAt {
  const char* name;
  std::size_t request;  ///< of the platform; the disk is full from then on
  bool media;
};
void PrintTo(const FullAt& row, std::ostream* out) { *out << row.name; }

class FullDisk : public testing::TestWithParam<FullAt> {
 protected:
  FullDisk() : scene(options()) {
    scene.input.media = GetParam().media;
    scene.world->outside.answer = [this](const auto&, Timestamp) -> std::optional<simulations::SandboxReply> {
      if (++asked == GetParam().request) fill();
      return std::nullopt;
    };
    scene.start();
  }
  static simulations::ImportWorldOptions options() {
    auto options = Scene::options_for(120);
    options.reserve_bytes = kReserveBytes;
    return options;
  }
  /// Not one byte more than there is now.
  void fill() {
    scene.world->disk.set_capacity(kPlenty);
    scene.world->disk.set_capacity(kPlenty - *scene.world->disk.free_bytes("/data"));
  }
  bool waits() {
    const auto row = scene.row();
    const auto full = [](const storage::LaneRow& lane) {
      return lane.condition == "waiting" && lane.reason == "store.full" && lane.until_ms.has_value();
    };
    return full(row.first) || full(row.bulk);
  }

  std::size_t asked = 0;
  Scene scene;
};

TEST_P(FullDisk, IsWaitedForAndToldAndTheImportGoesOn) {
  ASSERT_TRUE(scene.world->run_until([this] { return waits(); }, 10min)) << scene.status();
  EXPECT_THAT(scene.status(), HasSubstr("store.full"));
  EXPECT_FALSE(scene.world->run_until_closed(6h)) << "there is no space yet";
  EXPECT_TRUE(waits());
  const auto told = [](const storage::Notification& news) { return news.text.find("is full") != std::string::npos; };
  EXPECT_GE(std::count_if(scene.world->told.begin(), scene.world->told.end(), told), 1);
  EXPECT_LE(std::count_if(scene.world->told.begin(), scene.world->told.end(), told), 2) << "once a lane";
  EXPECT_FALSE(scene.world->reserve().whole());

  scene.world->disk.set_capacity(kPlenty);
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 120);
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  EXPECT_TRUE(scene.world->reserve().whole());
  scene.check_histories();
}

TEST_P(FullDisk, IsStillFullAfterARestart) {
  ASSERT_TRUE(scene.world->run_until([this] { return waits(); }, 10min)) << scene.status();
  ASSERT_TRUE(scene.world->restart().has_value());
  EXPECT_FALSE(scene.world->run_until_closed(10min));
  EXPECT_TRUE(waits());
  scene.world->disk.set_capacity(kPlenty);
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 120);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stages, FullDisk,
                         testing::Values(FullAt{"WhileCounting", 3, true}, FullAt{"AtTheFirstRecording", 10, true},
                                         FullAt{"InTheFirstLane", 150, true}, FullAt{"InBulk", 350, true},
                                         FullAt{"WithoutRecordings", 100, false}),
                         [](const auto& test) { return test.param.name; });

/// Nothing keeps room for them: they are still tried again, and nothing is lost.
TEST(FullDiskWithoutReserve, NothingIsLost) {
  Scene scene(60);
  std::size_t asked = 0;
  auto& disk = scene.world->disk;
  scene.world->outside.answer = [&](const auto&, Timestamp) -> std::optional<simulations::SandboxReply> {
    if (++asked != 90) return std::nullopt;
    disk.set_capacity(kPlenty);
    disk.set_capacity(kPlenty - *disk.free_bytes("/data"));
    return std::nullopt;
  };
  scene.start();
  scene.world->loop.run_for(5min);
  EXPECT_FALSE(scene.row().closed_ms.has_value());
  disk.set_capacity(kPlenty);
  ASSERT_TRUE(scene.world->run_until_closed(2h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 60);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
}

TEST(FullDiskWords, SayWhatToDo) {
  storage::ImportRow row;
  row.platform = "grain";
  activities::LaneChange change;
  change.condition = "waiting";
  change.reason = "store.full";
  change.told = "condition.changed";
  const auto news = activities::compose_change(row, change, 0);
  EXPECT_THAT(news.text, HasSubstr("disk of the data folder is full; nothing is lost"));
  EXPECT_THAT(news.next, HasSubstr("Free some space"));
}

}  // namespace
}  // namespace callimport::workflows
