#include <sqlite3.h>

#include "storage/sqlite/database.h"
#include "storage/sqlite/failure.h"

namespace callimport::storage {

Result<> Database::copy_to(Database& target) {
  sqlite3_backup* backup = sqlite3_backup_init(target.db_, "main", db_, "main");
  if (backup == nullptr) return failure(target.db_, sqlite3_errcode(target.db_));
  constexpr int kAllPages = -1;  // in one read transaction: writers go on beside it, and the copy is of one moment
  const int stepped = sqlite3_backup_step(backup, kAllPages);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE) return failure(target.db_, finished != SQLITE_OK ? finished : stepped);
  return {};
}

}  // namespace callimport::storage
