// What people want to hear no more of: what holds for a record, what is there once, and a file of before.
#include "storage/library/mutes.h"

#include <gmock/gmock.h>

#include <span>

#include "storage/library/schema.h"
#include "storage/library/telling.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MuteRow mute(const std::string& person, MuteScope scope, const std::string& target, std::int64_t at_ms = 5) {
  return {.person = person,
          .scope = scope,
          .target = target,
          .at_ms = at_ms,
          .who = "os:cleo",
          .origin = "here",
          .why = "asked for"};
}

class MutesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("data").has_value());
    library_ = std::move(*Library::open(disk_, random_, "data/library.db"));
  }
  template <class T, class Work>
  Result<T> change(Work work) {
    T made{};
    TRY_VOID(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(made, work(tx.telling().mutes()));
      return {};
    }));
    return made;
  }
  Result<bool> put(const MuteRow& row) {
    return change<bool>([&](MuteWrites& mutes) { return mutes.put(row); });
  }
  template <class Read>
  std::vector<std::string> lines(Read read) {
    std::vector<std::string> found;
    const auto done = library_->look_at_telling([&](TellingReads& telling) -> Result<> {
      TRY(const auto rows, read(telling.mutes()));
      for (const auto& row : rows)
        found.push_back(row.person + " " + std::string(to_string(row.scope)) + ":" + row.target);
      return {};
    });
    EXPECT_TRUE(done.has_value()) << done.error().message;
    return found;
  }
  std::vector<std::string> holding(const std::string& import, const std::string& workspace, const std::string& event) {
    return lines([&](MuteReads& mutes) { return mutes.holding(import, workspace, event); });
  }
  std::vector<std::string> all(const std::string& person = {}) {
    return lines([&](MuteReads& mutes) { return mutes.list(person, 100); });
  }

  simulations::SimDisk disk_;
  simulations::SeededRandom random_{1};
  std::unique_ptr<Library> library_;
};

TEST_F(MutesTest, HoldForARecordByImportWorkspaceEventOrAtAll) {
  ASSERT_TRUE(put(mute("ana", MuteScope::kImport, "imp_1")).value());
  ASSERT_TRUE(put(mute("ben", MuteScope::kWorkspace, "acme")).value());
  ASSERT_TRUE(put(mute("cleo", MuteScope::kEvent, "import.waiting")).value());
  ASSERT_TRUE(put(mute("dan", MuteScope::kAll, "")).value());
  EXPECT_THAT(holding("imp_1", "acme", "import.waiting"),
              ElementsAre("dan all:", "cleo event:import.waiting", "ana import:imp_1", "ben workspace:acme"));
  EXPECT_THAT(holding("imp_2", "other", "import.started"), ElementsAre("dan all:"));
  EXPECT_THAT(holding("", "", "import.waiting"), ElementsAre("dan all:", "cleo event:import.waiting"))
      << "a record of no import";
}

TEST_F(MutesTest, AreThereOnceAndGoOneByOneOrTogether) {
  EXPECT_TRUE(put(mute("ana", MuteScope::kImport, "imp_1", 1)).value());
  EXPECT_FALSE(put(mute("ana", MuteScope::kImport, "imp_1", 9)).value()) << "the first stays";
  EXPECT_TRUE(put(mute("ana", MuteScope::kAll, "", 2)).value());
  EXPECT_TRUE(put(mute("ben", MuteScope::kAll, "", 3)).value());
  EXPECT_THAT(all(), ElementsAre("ben all:", "ana all:", "ana import:imp_1")) << "newest first";
  const auto drop = [&](MuteScope scope, const std::string& target) {
    return change<std::int64_t>([&](MuteWrites& mutes) { return mutes.drop("ana", scope, target); }).value();
  };
  EXPECT_EQ(drop(MuteScope::kImport, "imp_2"), 0);
  EXPECT_EQ(drop(MuteScope::kImport, "imp_1"), 1);
  EXPECT_EQ(drop(MuteScope::kImport, "imp_1"), 0);
  EXPECT_TRUE(put(mute("ana", MuteScope::kEvent, "import.waiting")).value());
  EXPECT_EQ(change<std::int64_t>([](MuteWrites& mutes) { return mutes.drop_all("ana"); }).value(), 2);
  EXPECT_THAT(all("ana"), IsEmpty());
  EXPECT_THAT(all("ben"), ElementsAre("ben all:"));
}

TEST_F(MutesTest, ThatAreNoneAreRefused) {
  for (const auto& bad : {mute("", MuteScope::kAll, ""), mute("ana", MuteScope::kAll, "imp_1"),
                          mute("ana", MuteScope::kImport, ""), mute("ana", MuteScope::kEvent, "")}) {
    const auto refused = put(bad);
    ASSERT_FALSE(refused.has_value()) << bad.person << " " << bad.target;
    EXPECT_EQ(refused.error().code, Code::kInvalid);
  }
  EXPECT_THAT(all(), IsEmpty());
}

TEST_F(MutesTest, APersonHasSoManyAndNoMore) {
  const auto filled = library_->change([](LibraryTx& tx) -> Result<> {
    for (int i = 0; i < kMutesPerPersonMax; ++i) {
      TRY_VOID(tx.telling().mutes().put(mute("ana", MuteScope::kImport, "imp_" + std::to_string(i))));
    }
    return {};
  });
  ASSERT_TRUE(filled.has_value()) << filled.error().message;
  EXPECT_FALSE(put(mute("ana", MuteScope::kImport, "imp_0")).value()) << "one that is there is no further one";
  const auto beyond = put(mute("ana", MuteScope::kImport, "imp_more"));
  ASSERT_FALSE(beyond.has_value());
  EXPECT_EQ(beyond.error().code, Code::kInvalid);
  EXPECT_TRUE(put(mute("ben", MuteScope::kImport, "imp_more")).value()) << "another person has their own";
}

TEST_F(MutesTest, AnOlderFileIsMigrated) {
  std::size_t before = 0;
  const std::span<const Migration> known = library_schema::kMigrations;
  while (known[before].sql.find("CREATE TABLE mute(") == std::string_view::npos) ++before;
  library_.reset();
  {
    auto db = Database::open(disk_, "data/older.db", {.migrations = known.first(before)}).value();
    const auto filled = db.exec(
        "INSERT INTO notification(id, import, at_ms, event, subject, text, next) VALUES"
        "('ntf_1', 'imp_1', 1, 'import.started', 's', 't', 'n')");
    ASSERT_TRUE(filled.has_value()) << filled.error().message;
  }
  library_ = std::move(*Library::open(disk_, random_, "data/older.db"));
  EXPECT_THAT(all(), IsEmpty());
  EXPECT_TRUE(put(mute("ana", MuteScope::kAll, "")).value());
  EXPECT_EQ(library_->notifications("imp_1", 10).value().size(), 1u) << "what was there stays";
}

}  // namespace
}  // namespace callimport::storage
