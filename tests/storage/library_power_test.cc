// Receipts, and the library when the power goes: what was acknowledged is there, and no work is done twice for one
// receipt.
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulations/world/sim_disk.h"
#include "storage/library/schema.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using Receipts = LibraryTest;

TEST_F(Receipts, ARepeatAnswersTheSameAndDoesNothing) {
  int runs = 0;
  const auto work = [&](LibraryTx& tx) -> Result<std::string> {
    ++runs;
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("c" + std::to_string(runs))}));
    return "result " + std::to_string(runs);
  };
  EXPECT_EQ("result 1", library_->write({"run", "act", 1}, work).value());
  EXPECT_EQ("result 1", library_->write({"run", "act", 1}, work).value());
  EXPECT_EQ("result 1", library_->write({"run", "act", 3}, work).value());
  reopen();
  EXPECT_EQ("result 1", library_->write({"run", "act", 2}, work).value());
  EXPECT_EQ(1, runs);
  EXPECT_EQ("result 2", library_->write({"run", "other", 1}, work).value());
  EXPECT_EQ("result 3", library_->write({"another run", "act", 1}, work).value());
  EXPECT_EQ(3, counters().found);
}

TEST_F(Receipts, AnOlderAttemptIsTooLate) {
  const auto work = [](LibraryTx&) -> Result<std::string> { return std::string("x"); };
  ASSERT_OK(library_->write({"run", "act", 2}, work));
  const auto late = library_->write({"run", "act", 1}, work);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(Code::kConflict, late.error().code);
  ASSERT_OK(library_->drop_receipts("run"));
  EXPECT_OK(library_->write({"run", "act", 1}, work));
}

TEST_F(Receipts, OfAnotherScheduleAnswersNothing) {
  int runs = 0;
  const auto work = [&](LibraryTx&) -> Result<std::string> { return "result " + std::to_string(++runs); };
  const auto key = [](int attempt, std::int64_t scheduled_ns) {
    return ReceiptKey{.run_id = "run", .activity_id = "act", .attempt = attempt, .scheduled_ns = scheduled_ns};
  };
  EXPECT_EQ("result 1", library_->write(key(3, 100), work).value());
  EXPECT_EQ("result 1", library_->write(key(4, 100), work).value());
  EXPECT_EQ("result 2", library_->write(key(1, 200), work).value()) << "the run took another course";
  EXPECT_EQ("result 2", library_->write(key(1, 200), work).value());
  EXPECT_EQ("result 2", library_->write(key(1, 0), work).value()) << "where it is not known, the id is enough";
}

TEST_F(Receipts, FailedWorkLeavesNoneAndMayRunAgain) {
  bool fails = true;
  const auto work = [&](LibraryTx& tx) -> Result<std::string> {
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("c1")}));
    if (fails) return fail(Code::kUnavailable, "not now");
    return std::string("done");
  };
  EXPECT_EQ("not now", library_->write({"run", "act", 1}, work).error().message);
  EXPECT_EQ(0, counters().found);
  fails = false;
  EXPECT_EQ("done", library_->write({"run", "act", 1}, work).value());
}

TEST_F(Receipts, HoldResultsUpToTheirLimit) {
  const auto write = [&](const std::string& activity, std::size_t bytes) {
    return library_->write({"run", activity, 1}, [&](LibraryTx& tx) -> Result<std::string> {
      TRY_VOID(tx.add_manifest(kImport, {manifest_row(activity)}));
      return std::string(bytes, 'r');
    });
  };
  EXPECT_EQ(64u << 10, write("a", 64 << 10)->size());
  EXPECT_EQ(Code::kInvalid, write("b", (64 << 10) + 1).error().code);
  EXPECT_EQ(1, counters().found);
}

