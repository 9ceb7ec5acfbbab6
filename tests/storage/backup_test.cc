// Backups of a folder in use, their verification, and what is refused.
#include "storage/backup/backup.h"

#include <span>

#include "storage/backup/manifest_file.h"
#include "storage/media/media_store.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

class Backups : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    auto media = MediaStore::open(disk_, "data/media", "boot 1");
    ASSERT_OK(media);
    media_ = std::move(*media);
  }
  std::string record(const std::string& content) {
    auto writer = media_->writer("key of " + content);
    EXPECT_OK(writer);
    EXPECT_OK((*writer)->append(content));
    const auto stored = (*writer)->commit();
    EXPECT_OK(stored);
    return stored->hash;
  }
  BackupOrder order(const std::string& to) {
    BackupOrder made;
    made.from = places("data");
    made.to = to;
    made.program = "test";
    made.now_ms = 5'000;
    return made;
  }
  static BackupPlaces places(const std::string& folder) {
    return {folder + "/journal.db", folder + "/library.db", folder + "/vault.db", folder + "/vault.key",
            folder + "/media"};
  }
  void write(const std::string& path, const std::string& content) {
    auto file = disk_.open(path, OpenMode::kCreate);
    ASSERT_OK(file);
    ASSERT_OK((*file)->truncate(0));
    ASSERT_OK((*file)->write(0, std::as_bytes(std::span(content))));
  }
  std::unique_ptr<MediaStore> media_;
};

TEST_F(Backups, OfALibraryInUseComesBackWhole) {
  take_in(call_with("a", {segment("said and kept")}));
  const std::string hash = record("a recording");
  const auto made = back_up(disk_, order("copy"));
  ASSERT_OK(made);
  EXPECT_EQ(library_->id(), made->library);
  EXPECT_EQ(1, made->recordings);
  EXPECT_EQ(11, made->recordings_bytes);
  take_in(call_with("b", {}));  // after it: not in it
  const auto seen = verify_backup(disk_, "copy");
  ASSERT_OK(seen);
  EXPECT_EQ(made->library, seen->library);
  const std::vector<std::string> names = {"backup.json", "library.db", "media"};
  EXPECT_EQ(names, disk_.list("copy").value()) << "nothing of SQLite's own is left behind";

  ASSERT_OK(restore_backup(disk_, "copy", places("again")));
  auto again = Library::open(disk_, random_, "again/library.db");
  ASSERT_OK(again);
  EXPECT_EQ(library_->id(), (*again)->id());
  EXPECT_EQ(1, (*again)->import(kImport)->counters.registered);
  EXPECT_EQ(1u, (*again)->search({.query = "kept"})->hits.size());
  auto media = MediaStore::open(disk_, "again/media", "boot 2");
  ASSERT_OK(media);
  EXPECT_TRUE((*media)->contains(hash).value());
}

TEST_F(Backups, SurviveThePowerOnceMade) {
  take_in(call_with("a", {segment("said and kept")}));
  record("a recording");
  ASSERT_OK(back_up(disk_, order("copy")));
  library_.reset();
  media_.reset();
  disk_.crash(random_);
  EXPECT_OK(verify_backup(disk_, "copy"));
}

