// One suite for both disks, then what only the simulated one does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "storage/runtime/posix_disk.h"
#include "tests/storage/scratch_folder.h"

namespace callimport {
namespace {

using simulations::SeededRandom;
using simulations::SimDisk;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string content(Disk& disk, const std::string& path) {
  auto file = disk.open(path, OpenMode::kRead);
  if (!file) return "(" + std::string(to_string(file.error().code)) + ")";
  std::string text((*file)->size().value(), '\0');
  EXPECT_EQ(text.size(), (*file)->read(0, std::as_writable_bytes(std::span(text.data(), text.size()))).value());
  return text;
}

void put(Disk& disk, const std::string& path, const std::string& text) {
  auto file = disk.open(path, OpenMode::kCreate);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  ASSERT_TRUE((*file)->write(0, bytes_of(text)).has_value());
}

class Disks : public testing::TestWithParam<const char*> {
 protected:
  Disks() {
    if (std::string(GetParam()) == "Posix") {
      disk_ = std::make_unique<PosixDisk>();
      root_ = folder_.path();
    } else {
      disk_ = std::make_unique<SimDisk>();
      root_ = "/data";
      EXPECT_TRUE(disk_->make_dirs(root_).has_value());
    }
  }
  std::string at(const std::string& name) const { return root_ + "/" + name; }

