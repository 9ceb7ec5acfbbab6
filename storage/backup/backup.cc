#include "storage/backup/backup.h"

#include <optional>
#include <set>

#include "storage/backup/copy_files.h"
#include "storage/backup/manifest_file.h"
#include "storage/media/content_hash.h"
#include "storage/sqlite/database.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {
namespace {

std::string folder_above(const std::string& path) { return path.substr(0, path.rfind('/')); }

Result<> must_be_empty(Disk& disk, const std::string& folder) {
  TRY(const bool there, disk.exists(folder));
  if (!there) return {};
  TRY(const auto names, disk.list(folder));
  if (names.empty()) return {};
  return fail(Code::kConflict, "the folder " + folder + " has something in it (" + names.front() +
                                   "): give one that is absent or empty");
}

/// A database as it stands at one moment, however long copying takes.
struct Pinned {
  std::string name;
  std::optional<Database> source;  ///< in a read transaction; nothing: it is not there
};

Result<Pinned> pin(Disk& disk, const std::string& path, const std::string& name) {
  Pinned pinned{name, std::nullopt};
  TRY(const bool there, disk.exists(path));
  if (!there) return pinned;
  TRY(auto source, Database::open(disk, path, {.migrations = {}, .read_only = true}));
  TRY_VOID(source.exec("BEGIN"));
  Statement look(source, "SELECT count(*) FROM sqlite_schema");
  TRY([[maybe_unused]] const auto tables, first_row(look, [](const Statement& row) { return row.integer(0); }));
  pinned.source.emplace(std::move(source));
  return pinned;
}

/// All of one moment: while nobody writes to the library, no receipt is made whose activity the journal does not know,
/// and none is missing that it does.
Result<std::vector<Pinned>> pin_all(Disk& disk, const BackupPlaces& from) {
  TRY(auto library, Database::open(disk, from.library, {.migrations = {}}));
  TRY(const auto nobody_writes, Transaction::begin(library));
  std::vector<Pinned> pinned;
  TRY(auto journal, pin(disk, from.journal, "journal.db"));
  pinned.push_back(std::move(journal));
  TRY(auto calls, pin(disk, from.library, "library.db"));
  pinned.push_back(std::move(calls));
  TRY(auto vault, pin(disk, from.vault, "vault.db"));
  pinned.push_back(std::move(vault));
  return pinned;
}

/// Copies it, looks whether the copy is whole, and makes it durable.
Result<> add_database(Disk& disk, Pinned& pinned, const BackupOrder& order, BackupFacts& facts) {
  if (!pinned.source) return {};
  const std::string to = order.to + "/" + pinned.name;
  std::int64_t schema = 0;
  {
    TRY(auto target, Database::open(disk, to, {.migrations = {}, .plain_copy = true}));
    TRY_VOID(pinned.source->copy_to(target));
    TRY_VOID(target.check());
    Statement version(target, "PRAGMA user_version");
    TRY(const auto found, first_row(version, [](const Statement& row) { return row.integer(0); }));
    schema = found.value_or(0);
    if (pinned.name == "library.db") {
      Statement identity(target, "SELECT id FROM identity");
      TRY(auto id, first_row(identity, [](const Statement& row) { return row.text(0); }));
      facts.library = std::move(id).value_or("");
    }
  }
  {
    TRY(const auto file, disk.open(to, OpenMode::kReadWrite));
    TRY_VOID(file->sync());
  }
  TRY(auto made, hash_of_file(disk, to));
  facts.files.push_back({pinned.name, made.bytes, std::move(made.sha256), static_cast<int>(schema)});
  return {};
}

Result<> add_key(Disk& disk, const BackupOrder& order, BackupFacts& facts) {
  if (!order.with_key) return {};
  TRY(auto made, copy_file(disk, order.from.vault_key, order.to + "/vault.key"));
  facts.files.push_back({"vault.key", made.bytes, std::move(made.sha256), 0});
  facts.with_key = true;
  return {};
}

/// Makes the folders of recordings, each once, and syncs them all at the end.
class Shelves {
 public:
  explicit Shelves(Disk& disk) : disk_(disk) {}
  Result<> make(const std::string& folder) {
    if (!made_.insert(folder).second) return {};
    return disk_.make_dirs(folder);
  }
  Result<> sync() {
    for (const auto& folder : made_) TRY_VOID(disk_.sync_dir(folder));
    return {};
  }

