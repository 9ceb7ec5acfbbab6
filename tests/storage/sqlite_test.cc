// SQLite over Disk: opening, refusing, sharing, and power loss at random moments.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "storage/runtime/posix_disk.h"
#include "storage/sqlite/database.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::storage {
namespace {

using simulations::SeededRandom;
using simulations::SimDisk;

constexpr std::array<Migration, 2> kSchema = {{
    {1, "CREATE TABLE item(id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;"},
    {2, "ALTER TABLE item ADD COLUMN note TEXT; CREATE UNIQUE INDEX item_body ON item(body);"},
}};
const std::span<const Migration> kOlder(kSchema.data(), 1);

Result<Database> open(Disk& disk, const std::string& path, std::span<const Migration> schema = kSchema) {
  OpenOptions options;
  options.migrations = schema;
  options.busy_timeout_ms = 100;
  return Database::open(disk, path, options);
}

std::int64_t ask(Database& db, std::string_view sql) {
  Statement statement(db, sql);
  const auto row = statement.step();
  EXPECT_TRUE(row.has_value() && *row);
  return statement.integer(0);
}

Result<> add(Database& db, std::int64_t id, const std::string& body) {
  TRY(auto transaction, Transaction::begin(db));
  Statement insert(db, "INSERT INTO item(id, body) VALUES(?1, ?2)");
  TRY_VOID(insert.bind(1, id).bind(2, body).run());
  return std::move(transaction).commit();
}

class Databases : public testing::TestWithParam<const char*> {
 protected:
  Databases() {
    if (std::string(GetParam()) == "Posix") {
      disk_ = std::make_unique<PosixDisk>();
      path_ = folder_.file("test.db");
    } else {
      disk_ = std::make_unique<SimDisk>();
      path_ = "test.db";
    }
  }
  ScratchFolder folder_;
  std::unique_ptr<Disk> disk_;
  std::string path_;
};

TEST_P(Databases, OpenWithTheSettingsWePromise) {
  auto db = open(*disk_, path_);
  ASSERT_TRUE(db.has_value()) << db.error().message;
  EXPECT_EQ(2, ask(*db, "PRAGMA synchronous"));
  EXPECT_EQ(1, ask(*db, "PRAGMA foreign_keys"));
  EXPECT_EQ(2, ask(*db, "PRAGMA user_version"));
  Statement mode(*db, "PRAGMA journal_mode");
  ASSERT_TRUE(mode.step().value());
  EXPECT_EQ("wal", mode.text(0));
  const auto quoted = db->exec("SELECT \"no such column\"");
  ASSERT_FALSE(quoted.has_value()) << "a double-quoted string is no string";
  EXPECT_EQ(Code::kInvalid, quoted.error().code);
  EXPECT_FALSE(disk_->exists(path_ + "-shm").value());
}

TEST_P(Databases, MigrateFromOlderAndRefuseNewer) {
  {
    auto old = open(*disk_, path_, kOlder);
    ASSERT_TRUE(old.has_value()) << old.error().message;
    ASSERT_TRUE(add(*old, 1, "kept").has_value());
  }
  {
    auto db = open(*disk_, path_);
    ASSERT_TRUE(db.has_value()) << db.error().message;
    EXPECT_EQ(1, ask(*db, "SELECT count(*) FROM item WHERE body = 'kept' AND note IS NULL"));
  }
  const auto refused = open(*disk_, path_, kOlder);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kConflict, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find("version 2")) << refused.error().message;
  EXPECT_NE(std::string::npos, refused.error().message.find("up to 1")) << refused.error().message;
  EXPECT_TRUE(open(*disk_, path_).has_value()) << "a refusal changes nothing";
}

