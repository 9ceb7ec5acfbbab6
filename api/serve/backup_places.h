#pragma once
#include "api/data_folder.h"
#include "storage/backup/backup.h"

namespace callimport::api {

inline storage::BackupPlaces backup_places(const DataFolder& folder) {
  return {folder.journal(), folder.library(), folder.vault(), folder.vault_key(), folder.media()};
}

}  // namespace callimport::api
