// The media store: a name in the store always has its whole content, whatever happens on the way.
#include "storage/media/media_store.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "storage/media/content_hash.h"
#include "storage/runtime/posix_disk.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::storage {
namespace {

std::string read_file(Disk& disk, const std::string& path) {
  auto file = disk.open(path, OpenMode::kRead);
  if (!file) return "(" + file.error().message + ")";
  std::string bytes((*file)->size().value(), '\0');
  EXPECT_EQ(bytes.size(), (*file)->read(0, std::as_writable_bytes(std::span(bytes))).value());
  return bytes;
}

class MediaTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("data").has_value());
    open("boot 1");
  }
  void open(const std::string& boot) {
    auto opened = MediaStore::open(disk_, "data/media", boot);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store_ = *std::move(opened);
  }
  std::unique_ptr<MediaWriter> writer(const std::string& key) { return store_->writer(key).value(); }
  std::vector<std::string> partials() { return disk_.list("data/media/partial").value(); }

  simulations::SimDisk disk_;
  std::unique_ptr<MediaStore> store_;
};

TEST(ContentHashes, AreSha256) {
  EXPECT_EQ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", content_hash(""));
  EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", content_hash("abc"));
  EXPECT_TRUE(is_content_hash(content_hash("x")));
  EXPECT_FALSE(is_content_hash("../../etc/passwd"));
  EXPECT_FALSE(is_content_hash(content_hash("x") + "0"));
  EXPECT_FALSE(is_content_hash(std::string(64, 'A')));
}

TEST_F(MediaTest, StoresUnderTheHash) {
  auto out = writer("call 1");
  ASSERT_TRUE(out->append("ab").has_value());
  ASSERT_TRUE(out->append("").has_value());
  ASSERT_TRUE(out->append("c").has_value());
  EXPECT_EQ(3u, out->size());
  EXPECT_EQ("abc", read_file(disk_, out->path()));
  const auto stored = out->commit().value();
  EXPECT_EQ(content_hash("abc"), stored.hash);
  EXPECT_EQ(3u, stored.bytes);
  EXPECT_EQ("data/media/ba/78/" + stored.hash, stored.path);
  EXPECT_EQ(stored.path, store_->path_of(stored.hash));
  EXPECT_EQ("abc", read_file(disk_, stored.path));
  EXPECT_TRUE(store_->contains(stored.hash).value());
  EXPECT_TRUE(partials().empty());
  EXPECT_EQ(stored.hash, out->commit()->hash) << "again is success";
  EXPECT_EQ(Code::kConflict, out->append("x").error().code);
}

TEST_F(MediaTest, KnowsOnlyHashes) {
  for (const std::string& wrong :
       {std::string(), std::string("../../x"), std::string(64, '/'), std::string(10'000, 'a')}) {
    EXPECT_EQ("", store_->path_of(wrong));
    EXPECT_FALSE(store_->contains(wrong).value());
  }
  EXPECT_FALSE(store_->contains(content_hash("absent")).value());
}

TEST_F(MediaTest, ResumesWithinABootAndHashesTheWhole) {
  ASSERT_TRUE(writer("k")->append("first ").has_value());
  open("boot 1");
  auto out = writer("k");
  EXPECT_EQ(6u, out->size());
  ASSERT_TRUE(out->append("second").has_value());
  EXPECT_EQ(content_hash("first second"), out->commit()->hash);
}

TEST_F(MediaTest, DoesNotTrustAnotherBootsPartials) {
  ASSERT_TRUE(writer("k")->append("first ").has_value());
  open("boot 2");
  EXPECT_TRUE(partials().empty());
  EXPECT_EQ(0u, writer("k")->size());
}

TEST_F(MediaTest, StartsAnewWhenAsked) {
  auto out = writer("k");
  ASSERT_TRUE(out->append("wrong").has_value());
  ASSERT_TRUE(out->restart().has_value());
  EXPECT_EQ(0u, out->size());
  ASSERT_TRUE(out->append("right").has_value());
  EXPECT_EQ(content_hash("right"), out->commit()->hash);
}

TEST_F(MediaTest, DiscardsAndIsDone) {
  auto out = writer("k");
  ASSERT_TRUE(out->append("x").has_value());
  ASSERT_TRUE(out->discard().has_value());
  EXPECT_TRUE(partials().empty());
  EXPECT_EQ(Code::kConflict, out->commit().error().code);
  EXPECT_EQ(0u, writer("k")->size());
}

TEST_F(MediaTest, TheSameContentIsOneFile) {
  auto a = writer("a"), b = writer("b");
  ASSERT_TRUE(a->append("same").has_value());
  ASSERT_TRUE(b->append("same").has_value());
  EXPECT_EQ(a->commit()->path, b->commit()->path);
  EXPECT_TRUE(partials().empty());
  EXPECT_EQ("same", read_file(disk_, store_->path_of(content_hash("same"))));
}

TEST_F(MediaTest, TheNewestWriterOfAKeyOwnsIt) {
  auto old = writer("k");
  ASSERT_TRUE(old->append("old ").has_value());
  auto fresh = writer("k");
  EXPECT_EQ(4u, fresh->size());
  EXPECT_EQ(Code::kConflict, old->append("late").error().code);
  EXPECT_EQ(Code::kConflict, old->restart().error().code);
  EXPECT_EQ(Code::kConflict, old->commit().error().code);
  EXPECT_EQ(Code::kConflict, old->discard().error().code);
  ASSERT_TRUE(fresh->append("new").has_value());
  EXPECT_EQ(content_hash("old new"), fresh->commit()->hash);
}

TEST_F(MediaTest, KeepsBrokenOnesInQuarantine) {
  auto out = writer("k");
  ASSERT_TRUE(out->append("<html>").has_value());
  ASSERT_TRUE(store_->quarantine("k", "media.damaged/../../x").has_value());
  EXPECT_EQ("<html>", read_file(disk_, "data/media/quarantine/" + content_hash("<html>") + ".media.damaged_.._.._x"));
  EXPECT_TRUE(partials().empty());
  EXPECT_EQ(Code::kConflict, out->commit().error().code);
  EXPECT_EQ(Code::kNotFound, store_->quarantine("k", "media.damaged").error().code);
  EXPECT_EQ(0u, writer("k")->size());
}

TEST_F(MediaTest, AFullDiskIsAnErrorAndPasses) {
  auto out = writer("k");
  ASSERT_TRUE(out->append("begun ").has_value());
  disk_.set_capacity(8);
  const auto full = out->append("and much more");
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(Code::kUnavailable, full.error().code);
  EXPECT_EQ(6u, out->size());
  disk_.set_capacity(1 << 20);
  ASSERT_TRUE(out->append("ended").has_value());
  const auto stored = out->commit().value();
  EXPECT_EQ("begun ended", read_file(disk_, stored.path));
  EXPECT_EQ(content_hash("begun ended"), stored.hash);
}

/// Each change to the disk fails once in turn: the verb that met it is repeated, the content ends up whole.
TEST(MediaFaults, EveryStepMayBeRepeated) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    ASSERT_LT(n, 100u);
    simulations::SimDisk disk;
    ASSERT_TRUE(disk.make_dirs("data").has_value());
    disk.fail_nth(simulations::kOpChanges, n);
    const auto repeat = [](const auto& verb) {
      for (int tries = 0; tries < 3; ++tries) {
        auto done = verb();
        if (done) return done;
        EXPECT_EQ(Code::kUnavailable, done.error().code) << done.error().message;
      }
      return verb();
    };
    auto store = repeat([&] { return MediaStore::open(disk, "data/media", "boot"); });
    ASSERT_TRUE(store.has_value());
    auto out = repeat([&] { return (*store)->writer("k"); });
    ASSERT_TRUE(out.has_value());
    ASSERT_TRUE(repeat([&] { return (*out)->append("first "); }).has_value());
    ASSERT_TRUE(repeat([&] { return (*out)->append("second"); }).has_value());
    const auto stored = repeat([&] { return (*out)->commit(); });
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ("first second", read_file(disk, stored->path));
    EXPECT_EQ(content_hash("first second"), stored->hash);
    if (!disk.fault_struck()) break;
  }
}