 private:
  Disk& disk_;
  std::set<std::string> made_;  ///< 65,536 at most
};

Result<> add_recordings(Disk& disk, const BackupOrder& order, BackupFacts& facts) {
  Shelves shelves(disk);
  const std::string target = order.to + "/media";
  TRY_VOID(shelves.make(target));
  TRY_VOID(for_each_recording(disk, order.from.media, [&](const std::string& below) -> Result<> {
    const std::string from = order.from.media + "/" + below, to = target + "/" + below;
    TRY_VOID(shelves.make(folder_above(to)));
    if (order.link_media && disk.link(from, to)) {
      ++facts.linked;
    } else {
      const auto copied = copy_file(disk, from, to);
      if (!copied && copied.error().code == Code::kNotFound) return {};  // removed meanwhile: nobody names it any more
      if (!copied) return tl::unexpected(copied.error());
    }
    TRY(const auto file, disk.open(to, OpenMode::kRead));
    TRY(const auto bytes, file->size());
    ++facts.recordings;
    facts.recordings_bytes += static_cast<std::int64_t>(bytes);
    return {};
  }));
  return shelves.sync();
}

Result<> verify_recordings(Disk& disk, const std::string& folder, const BackupFacts& facts) {
  std::int64_t recordings = 0, bytes = 0;
  TRY_VOID(for_each_recording(disk, folder + "/media", [&](const std::string& below) -> Result<> {
    TRY(const auto seen, hash_of_file(disk, folder + "/media/" + below));
    const std::string name = below.substr(below.rfind('/') + 1);
    if (is_content_hash(name) && seen.sha256 != name) {
      return fail(Code::kCorrupt, "the recording " + below + " is not what its name says: it is damaged");
    }
    ++recordings;
    bytes += seen.bytes;
    return {};
  }));
  if (recordings == facts.recordings && bytes == facts.recordings_bytes) return {};
  return fail(Code::kCorrupt, "the backup has " + std::to_string(recordings) + " recordings of " +
                                  std::to_string(bytes) + " bytes, and its manifest says " +
                                  std::to_string(facts.recordings) + " of " + std::to_string(facts.recordings_bytes));
}

const std::string& place_of(const std::string& name, const BackupPlaces& places) {
  if (name == "journal.db") return places.journal;
  if (name == "library.db") return places.library;
  return name == "vault.db" ? places.vault : places.vault_key;
}

Result<> must_be_free(Disk& disk, const BackupPlaces& places) {
  for (const auto* path : {&places.journal, &places.library, &places.vault, &places.vault_key, &places.media}) {
    TRY(const bool there, disk.exists(*path));
    if (there) return fail(Code::kConflict, *path + " is there already: a backup is put into an empty data folder");
  }
  return {};
}

}  // namespace

Result<BackupFacts> back_up(Disk& disk, const BackupOrder& order) {
  TRY_VOID(must_be_empty(disk, order.to));
  TRY_VOID(disk.make_dirs(order.to));
  BackupFacts facts;
  facts.program = order.program;
  facts.made_ms = order.now_ms;
  {
    TRY(auto pinned, pin_all(disk, order.from));
    for (auto& one : pinned) TRY_VOID(add_database(disk, one, order, facts));
  }
  TRY_VOID(add_key(disk, order, facts));
  TRY_VOID(add_recordings(disk, order, facts));
  TRY_VOID(disk.sync_dir(order.to));
  TRY_VOID(write_new_file(disk, order.to + "/" + kBackupManifest, write_backup_manifest(facts)));
  return facts;
}

Result<BackupFacts> verify_backup(Disk& disk, const std::string& folder) {
  const std::string manifest = folder + "/" + kBackupManifest;
  TRY(const bool there, disk.exists(manifest));
  if (!there) {
    return fail(Code::kNotFound,
                folder + " is no backup: it has no " + std::string(kBackupManifest) + ", or making it was interrupted");
  }
  TRY(const std::string text, read_small_file(disk, manifest, kManifestFileBytesMax));
  TRY(auto facts, read_backup_manifest(text));
  for (const auto& file : facts.files) {
    TRY(const bool present, disk.exists(folder + "/" + file.name));
    if (!present) return fail(Code::kCorrupt, "the backup lacks " + file.name);
    TRY(const auto seen, hash_of_file(disk, folder + "/" + file.name));
    if (seen.sha256 != file.sha256) return fail(Code::kCorrupt, file.name + " differs from what was backed up");
  }
  TRY_VOID(verify_recordings(disk, folder, facts));
  return facts;
}

Result<BackupFacts> restore_backup(Disk& disk, const std::string& folder, const BackupPlaces& to) {
  TRY_VOID(must_be_free(disk, to));
  TRY(auto facts, verify_backup(disk, folder));
  Shelves shelves(disk);
  TRY_VOID(shelves.make(folder_above(to.library)));
  TRY_VOID(shelves.make(to.media));
  TRY_VOID(for_each_recording(disk, folder + "/media", [&](const std::string& below) -> Result<> {
    TRY_VOID(shelves.make(folder_above(to.media + "/" + below)));
    TRY_VOID(copy_file(disk, folder + "/media/" + below, to.media + "/" + below));
    return {};
  }));
  for (const auto& file : facts.files) {
    TRY(const auto copied, copy_file(disk, folder + "/" + file.name, place_of(file.name, to)));
    if (copied.sha256 != file.sha256) return fail(Code::kCorrupt, file.name + " changed while it was copied");
  }
  TRY_VOID(shelves.sync());
  return facts;
}

}  // namespace callimport::storage
