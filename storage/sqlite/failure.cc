#include "storage/sqlite/failure.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include "storage/sqlite/vfs.h"

namespace callimport::storage {

namespace {

Code code_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return Code::kConflict;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISUSE:
    case SQLITE_INTERNAL: return Code::kCorrupt;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return Code::kInvalid;
    default: return Code::kUnavailable;
  }
}

std::string file_of(sqlite3* db) {
  const char* path = db == nullptr ? nullptr : sqlite3_db_filename(db, "main");
  return path == nullptr || *path == '\0' ? "the database" : path;
}

std::string disk_said(sqlite3* db) {
  sqlite3_vfs* vfs = nullptr;
  if (db == nullptr || sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK) return {};
  if (vfs == nullptr || vfs->pAppData == nullptr) return {};
  return static_cast<Vfs*>(vfs->pAppData)->take_disk_error();
}

}  // namespace

std::string damaged(sqlite3* db, std::string_view what) {
  return fmt::format("{} is damaged ({}): stop, keep a copy of the file, and restore it from a backup", file_of(db),
                     what);
}

tl::unexpected<Error> failure(sqlite3* db, int code) {
  const std::string said = db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db);
  if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB) return fail(Code::kCorrupt, damaged(db, said));
  std::string text = file_of(db) + ": " + said;
  if (const std::string disk = disk_said(db); !disk.empty() && code_of(code) == Code::kUnavailable) text += ": " + disk;
  return fail(code_of(code), std::move(text));
}

}  // namespace callimport::storage