/// Activities by number against one library on a disk that fails. Activity n brings call n, once, through one of the
/// ways.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), ids_(seed + 1) {}

  simulations::SimDisk& disk() { return disk_; }
  simulations::SeededRandom& random() { return random_; }
  int acknowledged() const { return static_cast<int>(results_.size()); }

  Result<> open() {
    library_.reset();
    TRY(library_, Library::open(disk_, ids_, "data/library.db"));
    return library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); });
  }
  void lose_power() {
    library_.reset();
    disk_.crash(random_);
    disk_.heal();
  }
  void close() { library_.reset(); }

  /// False when the disk refused; the activity is tried again later.
  bool act(int n) {
    const auto done = library_->write(key(n), work(n));
    if (!done) {
      EXPECT_EQ(Code::kUnavailable, done.error().code) << done.error().message;
      return false;
    }
    const auto [known, fresh] = results_.try_emplace(n, *done);
    EXPECT_EQ(known->second, *done) << "activity " << n << " answers otherwise now";
    return true;
  }

  /// Everything acknowledged is there, and everything that is there is there whole and once.
  void check() {
    for (const auto& [n, result] : results_) {
      const auto again = library_->write(key(n), [](LibraryTx&) -> Result<std::string> {
        ADD_FAILURE() << "work acknowledged before runs again";
        return std::string();
      });
      ASSERT_OK(again);
      EXPECT_EQ(result, *again);
    }
    std::set<std::string> registered;
    const auto rows = library_->manifest(kImport, std::nullopt, "", "", 10'000);
    ASSERT_OK(rows);
    for (const auto& row : *rows) {
      if (row.state == CallState::kRegistered) registered.insert(row.source_id);
    }
    const auto calls = library_->calls({}, "", 10'000);
    ASSERT_OK(calls);
    EXPECT_EQ(registered.size(), calls->size());
    for (const auto& call : *calls) {
      EXPECT_TRUE(registered.contains(call.source_id));
      EXPECT_EQ(1u, library_->search({.query = call.source_id + " -call"})->hits.size()) << call.source_id;
      EXPECT_EQ(2u, library_->call(call.id)->segments.size());
    }
    for (const auto& [n, result] : results_) EXPECT_TRUE(registered.contains(id_of(n))) << n;
    const auto row = library_->import(kImport);
    ASSERT_OK(row);
    EXPECT_EQ(static_cast<std::int64_t>(rows->size()), row->counters.found);
    EXPECT_EQ(static_cast<std::int64_t>(registered.size()), row->counters.registered);
    EXPECT_TRUE(row->counters.add_up());
    EXPECT_EQ(row->counters.found, row->counters.registered) << "an activity is there in part";
  }

 private:
  static std::string id_of(int n) { return "call" + std::to_string(n); }
  static ReceiptKey key(int n) { return {"run", "act" + std::to_string(n), 1}; }
  static std::function<Result<std::string>(LibraryTx&)> work(int n) {
    return [n](LibraryTx& tx) -> Result<std::string> {
      TRY(const auto fresh, tx.add_manifest(kImport, {manifest_row(id_of(n))}));
      EXPECT_EQ(1, fresh) << "activity " << n << " does its work again";
      const Call call = call_with(id_of(n), {segment(id_of(n)), segment("more " + std::string(1'000, 'x'))});
      TRY_VOID(tx.stage(kImport, call));
      TRY(const auto staged, tx.staged(kImport, 10));
      for (const auto& one : staged) TRY_VOID(tx.register_call(kImport, one));
      TRY_VOID(tx.set_lane(kImport, Lane::kBulk, {}, n));
      return "result of " + std::to_string(n);
    };
  }

  simulations::SimDisk disk_;
  simulations::SeededRandom random_, ids_;
  std::unique_ptr<Library> library_;
  std::map<int, std::string> results_;
};

int seeds() {
  const char* text = std::getenv("CALLIMPORT_SEEDS");
  return text == nullptr ? 30 : std::atoi(text);
}

TEST(LibraryPower, LosesNothingAcknowledgedAndRepeatsNothing) {
  int acknowledged = 0;
  for (int seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE(seed);
    World world(static_cast<std::uint64_t>(seed));
    ASSERT_OK(world.disk().make_dirs("data"));
    for (int round = 0; round < 6; ++round) {
      ASSERT_OK(world.open());
      world.check();
      ASSERT_FALSE(testing::Test::HasFailure());
      world.disk().fail_nth(simulations::kOpChanges, 1 + world.random().below(80), simulations::FaultLife::kFromThenOn);
      while (world.act(world.acknowledged())) {
      }
      world.lose_power();
    }
    ASSERT_OK(world.open());
    world.check();
    acknowledged += world.acknowledged();
  }
  EXPECT_GT(acknowledged, seeds()) << "too little was at stake";
}

/// The n-th change to the disk fails, once, for every n until a run passes without.
TEST(LibraryPower, EveryFailingWriteIsAnErrorAndNotALoss) {
  for (std::uint64_t n = 1;; n += 3) {
    SCOPED_TRACE(n);
    ASSERT_LT(n, 2'000u);
    World world(n);
    ASSERT_OK(world.disk().make_dirs("data"));
    world.disk().fail_nth(simulations::kOpChanges, n);
    for (int tries = 0; !world.open(); ++tries) ASSERT_LT(tries, 3);
    for (int i = 0, tries = 0; i < 6; ++tries) {
      ASSERT_LT(tries, 12);
      if (world.act(i)) ++i;
    }
    world.check();
    for (int tries = 0; !world.open(); ++tries) ASSERT_LT(tries, 3);
    world.check();
    ASSERT_FALSE(testing::Test::HasFailure());
    if (!world.disk().fault_struck()) break;
  }
}

TEST(LibraryPower, AFullDiskIsSaidSoAndPasses) {
  World world(1);
  ASSERT_OK(world.disk().make_dirs("data"));
  ASSERT_OK(world.open());
  ASSERT_TRUE(world.act(0));
  world.disk().set_capacity(0);
  EXPECT_FALSE(world.act(1));
  world.disk().set_capacity(1 << 30);
  EXPECT_TRUE(world.act(1));
  world.check();
}

TEST(LibraryFile, ANewerOneIsRefusedWithBothNumbers) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_OK(disk.make_dirs("data"));
  ASSERT_OK(Library::open(disk, random, "data/library.db"));
  {
    auto db = Database::open(disk, "data/library.db", {.migrations = {}});
    ASSERT_OK(db);
    ASSERT_OK(db->exec("PRAGMA user_version = 4711"));
  }
  const auto refused = Library::open(disk, random, "data/library.db");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kConflict, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("4711")) << refused.error().message;
  const auto known = " " + std::to_string(std::size(library_schema::kMigrations)) + ":";
  EXPECT_NE(std::string::npos, refused.error().message.find(known)) << refused.error().message;
}

TEST(LibraryFile, KeepsItsIdAndSharesItWithNoOther) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_OK(disk.make_dirs("data"));
  std::string id;
  {
    auto made = Library::open(disk, random, "data/library.db");
    ASSERT_OK(made);
    id = (*made)->id();
  }
  EXPECT_EQ(16u, id.size());
  auto again = Library::open(disk, random, "data/library.db");
  ASSERT_OK(again);
  EXPECT_EQ(id, (*again)->id());
  auto other = Library::open(disk, random, "data/other.db");
  ASSERT_OK(other);
  EXPECT_NE(id, (*other)->id());
}

/// A file as the version wrote it that knew the first `steps` of the schema.
void make_older(Disk& disk, std::size_t steps) {
  auto db =
      Database::open(disk, "data/library.db", {.migrations = std::span(library_schema::kMigrations).first(steps)});
  ASSERT_OK(db);
}

TEST(LibraryFile, AnOlderOneIsGivenAnId) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_OK(disk.make_dirs("data"));
  make_older(disk, 1);
  auto opened = Library::open(disk, random, "data/library.db");
  ASSERT_OK(opened);
  EXPECT_EQ(16u, (*opened)->id().size());
}

TEST(LibraryFile, AnOlderOneKeepsActionsFromThenOn) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_OK(disk.make_dirs("data"));
  make_older(disk, 5);
  auto opened = Library::open(disk, random, "data/library.db");
  ASSERT_OK(opened);
  ASSERT_OK((*opened)->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_action({.import = "imp_1", .verb = "pause", .who = "os:anna", .request_id = "r"}, 0));
    return tx.consent({.platform = "grain", .workspace = "acme", .customer = "Acme", .who = "os:anna", .at_ms = 1});
  }));
  EXPECT_EQ(1u, (*opened)->actions("imp_1", 0, 10)->size());
}

TEST(LibraryFile, WhatIsNoDatabaseIsRefused) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_OK(disk.make_dirs("data"));
  {
    auto file = disk.open("data/library.db", OpenMode::kCreate);
    ASSERT_OK(file);
    const std::string text(5'000, 'x');
    ASSERT_OK((*file)->write(0, std::as_bytes(std::span(text))));
  }
  const auto refused = Library::open(disk, random, "data/library.db");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kCorrupt, refused.error().code);
}

}  // namespace
}  // namespace callimport::storage
