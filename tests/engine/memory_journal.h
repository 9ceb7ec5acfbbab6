#pragma once
// A journal without a disk, for suites of the service: commits once a turn, on the loop, unless it is told to fail.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "storage/journal/journal.h"
#include "storage/model/ensure.h"

namespace callimport::engine::testing_world {

/// What survives: copy it to look at a moment again.
struct Durable {
  std::vector<storage::JournalRow> rows;  ///< seq = index + 1
  std::map<storage::RunKey, storage::Snapshot> snapshots;
  std::map<storage::RunKey, storage::ClosedHistory> closed;
  std::set<storage::RunKey> erased;  ///< nothing of them is given again
  storage::RunKey last_run = 0;
};

class MemoryJournal final : public storage::Journal {
 public:
  explicit MemoryJournal(Executor& loop, Durable durable = {}) : loop_(loop), durable_(std::move(durable)) {}
  ~MemoryJournal() override { *alive_ = false; }

  const Durable& durable() const { return durable_; }
  std::function<void()> on_commit;  ///< right after each commit, before its callbacks
  bool full = false;                ///< appends fail
  std::uint64_t appends = 0;        ///< asked for, whatever became of them
  storage::Seq trimmed = 0;         ///< rows before it are wanted no more

  void append(std::vector<storage::JournalRow> rows, Done done) override {
    ++appends;
    turn_.push_back(
        [this, rows = std::move(rows), done = std::move(done)]() mutable { commit(std::move(rows), done); });
    post();
  }
  void put_snapshots(std::vector<storage::Snapshot> snapshots) override {
    for (auto& snapshot : snapshots) riders_.snapshots[snapshot.run] = std::move(snapshot);
  }
  void put_closed(storage::ClosedHistory closed) override { riders_.closed[closed.run] = std::move(closed); }
  void reset(std::function<void(Result<storage::Seq>)> done) override {
    turn_.push_back([this, done = std::move(done)] {
      riders_ = {};
      failed_ = false;
      done(static_cast<storage::Seq>(durable_.rows.size()));
    });
    post();
  }
  void read_run(storage::Seq last, std::function<void(Result<std::vector<storage::JournalRow>>)> done) override {
    turn_.push_back([this, last, done = std::move(done)] {
      std::vector<storage::JournalRow> rows;
      for (storage::Seq seq = last; seq != 0; seq = rows.front().previous) {
        rows.insert(rows.begin(), durable_.rows.at(static_cast<std::size_t>(seq - 1)));
      }
      done(std::move(rows));
    });
    post();
  }
  void read_closed(storage::RunKey run,
                   std::function<void(Result<std::optional<storage::ClosedHistory>>)> done) override {
    turn_.push_back([this, run, done = std::move(done)] {
      const auto it = durable_.closed.find(run);
      done(it == durable_.closed.end() ? std::optional<storage::ClosedHistory>() : it->second);
    });
    post();
  }
  void erase_closed(std::vector<storage::RunKey> runs) override {
    riders_.erased.insert(runs.begin(), runs.end());
    post();
  }
  void trim(storage::Seq floor) override { trimmed = floor; }
  Result<Recovered> recover(int snapshot_version) override {
    Recovered out;
    out.last = static_cast<storage::Seq>(durable_.rows.size());
    out.last_run = durable_.last_run;
    for (const auto& [run, closed] : durable_.closed) out.closed.push_back({run, closed.summary});
    std::map<storage::RunKey, storage::Seq> covered;
    for (const auto& [run, snapshot] : durable_.snapshots) {
      if (durable_.closed.contains(run) || snapshot.version != snapshot_version) continue;
      out.snapshots.push_back(snapshot);
      covered[run] = snapshot.seq;
    }
    for (const auto& row : durable_.rows) {
      if (!durable_.closed.contains(row.run) && !durable_.erased.contains(row.run) && row.seq > covered[row.run])
        out.rows.push_back(row);
    }
    return out;
  }
  Figures figures() const override { return {commits_, durable_.rows.size()}; }

 private:
  void post() {
    if (posted_) return;
    posted_ = true;
    loop_.post([this, alive = alive_] {
      if (!*alive) return;
      posted_ = false;
      auto turn = std::exchange(turn_, {});
      for (auto& work : turn) work();
      if (!failed_ && !full) write_riders();  // idle
    });
  }
  void write_riders() {
    for (auto& [run, snapshot] : riders_.snapshots) durable_.snapshots[run] = std::move(snapshot);
    for (auto& [run, closed] : riders_.closed) durable_.closed[run] = std::move(closed);
    for (const auto run : riders_.erased) {
      durable_.closed.erase(run);
      durable_.snapshots.erase(run);
      durable_.erased.insert(run);
    }
    riders_ = {};
  }
  void commit(std::vector<storage::JournalRow> rows, const Done& done) {
    failed_ = failed_ || full;
    if (failed_) {
      done(fail(Code::kUnavailable, "disk is full"));
      return;
    }
    for (auto& row : rows) {
      ENSURE(row.seq == static_cast<storage::Seq>(durable_.rows.size()) + 1);
      durable_.last_run = std::max(durable_.last_run, row.run);
      durable_.rows.push_back(std::move(row));
    }
    write_riders();
    ++commits_;
    if (on_commit) on_commit();
    done({});
  }

  Executor& loop_;
  Durable durable_;
  Durable riders_;
  std::vector<std::function<void()>> turn_;
  bool posted_ = false, failed_ = false;
  std::uint64_t commits_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace callimport::engine::testing_world
