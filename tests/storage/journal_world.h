#pragma once
// A journal under test, on the real disk with its thread, or on the simulated disk without.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"
#include "storage/journal/journal.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/posix_disk.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::storage {

enum class JournalKind { kThreadOnPosix, kThreadOnSimulated, kLoopOnSimulated };

inline std::string name_of(JournalKind kind) {
  switch (kind) {
    case JournalKind::kThreadOnPosix: return "ThreadOnPosix";
    case JournalKind::kThreadOnSimulated: return "ThreadOnSimulated";
    case JournalKind::kLoopOnSimulated: return "LoopOnSimulated";
  }
  return "";
}

/// Owns the disk and the loop; `open` and `close` are a process that starts and stops.
class JournalWorld {
 public:
  explicit JournalWorld(JournalKind kind)
      : kind_(kind), path_(on_posix() ? folder_.file("journal.db") : "journal.db") {}

  Disk& disk() { return on_posix() ? static_cast<Disk&>(posix_) : sim_disk_; }
  simulations::SimDisk& sim_disk() { return sim_disk_; }
  bool on_posix() const { return kind_ == JournalKind::kThreadOnPosix; }
  Executor& loop() { return threaded() ? static_cast<Executor&>(asio_) : sim_loop_; }
  const std::string& path() const { return path_; }
  Journal& journal() { return *journal_; }
  JournalOptions& options() { return options_; }

  static constexpr int kSnapshots = 7;  ///< version of the snapshots that are of use
  Result<Journal::Recovered> open() {
    journal_.reset();
    options_.path = path_;
    options_.threaded = threaded();
    TRY(journal_, open_journal(disk(), loop(), options_));
    return journal_->recover(kSnapshots);
  }
  void close() { journal_.reset(); }

  /// Calls `start` on the loop and runs the loop until it calls back.
  template <class T>
  Result<T> wait_for(std::function<void(std::function<void(Result<T>)>)> start) {
    std::optional<Result<T>> answer;
    const auto done = [&](Result<T> result) {
      answer = std::move(result);
      if (threaded()) asio_.stop();
    };
    loop().post([&] { start(done); });
    if (threaded()) {
      asio_.run();
    } else {
      EXPECT_TRUE(sim_loop_.run_until([&] { return answer.has_value(); }))
          << "nothing is left to run, and no answer came";
    }
    return std::move(*answer);
  }

  Result<> append(std::vector<JournalRow> rows) {
    return wait_for<void>([&](auto done) { journal().append(std::move(rows), done); });
  }
  Result<std::vector<JournalRow>> read_run(Seq last) {
    return wait_for<std::vector<JournalRow>>([&](auto done) { journal().read_run(last, done); });
  }
  Result<std::optional<ClosedHistory>> read_closed(RunKey run) {
    return wait_for<std::optional<ClosedHistory>>([&](auto done) { journal().read_closed(run, done); });
  }
  Result<Seq> reset() {
    return wait_for<Seq>([&](auto done) { journal().reset(done); });
  }

 private:
  bool threaded() const { return kind_ != JournalKind::kLoopOnSimulated; }

  JournalKind kind_;
  ScratchFolder folder_;
  std::string path_;
  PosixDisk posix_;
  simulations::SimDisk sim_disk_;
  AsioLoop asio_;
  simulations::SimLoop sim_loop_;
  JournalOptions options_;
  std::unique_ptr<Journal> journal_;
};

}  // namespace callimport::storage
