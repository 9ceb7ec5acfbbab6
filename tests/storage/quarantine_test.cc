// Broken recordings: one row a call, files shared by equal content, the oldest first to go.
#include <gmock/gmock.h>

#include <span>

#include "storage/library/schema.h"
#include "storage/media/content_hash.h"
#include "storage/media/media_store.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class QuarantineTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("data").has_value());
    open();
    ASSERT_TRUE(library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); }).has_value());
  }
  void open() {
    library_.reset();
    library_ = std::move(*Library::open(disk_, random_, "data/library.db"));
  }
  std::vector<QuarantineFile> put(const std::string& call, const std::string& hash, std::int64_t bytes,
                                  std::int64_t bytes_max = 1'000) {
    QuarantineRow row;
    row.import = kImport;
    row.source_id = call;
    row.hash = hash;
    row.bytes = bytes;
    row.cause = "media.damaged";
    row.detail = "cut off";
    std::vector<QuarantineFile> unneeded;
    const auto stored = library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(unneeded, tx.put_in_quarantine(row, bytes_max));
      return {};
    });
    EXPECT_TRUE(stored.has_value()) << stored.error().message;
    return unneeded;
  }
  std::vector<QuarantineFile> leave(const std::string& call) {
    std::vector<QuarantineFile> unneeded;
    const auto stored = library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(unneeded, tx.leave_quarantine(kImport, call));
      return {};
    });
    EXPECT_TRUE(stored.has_value());
    return unneeded;
  }
  static QuarantineFile file(const std::string& hash) { return {hash, "media.damaged"}; }

  simulations::SimDisk disk_;
  simulations::SeededRandom random_{3};
  std::unique_ptr<Library> library_;
};

TEST_F(QuarantineTest, ARetryThatPassesClearsIt) {
  EXPECT_THAT(put("a", "h1", 10), IsEmpty());
  open();
  const auto rows = library_->quarantine(kImport, 0, 10).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].source_id, "a");
  EXPECT_EQ(rows[0].hash, "h1");
  EXPECT_EQ(rows[0].detail, "cut off");
  EXPECT_THAT(leave("a"), ElementsAre(file("h1")));
  EXPECT_THAT(leave("a"), IsEmpty());
  EXPECT_THAT(*library_->quarantine("", 0, 10), IsEmpty());
}

TEST_F(QuarantineTest, ARetryThatFailsAgainTakesTheOldOnesPlace) {
  put("a", "h1", 10);
  EXPECT_THAT(put("a", "h2", 10), ElementsAre(file("h1")));
  EXPECT_THAT(put("a", "h2", 10), IsEmpty()) << "the same content came again";
  EXPECT_EQ(library_->quarantine(kImport, 0, 10)->size(), 1u);
}

TEST_F(QuarantineTest, EqualContentIsOneFileUntilTheLastNeedsIt) {
  put("a", "same", 10);
  put("b", "same", 10);
  EXPECT_THAT(leave("a"), IsEmpty());
  EXPECT_THAT(leave("b"), ElementsAre(file("same")));
}

TEST_F(QuarantineTest, TheOldestGoFirstAtTheLimit) {
  put("a", "h1", 400);
  put("b", "h2", 400);
  EXPECT_THAT(put("c", "h3", 200), IsEmpty()) << "at the limit";
  EXPECT_THAT(put("d", "h4", 1), ElementsAre(file("h1"))) << "one byte beyond it";
  const auto rows = library_->quarantine(kImport, 0, 10).value();
  ASSERT_EQ(rows.size(), 4u) << "the call is named all the same";
  EXPECT_FALSE(rows[0].kept);
  EXPECT_TRUE(rows[1].kept);
  EXPECT_THAT(put("e", "h5", 5'000), ElementsAre(file("h2"), file("h3"), file("h4"), file("h5")))
      << "one that is larger than all the room is not kept";
}

TEST_F(QuarantineTest, PagesGoOnWhereTheLastEnded) {
  for (const char* call : {"a", "b", "c"}) put(call, call, 1);
  const auto first = library_->quarantine("", 0, 2).value();
  ASSERT_EQ(first.size(), 2u);
  const auto second = library_->quarantine("", first.back().number, 2).value();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].source_id, "c");
}

/// A file of the schema before.
TEST_F(QuarantineTest, AnOlderFileIsMigrated) {
  constexpr std::size_t kBefore = 8;
  library_.reset();
  {
    const std::span<const Migration> all = library_schema::kMigrations;
    auto db = Database::open(disk_, "data/older.db", {.migrations = all.first(kBefore)}).value();
  }
  library_ = std::move(*Library::open(disk_, random_, "data/older.db"));
  ASSERT_TRUE(library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); }).has_value());
  put("a", "h1", 10);
  EXPECT_EQ(library_->quarantine("", 0, 10)->size(), 1u);
}

TEST_F(QuarantineTest, FilesAreKeptByHashAndCauseAndRemovedByName) {
  auto store = std::move(*MediaStore::open(disk_, "data/media", "boot"));
  auto writer = std::move(*store->writer("k"));
  ASSERT_TRUE(writer->append("<html>").has_value());
  const auto kept = store->quarantine("k", "media.damaged");
  ASSERT_TRUE(kept.has_value()) << kept.error().message;
  EXPECT_EQ(kept->hash, content_hash("<html>"));
  EXPECT_EQ(kept->bytes, 6u);
  const auto name = store->quarantined_name(kept->hash, "media.damaged");
  EXPECT_EQ(kept->path, store->quarantined_path(kept->hash, "media.damaged"));
  EXPECT_THAT(*store->quarantined(), ElementsAre(name));
  EXPECT_FALSE(store->drop_quarantined("../" + name).has_value());
  EXPECT_TRUE(store->drop_quarantined(name).has_value());
  EXPECT_TRUE(store->drop_quarantined(name).has_value()) << "again is success";
  EXPECT_THAT(*store->quarantined(), IsEmpty());
}

}  // namespace
}  // namespace callimport::storage
