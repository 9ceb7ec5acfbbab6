#pragma once
// backup.json: what a backup holds. Private to this folder.
#include <string>

#include "storage/backup/backup.h"

namespace callimport::storage {

inline constexpr std::size_t kManifestFileBytesMax = 64u << 10;
std::string write_backup_manifest(const BackupFacts& facts);
/// @error kCorrupt  none of ours.  @error kConflict  of a newer format.
Result<BackupFacts> read_backup_manifest(const std::string& text);

}  // namespace callimport::storage