TEST_P(Databases, LeaveNothingOfAMigrationThatFails) {
  constexpr std::array<Migration, 2> kBroken = {
      {kSchema[0], {2, "CREATE TABLE extra(x); INSERT INTO missing VALUES(1);"}}};
  ASSERT_FALSE(open(*disk_, path_, kBroken).has_value());
  auto db = open(*disk_, path_, kOlder);
  ASSERT_TRUE(db.has_value()) << db.error().message;
  EXPECT_EQ(0, ask(*db, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"));
}

TEST_P(Databases, AreSharedByTheConnectionsOfOneProcess) {
  auto writer = open(*disk_, path_);
  ASSERT_TRUE(writer.has_value());
  OpenOptions beside;
  beside.read_only = true;
  auto reader = Database::open(*disk_, path_, beside);
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  auto second = open(*disk_, path_, {});
  ASSERT_TRUE(second.has_value());
  ASSERT_TRUE(add(*writer, 1, "a").has_value());
  EXPECT_EQ(1, ask(*reader, "SELECT count(*) FROM item"));
  {
    auto held = Transaction::begin(*writer);
    ASSERT_TRUE(held.has_value());
    const auto busy = add(*second, 2, "b");
    ASSERT_FALSE(busy.has_value());
    EXPECT_EQ(Code::kUnavailable, busy.error().code);
    EXPECT_EQ(1, ask(*reader, "SELECT count(*) FROM item")) << "readers do not wait for writers";
  }
  EXPECT_TRUE(add(*second, 2, "b").has_value()) << "a transaction that was not committed is rolled back";
  EXPECT_FALSE(reader->exec("DELETE FROM item").has_value());
  EXPECT_EQ(2, ask(*reader, "SELECT count(*) FROM item"));
}

TEST_P(Databases, NameWhatAStatementMetWith) {
  auto db = open(*disk_, path_);
  ASSERT_TRUE(add(*db, 1, "a").has_value());
  const auto twice = add(*db, 1, "b");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(Code::kConflict, twice.error().code);
  Statement echo(*db, "SELECT ?1, ?2, ?3, ?4, ?5");
  const std::string zeros("a\0b", 3);
  echo.bind(1, zeros).bind_blob(2, "").bind(3, std::optional<std::int64_t>{}).bind(4, 0.5).bind(5, std::string_view{});
  ASSERT_TRUE(echo.step().value());
  EXPECT_EQ(zeros, echo.text(0));
  EXPECT_FALSE(echo.is_null(1));
  EXPECT_TRUE(echo.is_null(2));
  EXPECT_EQ(0.5, echo.real(3));
  EXPECT_FALSE(echo.is_null(4));
  EXPECT_FALSE(echo.step().value());
  EXPECT_TRUE(db->check().has_value());
}

TEST_P(Databases, RefuseWhatIsNoDatabase) {
  {
    auto file = disk_->open(path_, OpenMode::kCreate);
    const std::string text(8192, 'x');
    ASSERT_TRUE((*file)->write(0, std::as_bytes(std::span(text.data(), text.size()))).has_value());
  }
  const auto refused = open(*disk_, path_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kCorrupt, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find(path_));
  EXPECT_NE(std::string::npos, refused.error().message.find("backup"));
}

INSTANTIATE_TEST_SUITE_P(Table, Databases, testing::Values("Posix", "Simulated"),
                         [](const auto& test) { return test.param; });

TEST(DatabaseLock, KeepsASecondProcessOut) {
  ScratchFolder folder;
  PosixDisk disk;
  auto db = open(disk, folder.file("test.db"));
  ASSERT_TRUE(db.has_value());
  int answer[2];
  ASSERT_EQ(0, ::pipe(answer));
  const pid_t child = ::fork();
  if (child == 0) {
    // A disk of its own: what the parent registered is the parent's.
    PosixDisk other;
    const auto refused = open(other, folder.file("test.db"));
    const char code = refused.has_value() ? 'o' : refused.error().code == Code::kConflict ? 'c' : 'x';
    (void)!::write(answer[1], &code, 1);
    ::_exit(0);
  }
  char code = '?';
  ASSERT_EQ(1, ::read(answer[0], &code, 1));
  EXPECT_EQ('c', code);
  int status = -1;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_TRUE(add(*db, 1, "still ours").has_value());
  ::close(answer[0]);
  ::close(answer[1]);
}

TEST(DatabaseThreads, WriteAndReadAtTheSameTime) {
  ScratchFolder folder;
  PosixDisk disk;
  OpenOptions options;
  options.migrations = kSchema;
  auto writer = Database::open(disk, folder.file("test.db"), options);
  ASSERT_TRUE(writer.has_value());
  std::thread reading([&] {
    auto reader = Database::open(disk, folder.file("test.db"), {.migrations = {}, .read_only = true});
    ASSERT_TRUE(reader.has_value()) << reader.error().message;
    std::int64_t before = 0;
    while (before < 200) {
      const std::int64_t now = ask(*reader, "SELECT count(*) FROM item");
      ASSERT_GE(now, before);
      before = now;
    }
  });
  for (std::int64_t id = 1; id <= 200; ++id) ASSERT_TRUE(add(*writer, id, "body " + std::to_string(id)).has_value());
  reading.join();
}

TEST(FullDisk, FailsTheTransactionAndNothingElse) {
  SimDisk disk;
  auto db = open(disk, "test.db");
  ASSERT_TRUE(add(*db, 1, "a").has_value());
  disk.set_capacity(0);
  const auto full = add(*db, 2, std::string(100'000, 'b'));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(Code::kUnavailable, full.error().code);
  EXPECT_NE(std::string::npos, full.error().message.find("disk is full")) << full.error().message;
  disk.set_capacity(~std::uint64_t{0});
  EXPECT_TRUE(add(*db, 2, "b").has_value());
  EXPECT_EQ(2, ask(*db, "SELECT count(*) FROM item"));
}

/// Writes, checkpoints and reopens until the power goes at a random operation; every committed row must be there after.
class PowerLoss : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PowerLoss, KeepsWhatWasCommitted) {
  SeededRandom random(GetParam());
  SimDisk disk;
  std::int64_t committed = 0, tried = 0;
  for (int round = 0; round < 6; ++round) {
    disk.fail_nth(simulations::kOpChanges, 1 + random.below(150), simulations::FaultLife::kFromThenOn);
    auto db = open(disk, "test.db");
    while (db && !disk.fault_struck()) {
      tried = committed + 1;
      const auto done = add(*db, tried, std::to_string(tried) + random.id_text(random.below(9'000)));
      if (!done) break;
      committed = tried;
      if (random.chance(10)) (void)db->checkpoint();
      if (random.chance(10)) {
        db = tl::unexpected(Error{});
        db = open(disk, "test.db");
      }
    }
    disk.crash(random);
    db = tl::unexpected(Error{});  // what the dead process held goes before anything is opened again
    disk.heal();

    auto after = open(disk, "test.db");
    ASSERT_TRUE(after.has_value()) << after.error().message;
    ASSERT_TRUE(after->check().has_value());
    const std::int64_t found = ask(*after, "SELECT count(*) FROM item");
    ASSERT_GE(found, committed);
    ASSERT_LE(found, tried) << "the one under way may be there or not";
    ASSERT_EQ(found, ask(*after, "SELECT coalesce(max(id), 0) FROM item"));
    committed = found;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, PowerLoss, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace callimport::storage
