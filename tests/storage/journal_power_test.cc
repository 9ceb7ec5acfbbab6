// The journal when the power goes: whatever was acknowledged is there, and a turn is there whole or not at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulations/world/seeded_random.h"
#include "tests/storage/journal_world.h"

namespace callimport::storage {
namespace {

/// What was asked of the journal, row by row, whatever came of it.
class Workload {
 public:
  Workload(JournalWorld& world, simulations::SeededRandom& random) : world_(world), random_(random) {}

  Seq acknowledged() const { return acknowledged_; }

  /// Some rows of some runs in one turn, now and then with a closing, a snapshot, an erasure or a trim.
  bool turn() {
    const auto done = world_.wait_for<void>([&](auto finish) {
      std::vector<JournalRow> rows;
      for (std::uint64_t i = 0; i <= random_.below(5); ++i) rows.push_back(row_of(some_run(), "row "));
      if (random_.chance(15)) close(rows);
      if (random_.chance(15)) snapshot();
      if (random_.chance(5)) erase();
      if (random_.chance(10)) world_.journal().trim(floor());
      world_.journal().append(std::move(rows), finish);
    });
    if (done) acknowledged_ = std::ssize(rows_);
    return done.has_value();
  }

  /// Compares, then goes on from what is left.
  void check(const Journal::Recovered& found) {
    ASSERT_GE(found.last, acknowledged_);
    ASSERT_LE(found.last, std::ssize(rows_));
    check_closed(found);
    std::map<RunKey, Seq> begins;
    for (const auto& snapshot : found.snapshots) {
      EXPECT_EQ("state " + std::to_string(snapshot.seq), snapshot.body);
      ASSERT_LE(snapshot.seq, found.last);
      begins[snapshot.run] = snapshot.seq;
    }
    std::set<Seq> given;
    for (const auto& row : found.rows) {
      const JournalRow& asked = rows_[static_cast<std::size_t>(row.seq - 1)];
      EXPECT_EQ(asked.body, row.body);
      EXPECT_EQ(asked.run, row.run);
      EXPECT_EQ(asked.previous, row.previous);
      EXPECT_FALSE(closed_by(row.run, found.last)) << "run " << row.run << " was closed";
      given.insert(row.seq);
    }
    for (Seq seq = 1; seq <= found.last; ++seq) {
      const RunKey run = rows_[static_cast<std::size_t>(seq - 1)].run;
      if (closed_by(run, found.last) || seq <= begins[run]) continue;
      EXPECT_TRUE(given.contains(seq)) << "row " << seq << " of open run " << run << " is lost";
    }
    go_on_from(found.last);
  }

 private:
  void check_closed(const Journal::Recovered& found) {
    std::set<RunKey> closed;
    for (const auto& summary : found.closed) {
      closed.insert(summary.run);
      EXPECT_TRUE(closed_by(summary.run, found.last)) << "closed without its last row";
      const auto history = world_.read_closed(summary.run);
      ASSERT_TRUE(history.has_value() && history->has_value());
      EXPECT_EQ("history of " + std::to_string(summary.run), (*history)->history);
    }
    for (const auto& [run, seq] : closing_) {
      if (seq <= found.last && !erased_.contains(run)) EXPECT_TRUE(closed.contains(run)) << "run " << run;
    }
  }

  void go_on_from(Seq last) {
    rows_.resize(static_cast<std::size_t>(last));
    acknowledged_ = last;
    std::erase_if(closing_, [&](const auto& entry) { return entry.second > last; });
    newest_.clear();
    for (const auto& row : rows_) newest_[row.run] = row.seq;
  }

  bool closed_by(RunKey run, Seq last) const {
    const auto found = closing_.find(run);
    return found != closing_.end() && found->second <= last;
  }

  RunKey some_run() {
    RunKey run = 0;
    do {
      const RunKey highest = newest_.empty() ? 0 : newest_.rbegin()->first;
      run = std::max<RunKey>(1, highest - 4) + static_cast<RunKey>(random_.below(6));
      run = std::min(run, highest + 1);
    } while (closing_.contains(run));
    return run;
  }

  JournalRow row_of(RunKey run, const std::string& word) {
    const Seq seq = std::ssize(rows_) + 1;
    JournalRow row{seq, run, newest_[run], word + std::to_string(seq) + random_.id_text(random_.below(3'000))};
    newest_[run] = seq;
    rows_.push_back(row);
    return row;
  }

  void close(std::vector<JournalRow>& rows) {
    const RunKey run = rows.back().run;
    rows.push_back(row_of(run, "closing "));
    closing_[run] = rows.back().seq;
    ClosedHistory closed{run, "default", "w", "r", 1, 2, "summary", "history of " + std::to_string(run)};
    world_.journal().put_closed(std::move(closed));
  }

  void snapshot() {
    const JournalRow& row = rows_.back();
    if (closing_.contains(row.run)) return;
    world_.journal().put_snapshots({{row.run, row.seq, 1, "state " + std::to_string(row.seq)}});
  }

  void erase() {
    for (const auto& [run, seq] : closing_) {
      if (seq > acknowledged_ || erased_.contains(run)) continue;
      erased_.insert(run);
      world_.journal().erase_closed({run});
      return;
    }
  }

  /// The oldest row of an open run, by what is acknowledged.
  Seq floor() const {
    for (const auto& row : rows_) {
      if (!closed_by(row.run, acknowledged_)) return row.seq;
    }
    return 1;
  }

  JournalWorld& world_;
  simulations::SeededRandom& random_;
  std::vector<JournalRow> rows_;
  std::map<RunKey, Seq> newest_, closing_;
  std::set<RunKey> erased_;
  Seq acknowledged_ = 0;
};

class JournalPower : public testing::TestWithParam<std::uint64_t> {};

TEST_P(JournalPower, LosesNothingAcknowledged) {
  simulations::SeededRandom random(GetParam());
  JournalWorld world(JournalKind::kLoopOnSimulated);
  world.options().wal_bytes_max = 100'000;
  Workload work(world, random);
  for (int life = 0; life < 5; ++life) {
    world.sim_disk().fail_nth(simulations::kOpChanges, 1 + random.below(1'000), simulations::FaultLife::kFromThenOn);
    const bool opened = world.open().has_value();
    while (opened && work.turn()) {
    }
    if (random.chance(70)) {
      world.sim_disk().crash(random);
    } else {
      world.sim_disk().kill();
    }
    world.close();
    world.sim_disk().heal();
    const auto found = world.open();
    ASSERT_TRUE(found.has_value()) << found.error().message;
    work.check(*found);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(work.acknowledged(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, JournalPower, testing::Range<std::uint64_t>(1, 61));

}  // namespace
}  // namespace callimport::storage
