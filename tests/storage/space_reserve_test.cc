// Space set aside: taken whole or not at all, given up at once, taken again only when that leaves enough.
#include "storage/runtime/space_reserve.h"

#include <gtest/gtest.h>

#include "simulations/world/sim_disk.h"

namespace callimport {
namespace {

constexpr std::uint64_t kBytes = 300'000;  // not a multiple of a portion

class Reserve : public testing::Test {
 protected:
  Reserve() { EXPECT_TRUE(disk.make_dirs("/data").has_value()); }
  std::uint64_t size() { return disk.open("/data/reserve", OpenMode::kRead).value()->size().value(); }

  simulations::SimDisk disk;
  SpaceReserve reserve{disk, "/data/reserve", kBytes};
};

TEST_F(Reserve, IsTakenOnceAndGivenUpWhole) {
  disk.set_capacity(1'000'000);
  EXPECT_FALSE(reserve.whole());
  EXPECT_TRUE(reserve.take());
  EXPECT_TRUE(reserve.whole());
  EXPECT_EQ(size(), kBytes);
  const auto writes = disk.count(simulations::kOpWrite);
  EXPECT_TRUE(reserve.take());
  EXPECT_EQ(disk.count(simulations::kOpWrite), writes);
  reserve.give_up();
  EXPECT_FALSE(reserve.whole());
  EXPECT_EQ(disk.free_bytes("/data").value(), 1'000'000u);
  EXPECT_TRUE(reserve.take());
}

struct Room {
  std::uint64_t capacity;
  bool taken;
};
TEST_F(Reserve, LeavesAsMuchAgain) {
  for (const Room room : {Room{2 * kBytes - 1, false}, Room{2 * kBytes, true}}) {
    disk.set_capacity(room.capacity);
    EXPECT_EQ(reserve.take(), room.taken) << room.capacity;
    EXPECT_EQ(reserve.whole(), room.taken);
    reserve.give_up();
    EXPECT_EQ(disk.free_bytes("/data").value(), room.capacity);
  }
}

TEST_F(Reserve, IsThereAtTheNextStartHoweverFullTheDisk) {
  ASSERT_TRUE(reserve.take());
  disk.set_capacity(kBytes);
  SpaceReserve next(disk, "/data/reserve", kBytes);
  EXPECT_TRUE(next.take());
}

TEST_F(Reserve, APartIsFilledUp) {
  for (std::uint64_t nth = 1; nth <= 5; ++nth) {
    disk.fail_nth(simulations::kOpWrite, nth);
    EXPECT_FALSE(reserve.take()) << nth;
    disk.heal();
    disk.kill();
  }
  const std::string part(100'000, 'x');
  auto file = disk.open("/data/reserve", OpenMode::kCreate).value();
  ASSERT_TRUE(file->write(0, std::as_bytes(std::span(part.data(), part.size()))).has_value());
  EXPECT_TRUE(reserve.take());
  EXPECT_EQ(size(), kBytes);
}

}  // namespace
}  // namespace callimport