std::vector<std::string> stored_names(Disk& disk, const std::string& root) {
  std::vector<std::string> paths;
  for (const auto folders = disk.list(root).value(); const auto& a : folders) {
    if (a.size() != 2) continue;
    for (const auto below = disk.list(root + "/" + a).value(); const auto& b : below) {
      for (const auto names = disk.list(root + "/" + a + "/" + b).value(); const auto& name : names)
        paths.push_back(root + "/" + a + "/" + b + "/" + name);
    }
  }
  return paths;
}

TEST(MediaPower, EveryNameHasItsWholeContent) {
  int stored_in_all = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    simulations::SimDisk disk;
    simulations::SeededRandom random(seed);
    ASSERT_TRUE(disk.make_dirs("data").has_value());
    std::map<std::string, std::string> acknowledged;  // hash to content
    for (int boot = 0; boot < 4; ++boot) {
      disk.fail_nth(simulations::kOpChanges, 1 + random.below(60), simulations::FaultLife::kFromThenOn);
      auto store = MediaStore::open(disk, "data/media", "boot " + std::to_string(boot));
      for (int call = 0; store && call < 20; ++call) {
        auto out = (*store)->writer("call " + std::to_string(random.below(8)));
        if (!out) break;
        std::string content(random.below(3'000), static_cast<char>('a' + random.below(3)));
        if ((*out)->size() > 0 && !(*out)->restart()) break;
        if (!(*out)->append(content)) break;
        if (random.chance(30)) continue;  // given up: stays as a partial
        const auto done = (*out)->commit();
        if (!done) break;
        acknowledged[done->hash] = content;
      }
      disk.crash(random);
      disk.heal();
      ASSERT_TRUE(MediaStore::open(disk, "data/media", "boot " + std::to_string(boot + 1)).has_value());
      for (const auto& path : stored_names(disk, "data/media")) {
        EXPECT_EQ(path.substr(path.rfind('/') + 1), content_hash(read_file(disk, path))) << path;
      }
      for (const auto& [hash, content] : acknowledged) {
        EXPECT_EQ(content, read_file(disk, "data/media/" + hash.substr(0, 2) + "/" + hash.substr(2, 2) + "/" + hash));
      }
    }
    stored_in_all += static_cast<int>(acknowledged.size());
  }
  EXPECT_GT(stored_in_all, 100);
}

TEST(MediaThreads, CommitAtTheSameTime) {
  ScratchFolder folder;
  PosixDisk disk;
  const auto store = MediaStore::open(disk, folder.file("media"), "boot");
  ASSERT_TRUE(store.has_value());
  const auto work = [&](int thread) {
    for (int i = 0; i < 20; ++i) {
      auto out = (*store)->writer(std::to_string(thread) + "/" + std::to_string(i)).value();
      ASSERT_TRUE(out->append("content " + std::to_string(i)).has_value());
      ASSERT_TRUE(out->commit().has_value());
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) threads.emplace_back(work, thread);
  for (auto& thread : threads) thread.join();
  const auto paths = stored_names(disk, folder.file("media"));
  EXPECT_EQ(20u, paths.size());
  for (const auto& path : paths) EXPECT_EQ(path.substr(path.rfind('/') + 1), content_hash(read_file(disk, path)));
}

}  // namespace
}  // namespace callimport::storage