  ScratchFolder folder_;
  std::unique_ptr<Disk> disk_;
  std::string root_;
};

TEST_P(Disks, KeepWhatIsWritten) {
  auto file = disk_->open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->write(3, bytes_of("word")).has_value());
  EXPECT_EQ(7u, (*file)->size().value());
  EXPECT_EQ(std::string("\0\0\0word", 7), content(*disk_, at("a")));
  ASSERT_TRUE((*file)->truncate(5).has_value());
  ASSERT_TRUE((*file)->sync().has_value());
  EXPECT_EQ(std::string("\0\0\0wo", 5), content(*disk_, at("a")));
  std::vector<std::byte> into(10);
  EXPECT_EQ(2u, (*file)->read(3, into).value());
  EXPECT_EQ(0u, (*file)->read(50, into).value());
}

TEST_P(Disks, NameTheirErrors) {
  EXPECT_EQ(Code::kNotFound, disk_->open(at("none"), OpenMode::kRead).error().code);
  EXPECT_EQ(Code::kNotFound, disk_->open(at("none"), OpenMode::kReadWrite).error().code);
  EXPECT_EQ(Code::kNotFound, disk_->open(at("no/folder"), OpenMode::kCreate).error().code);
  EXPECT_EQ(Code::kNotFound, disk_->remove(at("none")).error().code);
  EXPECT_EQ(Code::kNotFound, disk_->rename(at("none"), at("other")).error().code);
  EXPECT_EQ(Code::kNotFound, disk_->sync_dir(at("none")).error().code);
  EXPECT_EQ(Code::kNotFound, disk_->list(at("none")).error().code);
  put(*disk_, at("a"), "x");
  EXPECT_EQ(Code::kConflict, disk_->open(at("a"), OpenMode::kCreateNew).error().code);
  EXPECT_EQ(Code::kUnavailable, disk_->open(root_, OpenMode::kRead).error().code);
  EXPECT_EQ(Code::kUnavailable, disk_->make_dirs(at("a/b")).error().code);
  EXPECT_NE(std::string::npos, disk_->open(at("none"), OpenMode::kRead).error().message.find(at("none")));
  auto reader = disk_->open(at("a"), OpenMode::kRead);
  EXPECT_EQ(Code::kUnavailable, (*reader)->write(0, bytes_of("y")).error().code);
}

TEST_P(Disks, RenameRemoveAndList) {
  put(*disk_, at("b"), "new");
  put(*disk_, at("a"), "old");
  ASSERT_TRUE(disk_->make_dirs(at("c/d/e")).has_value());
  ASSERT_TRUE(disk_->make_dirs(at("c/d/e")).has_value());
  EXPECT_EQ((std::vector<std::string>{"a", "b", "c"}), disk_->list(root_).value());
  ASSERT_TRUE(disk_->rename(at("b"), at("a")).has_value());
  EXPECT_EQ("new", content(*disk_, at("a")));
  EXPECT_FALSE(disk_->exists(at("b")).value());
  EXPECT_TRUE(disk_->exists(at("c/d")).value());
  ASSERT_TRUE(disk_->rename(at("a"), at("c/d/e/f")).has_value());
  ASSERT_TRUE(disk_->sync_dir(at("c/d/e")).has_value());
  ASSERT_TRUE(disk_->remove(at("c/d/e/f")).has_value());
  EXPECT_TRUE(disk_->list(at("c/d/e")).value().empty());
  EXPECT_GT(disk_->free_bytes(root_).value(), 0u);
}

TEST_P(Disks, LockBetweenHandles) {
  put(*disk_, at("a"), "x");
  auto first = disk_->open(at("a"), OpenMode::kReadWrite);
  auto second = disk_->open(at("a"), OpenMode::kReadWrite);
  ASSERT_TRUE((*first)->lock_exclusive().has_value());
  ASSERT_TRUE((*first)->lock_exclusive().has_value()) << "taking what one has is no conflict";
  EXPECT_EQ(Code::kConflict, (*second)->lock_exclusive().error().code);
  first->reset();
  EXPECT_TRUE((*second)->lock_exclusive().has_value());
}

TEST_P(Disks, AnOpenFileOutlivesItsName) {
  auto file = disk_->open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE(disk_->remove(at("a")).has_value());
  ASSERT_TRUE((*file)->write(0, bytes_of("still")).has_value());
  EXPECT_EQ(5u, (*file)->size().value());
  EXPECT_FALSE(disk_->exists(at("a")).value());
}

INSTANTIATE_TEST_SUITE_P(Table, Disks, testing::Values("Posix", "Simulated"),
                         [](const auto& test) { return test.param; });

TEST(PosixDisk, KeepsOthersOut) {
  ScratchFolder folder;
  PosixDisk disk;
  ASSERT_TRUE(disk.make_dirs(folder.file("sub")).has_value());
  put(disk, folder.file("sub/a"), "x");
  struct stat status{};
  ASSERT_EQ(0, ::stat(folder.file("sub").c_str(), &status));
  EXPECT_EQ(0700u, status.st_mode & 0777u);
  ASSERT_EQ(0, ::stat(folder.file("sub/a").c_str(), &status));
  EXPECT_EQ(0600u, status.st_mode & 0777u);
}

/// Asks for SQLite's shared lock as its own programs do (a POSIX lock): true when that is refused.
bool refused_to_sqlite_shell(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x40000000;
  lock.l_len = 1;
  return fd >= 0 && ::fcntl(fd, F_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES);
}

TEST(PosixDisk, LocksOutASecondProcess) {
  ScratchFolder folder;
  PosixDisk disk;
  auto file = disk.open(folder.file("a"), OpenMode::kCreate);
  ASSERT_TRUE((*file)->lock_exclusive().has_value());
  const pid_t child = ::fork();
  if (child == 0) {
    auto other = disk.open(folder.file("a"), OpenMode::kReadWrite);
    const auto locked = (*other)->lock_exclusive();
    if (!refused_to_sqlite_shell(folder.file("a"))) ::_exit(2);
    ::_exit(!locked && locked.error().code == Code::kConflict ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

TEST(PosixDisk, SaysThatTheDiskIsFull) {
  PosixDisk disk;
  auto file = disk.open("/dev/full", OpenMode::kReadWrite);
  if (!file) GTEST_SKIP() << "no /dev/full here";
  const auto written = (*file)->write(0, bytes_of("x"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(Code::kUnavailable, written.error().code);
  EXPECT_NE(std::string::npos, written.error().message.find("disk is full"));
}

TEST(SimDisk, LosesWhatWasNotSynced) {
  bool lost = false, kept = false, torn = false, name_lost = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDisk disk;
    SeededRandom random(seed);
    auto file = disk.open("a", OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(0, bytes_of(std::string(2048, 'o'))).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
    ASSERT_TRUE(disk.sync_dir(".").has_value());
    ASSERT_TRUE((*file)->write(0, bytes_of(std::string(2048, 'n'))).has_value());
    put(disk, "b", "x");
    disk.crash(random);
    EXPECT_EQ(Code::kUnavailable, (*file)->size().error().code);
    EXPECT_EQ(Code::kUnavailable, (*file)->write(0, bytes_of("z")).error().code);
    const std::string left = content(disk, "a");
    ASSERT_EQ(2048u, left.size());
    for (std::size_t at = 0; at < left.size(); at += 512) {
      EXPECT_EQ(std::string(512, left[at]), left.substr(at, 512)) << "a sector is torn";
    }
    const auto fresh = std::count(left.begin(), left.end(), 'n');
    lost |= fresh == 0;
    kept |= fresh == 2048;
    torn |= fresh > 0 && fresh < 2048;
    name_lost |= !disk.exists("b").value();
  }
  EXPECT_TRUE(lost && kept && torn && name_lost);
}

TEST(SimDisk, KeepsSyncedFilesUnderOneOfTheirNames) {
  bool before = false, after = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimDisk disk;
    SeededRandom random(seed);
    ASSERT_TRUE(disk.make_dirs("sub").has_value());
    auto file = disk.open("tmp", OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(0, bytes_of("whole")).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
    ASSERT_TRUE(disk.sync_dir(".").has_value());
    ASSERT_TRUE(disk.rename("tmp", "sub/final").has_value());
    if (seed % 2 == 1) ASSERT_TRUE(disk.sync_dir("sub").has_value());
    disk.crash(random);
    const bool old_name = disk.exists("tmp").value(), new_name = disk.exists("sub/final").value();
    EXPECT_NE(old_name, new_name);
    if (seed % 2 == 1) EXPECT_TRUE(new_name) << "the folder was synced";
    EXPECT_EQ("whole", content(disk, old_name ? "tmp" : "sub/final"));
    before |= old_name;
    after |= new_name;
  }
  EXPECT_TRUE(before && after);
}

TEST(SimDisk, FailsTheNthOperation) {
  SimDisk disk;
  auto file = disk.open("a", OpenMode::kCreate);
  const auto write = [&] { return (*file)->write(0, bytes_of("abcd")).has_value(); };
  disk.fail_nth(simulations::kOpWrite | simulations::kOpSync, 3);
  EXPECT_TRUE(write());
  EXPECT_TRUE((*file)->sync().has_value());
  EXPECT_FALSE(disk.fault_struck());
  EXPECT_FALSE(write());
  EXPECT_TRUE(disk.fault_struck());
  EXPECT_TRUE(write());
  disk.fail_nth(simulations::kOpWrite, 1, simulations::FaultLife::kFromThenOn);
  EXPECT_FALSE(write());
  EXPECT_FALSE(write());
  disk.heal();
  EXPECT_TRUE(write());
  EXPECT_EQ(6u, disk.count(simulations::kOpWrite));
  EXPECT_EQ(7u, disk.count(simulations::kOpWrite | simulations::kOpSync));
}

TEST(SimDisk, IsFullAtItsCapacity) {
  SimDisk disk;
  disk.set_capacity(4);
  auto file = disk.open("a", OpenMode::kCreate);
  EXPECT_TRUE((*file)->write(0, bytes_of("abcd")).has_value());
  const auto more = (*file)->write(4, bytes_of("e"));
  ASSERT_FALSE(more.has_value());
  EXPECT_NE(std::string::npos, more.error().message.find("disk is full"));
  EXPECT_TRUE((*file)->write(0, bytes_of("efgh")).has_value()) << "no more bytes than before";
  EXPECT_EQ(0u, disk.free_bytes(".").value());
}

TEST(SimDisk, AKilledProcessLosesHandlesAndNoBytes) {
  SimDisk disk;
  auto file = disk.open("a", OpenMode::kCreate);
  ASSERT_TRUE((*file)->lock_exclusive().has_value());
  ASSERT_TRUE((*file)->write(0, bytes_of("abcd")).has_value());
  disk.kill();
  EXPECT_FALSE((*file)->sync().has_value());
  EXPECT_EQ("abcd", content(disk, "a"));
  auto next = disk.open("a", OpenMode::kReadWrite);
  EXPECT_TRUE((*next)->lock_exclusive().has_value());
}

}  // namespace
}  // namespace callimport
