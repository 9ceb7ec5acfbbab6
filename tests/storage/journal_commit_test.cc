// When the journal commits: what came meanwhile goes together, and an answer comes only after.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"
#include "storage/journal/journal.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/mutex.h"
#include "storage/runtime/posix_disk.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::storage {
namespace {

/// A disk whose files sync only while the gate is open.
class GatedDisk final : public Disk {
 public:
  class GatedFile final : public File {
   public:
    GatedFile(GatedDisk& disk, std::unique_ptr<File> file) : disk_(disk), file_(std::move(file)) {}
    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
      return file_->read(offset, into);
    }
    Result<> write(std::uint64_t offset, std::span<const std::byte> from) override {
      return file_->write(offset, from);
    }
    Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<> sync() override {
      disk_.pass();
      return file_->sync();
    }
    Result<std::uint64_t> size() override { return file_->size(); }
    Result<> lock_exclusive() override { return file_->lock_exclusive(); }

   private:
    GatedDisk& disk_;
    std::unique_ptr<File> file_;
  };

  void shut() {
    MutexLock lock(mutex_);
    open_ = false;
  }
  void let_pass() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.wake_all();
  }
  void wait_until_somebody_waits() {
    MutexLock lock(mutex_);
    while (waiting_ == 0) changed_.wait(mutex_);
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    TRY(auto file, disk_.open(path, mode));
    return std::make_unique<GatedFile>(*this, std::move(file));
  }
  Result<> rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Result<> remove(const std::string& path) override { return disk_.remove(path); }
  Result<> make_dirs(const std::string& path) override { return disk_.make_dirs(path); }
  Result<> sync_dir(const std::string& path) override { return disk_.sync_dir(path); }
  Result<bool> exists(const std::string& path) override { return disk_.exists(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return disk_.list(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_.free_bytes(path); }

 private:
  void pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.wake_all();
    while (!open_) changed_.wait(mutex_);
    --waiting_;
  }

  simulations::SimDisk disk_;
  Mutex mutex_;
  Condition changed_;
  bool open_ GUARDED_BY(mutex_) = true;
  int waiting_ GUARDED_BY(mutex_) = 0;
};

TEST(GroupCommit, TakesAllThatCameWhileACommitWasUnderWay) {
  GatedDisk disk;
  AsioLoop loop;
  auto journal = open_journal(disk, loop, {.path = "journal.db"});
  ASSERT_TRUE(journal.has_value());
  int answered = 0;
  const auto append = [&](Seq seq) {
    (*journal)->append({{seq, seq, 0, "body"}}, [&](Result<> done) {
      EXPECT_TRUE(done.has_value());
      if (++answered == 50) loop.stop();
    });
  };
  disk.shut();
  std::function<void(Seq)> one_each_turn = [&](Seq seq) {
    append(seq);
    if (seq == 50) {
      loop.post([&] { disk.let_pass(); });  // after this turn was handed over
    } else {
      loop.post([&, seq] { loop.post([&, seq] { one_each_turn(seq + 1); }); });
    }
  };
  loop.post([&] {
    append(1);
    loop.post([&] {  // behind the turn's hand-over
      disk.wait_until_somebody_waits();
      one_each_turn(2);
    });
  });
  loop.run();
  EXPECT_EQ(50, answered);
  EXPECT_EQ(2u, (*journal)->figures().commits);
}

TEST(DieAfterCommits, DiesBetweenTheCommitAndItsAnswer) {
  ScratchFolder folder;
  PosixDisk disk;
  const pid_t child = ::fork();
  if (child == 0) {
    simulations::SimLoop loop;
    auto journal =
        open_journal(disk, loop, {.path = folder.file("journal.db"), .threaded = false, .die_after_commits = 3});
    int answered = 0;
    for (Seq seq = 1; seq <= 5; ++seq) {
      (*journal)->append({{seq, 1, seq - 1, "body"}}, [&](Result<>) { ++answered; });
      (void)loop.run_until([&] { return answered == seq; });
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(SIGKILL, WTERMSIG(status));
  simulations::SimLoop loop;
  auto journal = open_journal(disk, loop, {.path = folder.file("journal.db"), .threaded = false});
  ASSERT_TRUE(journal.has_value());
  EXPECT_EQ(3, (*journal)->recover(1).value().last);
}

}  // namespace
}  // namespace callimport::storage
