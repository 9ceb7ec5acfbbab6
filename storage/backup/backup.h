#pragma once
// A copy of everything in a data folder, made while it is in use, and how it is put back. docs/backup.md says what
// holds when one of the databases comes from another moment than the others.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"

namespace callimport::storage {

inline constexpr int kBackupFormat = 1;
inline constexpr const char* kBackupManifest = "backup.json";

/// What lies where in a data folder.
struct BackupPlaces {
  std::string journal, library, vault, vault_key, media;
};

struct BackupOrder {
  BackupPlaces from;
  std::string to;          ///< a folder that is absent or empty; made 0700
  bool with_key = false;   ///< the vault's key too: whoever has the copy can then open the credentials
  bool link_media = true;  ///< recordings as hard links where the file system can; else copied
  std::string program;     ///< version, for people
  std::int64_t now_ms = 0;
};

struct BackupFile {
  std::string name;
  std::int64_t bytes = 0;
  std::string sha256;
  int schema = 0;  ///< of a database; 0: not one
};
struct BackupFacts {
  std::string library;  ///< id of the library it is of
  std::string program;
  std::int64_t made_ms = 0;
  std::vector<BackupFile> files;
  std::int64_t recordings = 0, recordings_bytes = 0;  ///< those in quarantine included
  std::int64_t linked = 0;                            ///< of the recordings; not stored
  bool with_key = false;
};

/// The databases as of one moment, for which the library's writers are held up a few milliseconds; then the recordings,
/// so that the library names none that is not in the copy. Durable when it returns; the manifest is written last, so that a folder without
/// one is no backup. Blocks for as long as copying takes; writers go on meanwhile. `disk` is the one that the open
/// databases are used through.
/// @error kConflict     the folder has something in it.
/// @error kUnavailable  no space, not writable: what was copied so far is left without a manifest.
/// @error kCorrupt      a database is damaged: it is not backed up as if it were whole.
Result<BackupFacts> back_up(Disk& disk, const BackupOrder& order);

/// Reads every byte and holds it against the manifest.  @error kNotFound  no manifest.  @error kCorrupt  says what
/// differs.
Result<BackupFacts> verify_backup(Disk& disk, const std::string& folder);

/// Verifies, then copies into the places, durably. The recordings are copied, not linked.
/// @error as verify_backup; kConflict  a place is taken.
Result<BackupFacts> restore_backup(Disk& disk, const std::string& folder, const BackupPlaces& to);

}  // namespace callimport::storage
