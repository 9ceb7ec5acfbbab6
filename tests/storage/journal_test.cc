// One suite for every way the journal runs.
#include "storage/journal/journal.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/sqlite/database.h"
#include "tests/storage/journal_world.h"

namespace callimport::storage {
namespace {

class Journals : public testing::TestWithParam<JournalKind> {
 protected:
  Journals() : world_(GetParam()) {}

  Journal::Recovered open() {
    auto recovered = world_.open();
    EXPECT_TRUE(recovered.has_value()) << recovered.error().message;
    return recovered ? *recovered : Journal::Recovered{};
  }
  /// The next row of `run`, chained and numbered.
  JournalRow next(RunKey run, std::string body = "body") {
    JournalRow row{++last_, run, newest_[run], std::move(body)};
    newest_[run] = last_;
    return row;
  }
  Result<> append(RunKey run, std::string body = "body") { return world_.append({next(run, std::move(body))}); }
  ClosedHistory closed(RunKey run) {
    return {run,   "default", "workflow " + std::to_string(run), "run " + std::to_string(run),
            1'000, 2'000,     "summary " + std::to_string(run),  std::string(10'000, 'h') + std::to_string(run)};
  }
  /// Closes `run` as the engine does: history and last row in one turn.
  Result<> close(RunKey run) {
    return world_.wait_for<void>([&](auto done) {
      world_.journal().append({next(run, "closing")}, done);
      world_.journal().put_closed(closed(run));
    });
  }

  JournalWorld world_;
  Seq last_ = 0;
  std::map<RunKey, Seq> newest_;
};

TEST_P(Journals, BeginEmpty) {
  const auto recovered = open();
  EXPECT_EQ(0, recovered.last);
  EXPECT_EQ(0, recovered.last_run);
  EXPECT_TRUE(recovered.rows.empty() && recovered.snapshots.empty() && recovered.closed.empty());
}

TEST_P(Journals, GiveBackEveryRow) {
  open();
  const std::string zeros("\0\xff\0", 3), large(3'000'000, 'L');
  for (const auto& body : {std::string("one"), std::string(), zeros, large}) ASSERT_TRUE(append(1, body).has_value());
  ASSERT_TRUE(append(2, "two").has_value());
  const auto recovered = open();
  ASSERT_EQ(5u, recovered.rows.size());
  EXPECT_EQ(5, recovered.last);
  EXPECT_EQ(2, recovered.last_run);
  EXPECT_EQ("", recovered.rows[1].body);
  EXPECT_EQ(zeros, recovered.rows[2].body);
  EXPECT_EQ(large, recovered.rows[3].body);
  EXPECT_EQ(3, recovered.rows[3].previous);
  EXPECT_EQ(0, recovered.rows[4].previous);
}

TEST_P(Journals, CommitATurnAtOnce) {
  open();
  int answered = 0;
  const auto done = world_.wait_for<void>([&](auto finish) {
    for (int i = 0; i < 100; ++i) {
      world_.journal().append({next(1), next(2)}, [&, finish](Result<> result) {
        EXPECT_TRUE(result.has_value());
        if (++answered == 100) finish(result);
      });
    }
  });
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(1u, world_.journal().figures().commits);
  EXPECT_EQ(200u, world_.journal().figures().rows);
}

TEST_P(Journals, AnswerInTheOrderOfTheCalls) {
  open();
  ASSERT_TRUE(append(1, "first").has_value());
  std::string order;
  const auto done = world_.wait_for<void>([&](auto finish) {
    auto& journal = world_.journal();
    journal.read_closed(9, [&](auto result) { order += result.has_value() && !*result ? "a" : "?"; });
    journal.append({next(1, "second")}, [&](auto result) { order += result.has_value() ? "b" : "?"; });
    journal.read_run(last_, [&](auto rows) {
      order += rows.has_value() && rows->size() == 2 && rows->back().body == "second" ? "c" : "?";
    });
    journal.append({next(2)}, [&](auto result) { order += result.has_value() ? "d" : "?"; });
    journal.read_run(77, [&, finish](auto rows) {
      order += !rows.has_value() && rows.error().code == Code::kNotFound ? "e" : "?";
      finish({});
    });
  });
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ("abcde", order);
}

TEST_P(Journals, ReadARunThroughItsChain) {
  open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(world_.append({next(1, "a" + std::to_string(i)), next(2, "b" + std::to_string(i))}).has_value());
  }
  const auto rows = world_.read_run(newest_[1]);
  ASSERT_TRUE(rows.has_value()) << rows.error().message;
  ASSERT_EQ(50u, rows->size());
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ("a" + std::to_string(i), (*rows)[i].body);
    EXPECT_EQ(1, (*rows)[i].run);
  }
}

TEST_P(Journals, KeepClosedHistories) {
  open();
  ASSERT_TRUE(append(1).has_value());
  ASSERT_TRUE(append(2).has_value());
  ASSERT_TRUE(close(1).has_value());
  for (int opened = 0; opened < 2; ++opened) {
    const auto found = world_.read_closed(1);
    ASSERT_TRUE(found.has_value() && found->has_value());
    const ClosedHistory& history = **found;
    EXPECT_EQ(closed(1).history, history.history);
    EXPECT_EQ("default/workflow 1/run 1", history.name_space + "/" + history.workflow_id + "/" + history.run_id);
    EXPECT_EQ(1'000, history.closed_ms);
    EXPECT_EQ(2'000, history.delete_after_ms);
    EXPECT_EQ("summary 1", history.summary);
    EXPECT_FALSE(world_.read_closed(2).value().has_value());
    const auto recovered = open();
    ASSERT_EQ(1u, recovered.closed.size());
    EXPECT_EQ("summary 1", recovered.closed[0].summary);
    ASSERT_EQ(1u, recovered.rows.size()) << "a closed run's rows are not replayed";
    EXPECT_EQ(2, recovered.rows[0].run);
  }
}

TEST_P(Journals, NeverWakeAnErasedRun) {
  open();
  ASSERT_TRUE(append(1).has_value());
  ASSERT_TRUE(close(1).has_value());
  world_.loop().post([&] { world_.journal().erase_closed({1}); });
  EXPECT_FALSE(world_.read_closed(1).value().has_value());
  const auto recovered = open();
  EXPECT_TRUE(recovered.rows.empty()) << "its rows are still in the log, but the run is gone";
  EXPECT_TRUE(recovered.closed.empty());
  EXPECT_EQ(1, recovered.last_run) << "its number is never given again";
}

TEST_P(Journals, BeginAtTheNewestSnapshot) {
  open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append(1).has_value());
  world_.loop().post([&] { world_.journal().put_snapshots({{1, 1, 7, "old"}, {1, 2, 7, "new"}}); });
  ASSERT_TRUE(append(2).has_value());
  const auto recovered = open();
  ASSERT_EQ(1u, recovered.snapshots.size());
  EXPECT_EQ("new", recovered.snapshots[0].body);
  EXPECT_EQ(2, recovered.snapshots[0].seq);
  EXPECT_EQ(7, recovered.snapshots[0].version);
  ASSERT_EQ(2u, recovered.rows.size());
  EXPECT_EQ(3, recovered.rows[0].seq);
}

TEST_P(Journals, LeaveASnapshotOfAnotherVersionAside) {
  open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append(1).has_value());
  ASSERT_TRUE(append(2).has_value());
  for (const int version : {6, 8}) {
    world_.loop().post([&] { world_.journal().put_snapshots({{1, 3, version, "of other days"}, {2, 4, 7, "ours"}}); });
    ASSERT_TRUE(append(2).has_value());
    const auto recovered = open();
    ASSERT_EQ(1u, recovered.snapshots.size()) << version;
    EXPECT_EQ(2, recovered.snapshots[0].run);
    ASSERT_LE(4u, recovered.rows.size()) << "all of the first run, and what follows the second's snapshot";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(1, recovered.rows[static_cast<std::size_t>(i)].run);
  }
}

TEST_P(Journals, TrimAndForgetNoNumber) {
  open();
  std::vector<JournalRow> rows;
  for (int i = 0; i < 1'500; ++i) rows.push_back(next(1));
  ASSERT_TRUE(world_.append(std::move(rows)).has_value());
  ASSERT_TRUE(close(1).has_value());
  world_.loop().post([&, floor = last_ + 1] { world_.journal().trim(floor); });
  for (RunKey run = 2; run < 40; ++run) {
    ASSERT_TRUE(append(run).has_value());
    ASSERT_TRUE(close(run).has_value());
  }
  world_.loop().post([&, floor = last_ + 1] { world_.journal().trim(floor); });
  ASSERT_TRUE(append(50).has_value());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(append(50).has_value());
  const Seq last = last_;
  EXPECT_EQ(Code::kNotFound, world_.read_run(1'500).error().code) << "trimmed";
  const auto recovered = open();
  EXPECT_EQ(last, recovered.last);
  EXPECT_EQ(50, recovered.last_run);
  EXPECT_EQ(41u, recovered.rows.size());
  EXPECT_EQ(39u, recovered.closed.size());
  EXPECT_TRUE(append(51).has_value());
}

TEST_P(Journals, RefuseAGap) {
  open();
  ASSERT_TRUE(append(1).has_value());
  for (const JournalRow& wrong :
       {JournalRow{3, 1, 1, "x"}, JournalRow{1, 1, 0, "x"}, JournalRow{2, 1, 2, "x"}, JournalRow{2, 0, 1, "x"}}) {
    const auto refused = world_.append({wrong});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(Code::kCorrupt, refused.error().code);
    EXPECT_EQ(1, world_.reset().value());
  }
  EXPECT_TRUE(append(1).has_value());
}

INSTANTIATE_TEST_SUITE_P(Table, Journals,
                         testing::Values(JournalKind::kThreadOnPosix, JournalKind::kThreadOnSimulated,
                                         JournalKind::kLoopOnSimulated),
                         [](const auto& test) { return name_of(test.param); });

/// The same, where the disk can be made to fail.
class FailingJournals : public Journals {};

TEST_P(FailingJournals, FailUntilReset) {
  open();
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    ASSERT_TRUE(append(1, "before " + std::to_string(n)).has_value());
    const Seq durable = last_;
    world_.sim_disk().fail_nth(simulations::kOpChanges, n);
    const auto failed = world_.append({next(1, std::string(20'000, 'x'))});
    if (failed.has_value()) {
      EXPECT_GT(n, 5u) << "a commit writes more than that";
      EXPECT_FALSE(world_.sim_disk().fault_struck());
      break;
    }
    EXPECT_EQ(Code::kUnavailable, failed.error().code);
    const auto later = world_.append({next(1)});
    ASSERT_FALSE(later.has_value()) << "an append after a failed one";
    EXPECT_EQ(failed.error().message, later.error().message);
    ASSERT_EQ(durable, world_.reset().value());
    last_ = newest_[1] = durable;
  }
  world_.sim_disk().heal();
  const auto recovered = open();
  EXPECT_EQ(last_, recovered.last);
}

TEST_P(FailingJournals, SayThatTheDiskIsFull) {
  open();
  ASSERT_TRUE(append(1).has_value());
  world_.sim_disk().set_capacity(0);
  const auto full = append(1, std::string(100'000, 'x'));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(Code::kUnavailable, full.error().code);
  EXPECT_NE(std::string::npos, full.error().message.find("disk is full")) << full.error().message;
  world_.sim_disk().set_capacity(~std::uint64_t{0});
  EXPECT_EQ(1, world_.reset().value());
  last_ = newest_[1] = 1;
  EXPECT_TRUE(append(1).has_value());
}

TEST_P(FailingJournals, NameADamagedPageAndNeverCrash) {
  open();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(append(1 + i % 3, std::string(3'000, 'b')).has_value());
  ASSERT_TRUE(close(3).has_value());
  const auto whole = open();
  world_.close();
  const std::uint64_t size = world_.disk().open(world_.path(), OpenMode::kRead).value()->size().value();
  int found = 0;
  for (std::uint64_t at = 0; at < size; at += 2'048) {
    SCOPED_TRACE(at);
    ASSERT_TRUE(world_.sim_disk().damage(world_.path(), at, 2'048).has_value());
    const auto recovered = world_.open();
    if (recovered) {
      EXPECT_EQ(whole.rows.size(), recovered->rows.size());
      const auto history = world_.read_closed(3);
      if (!history) EXPECT_EQ(Code::kCorrupt, history.error().code);
    } else {
      ++found;
      EXPECT_EQ(Code::kCorrupt, recovered.error().code) << recovered.error().message;
      EXPECT_NE(std::string::npos, recovered.error().message.find(world_.path())) << recovered.error().message;
      EXPECT_NE(std::string::npos, recovered.error().message.find("backup")) << recovered.error().message;
    }
    world_.close();
    ASSERT_TRUE(world_.sim_disk().damage(world_.path(), at, 2'048).has_value());  // the same flip undoes it
  }
  EXPECT_GT(found, 60);
}

TEST_P(FailingJournals, RefuseANewerFile) {
  open();
  world_.close();
  {
    auto db = Database::open(world_.disk(), world_.path(), {});
    ASSERT_TRUE(db->exec("PRAGMA user_version = 99").has_value());
  }
  const auto refused = world_.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kConflict, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("99"));
  EXPECT_NE(std::string::npos, refused.error().message.find("up to 1"));
}

INSTANTIATE_TEST_SUITE_P(Table, FailingJournals,
                         testing::Values(JournalKind::kThreadOnSimulated, JournalKind::kLoopOnSimulated),
                         [](const auto& test) { return name_of(test.param); });

}  // namespace
}  // namespace callimport::storage
