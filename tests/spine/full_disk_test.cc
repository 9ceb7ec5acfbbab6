// A disk that really is full: a small tmpfs under the data folder. Needs the right to mount; says so where it has none.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

/// A tmpfs as long as it lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=48m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

/// Takes what is left, to the last byte. On the sandbox's thread, so that no request is answered meanwhile.
void fill(const std::string& path) {
  const std::string portion(64 << 10, 'x');
  std::ofstream out(path, std::ios::binary);
  while (out.write(portion.data(), static_cast<std::streamsize>(portion.size())).flush()) {
  }
}

TEST(FullDisk, ImportWaitsIsToldAndGoesOn) {
  House house(60, 21);
  const SmallDisk disk(house.data());
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small tmpfs here";
  ASSERT_TRUE(house.serve());
  const std::string filler = house.data() + "/filler";
  house.sandbox().arm(90, [&filler] { fill(filler); });
  ASSERT_EQ(house.start().code, 0);
  const auto waiting = house.follow_until([](const v1::WatchImportResponse& message) {
    const auto waits = [](const v1::LaneStatus& lane) {
      return lane.condition() == "waiting" && lane.reason() == "store.full" && lane.until_ms() > 0;
    };
    return (waits(message.import().first()) || waits(message.import().bulk())) &&
           message.notice().find("is full") != std::string::npos;
  });
  ASSERT_TRUE(waiting);
  const auto shown = house.verb({"show", house.import()});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_NE(shown.out.find("store.full"), std::string::npos) << shown.out;
  std::filesystem::remove(filler);
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  house.expect_none_fetched_again();
  house.server().kill_hard();  // before the disk goes
}

TEST(FullDisk, ServerThatCannotBeginSaysWhatToDo) {
  const Scratch scratch;
  const SmallDisk disk(scratch / "data");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small tmpfs here";
  write_file(scratch / "data/filler", std::string(49u << 20, 'x'));  // as much as fits
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