TEST_F(Backups, NeverOverwrite) {
  ASSERT_OK(disk_.make_dirs("copy"));
  write("copy/mine.txt", "mine");
  const auto refused = back_up(disk_, order("copy"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kConflict, refused.error().code);
  ASSERT_OK(back_up(disk_, order("empty")));
  const auto again = back_up(disk_, order("empty"));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(Code::kConflict, again.error().code);
}

TEST_F(Backups, AreNotPutOverAnything) {
  ASSERT_OK(back_up(disk_, order("copy")));
  const auto refused = restore_backup(disk_, "copy", places("data"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kConflict, refused.error().code);
}

struct Damage {
  const char* name;
  const char* path;  ///< below the backup; its first byte changes
  const char* told;
};
void PrintTo(const Damage& row, std::ostream* out) { *out << row.name; }
class DamagedBackups : public Backups, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedBackups, AreRefused) {
  const std::string hash = record("a recording");
  ASSERT_OK(back_up(disk_, order("copy")));
  std::string path = std::string("copy/") + GetParam().path;
  if (path == "copy/RECORDING") path = "copy/media/" + hash.substr(0, 2) + "/" + hash.substr(2, 2) + "/" + hash;
  {
    auto file = disk_.open(path, OpenMode::kReadWrite);
    ASSERT_OK(file);
    const std::string other = "#";
    ASSERT_OK((*file)->write(0, std::as_bytes(std::span(other))));
  }
  const auto seen = verify_backup(disk_, "copy");
  ASSERT_FALSE(seen.has_value());
  EXPECT_EQ(Code::kCorrupt, seen.error().code);
  EXPECT_NE(std::string::npos, seen.error().message.find(GetParam().told)) << seen.error().message;
  EXPECT_FALSE(restore_backup(disk_, "copy", places("again")).has_value());
  EXPECT_FALSE(disk_.exists("again/library.db").value()) << "nothing is put back of a damaged one";
}
INSTANTIATE_TEST_SUITE_P(Table, DamagedBackups,
                         testing::Values(Damage{"Library", "library.db", "library.db differs"},
                                         Damage{"Recording", "RECORDING", "is damaged"},
                                         Damage{"Manifest", "backup.json", "manifest"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(Backups, WhatIsMissingIsTold) {
  const std::string hash = record("a recording");
  ASSERT_OK(back_up(disk_, order("copy")));
  ASSERT_OK(disk_.remove("copy/media/" + hash.substr(0, 2) + "/" + hash.substr(2, 2) + "/" + hash));
  auto seen = verify_backup(disk_, "copy");
  ASSERT_FALSE(seen.has_value());
  EXPECT_NE(std::string::npos, seen.error().message.find("0 recordings")) << seen.error().message;
  ASSERT_OK(disk_.remove("copy/library.db"));
  seen = verify_backup(disk_, "copy");
  EXPECT_EQ("the backup lacks library.db", seen.error().message);
  ASSERT_OK(disk_.remove("copy/backup.json"));
  seen = verify_backup(disk_, "copy");
  EXPECT_EQ(Code::kNotFound, seen.error().code);
}

TEST_F(Backups, TheKeyComesOnlyWhenAskedFor) {
  write("data/vault.key", std::string(32, 'k'));
  const auto without = back_up(disk_, order("without"));
  ASSERT_OK(without);
  EXPECT_FALSE(without->with_key);
  EXPECT_FALSE(disk_.exists("without/vault.key").value());
  auto wanted = order("with");
  wanted.with_key = true;
  const auto with = back_up(disk_, wanted);
  ASSERT_OK(with);
  EXPECT_TRUE(with->with_key);
  EXPECT_TRUE(disk_.exists("with/vault.key").value());
  ASSERT_OK(restore_backup(disk_, "with", places("again")));
  EXPECT_TRUE(disk_.exists("again/vault.key").value());
}

TEST(BackupManifest, NamesNoFileOutsideOfItsFolder) {
  BackupFacts facts;
  facts.library = "abc";
  facts.files = {{"library.db", 1, std::string(64, 'a'), 3}};
  ASSERT_OK(read_backup_manifest(write_backup_manifest(facts)));
  facts.files[0].name = "../../etc/passwd";
  EXPECT_EQ(Code::kCorrupt, read_backup_manifest(write_backup_manifest(facts)).error().code);
}

TEST(BackupManifest, OfANewerFormatIsRefused) {
  EXPECT_EQ(Code::kConflict, read_backup_manifest("{\"format\": 2}").error().code);
  for (const char* text : {"", "{}", "[]", "{\"format\":\"x\"}", "{\"format\":1}"}) {
    EXPECT_EQ(Code::kCorrupt, read_backup_manifest(text).error().code) << text;
  }
}

}  // namespace
}  // namespace callimport::storage
