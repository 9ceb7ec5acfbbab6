// A disk that really is full: a small tmpfs under the data folder. Needs the right to mount; says so where it has none.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

/// A tmpfs as long as it lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=700k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool grow() const { return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=200m") == 0; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(FullDisk, ImportWaitsIsToldAndGoesOn) {
  House house(60, 21);
  const SmallDisk disk(house.data());
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small tmpfs here";
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow_to_notice("is full"));
  ASSERT_TRUE(disk.grow());
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  house.server().kill_hard();  // before the disk goes
}

TEST(FullDisk, ServerThatCannotBeginSaysWhatToDo) {
  const Scratch scratch;
  const SmallDisk disk(scratch / "data");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small tmpfs here";
  write_file(scratch / "data/filler", std::string(1u << 20, 'x'));  // as much as fits
  const auto ran = run(callimport_binary(),
                       {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(ran.err.find("Free some space") != std::string::npos ||
              ran.err.find("No space left") != std::string::npos)
      << ran.err;
  std::filesystem::remove(scratch / "data/filler");
  Process server(callimport_binary(),
                 {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, true, {}, 0, false}, scratch);
  EXPECT_FALSE(server.wait_ready().empty()) << server.err();
  server.kill_hard();
}

}  // namespace
}  // namespace callimport::tests
