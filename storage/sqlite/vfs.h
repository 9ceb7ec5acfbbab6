#pragma once
// An SQLite VFS over Disk: what makes SQLite run on the simulated disk, and keeps other processes out on the real one.
// Source: https://sqlite.org/c3ref/vfs.html
#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"
#include "storage/runtime/mutex.h"
#include "storage/sqlite/shared_database.h"

namespace callimport::storage {

/// One for each Disk, registered with SQLite while anybody holds it.
///
/// A database file belongs to one process: the first connection takes File::lock_exclusive, and keeps it until the last
/// one of this process closes. Close every connection to a path before it is opened again after a simulated power loss.
/// Threads: any. Lifetime: `disk` outlives it.
class Vfs {
 public:
  static std::shared_ptr<Vfs> of(Disk& disk);  // shared by every connection to files of this disk
  ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  const char* name() const noexcept { return name_.c_str(); }

  /// Opens (and makes, when `create`) the file and takes its lock, or joins the connections that did, so that trouble
  /// shows in its own words before SQLite gives it a number. Give it back by `leave`.
  /// @error kConflict  another process holds it.  @error kNotFound, kUnavailable  as Disk::open.
  Result<std::shared_ptr<SharedDatabase>> join(const std::string& path, bool create);
  void leave(std::shared_ptr<SharedDatabase> shared);

  /// What the Disk last said, and forgets it; empty when it said nothing.
  std::string take_disk_error();

 private:
  friend struct VfsCalls;  // the functions SQLite calls
  explicit Vfs(Disk& disk);
  /// Keeps the words of a Disk's error and gives SQLite its number; SQLITE_FULL for a full disk.
  int note(const Error& error, int code);
  std::shared_ptr<SharedDatabase> joined(const std::string& path);

  Disk& disk_;
  std::string name_;
  sqlite3_vfs registered_{};
  Mutex mutex_;
  std::map<std::string, std::weak_ptr<SharedDatabase>> databases_ GUARDED_BY(mutex_);
  std::string disk_error_ GUARDED_BY(mutex_);
};

/// The folder of `path`, "." when it names none.
std::string folder_of(const std::string& path);

}  // namespace callimport::storage
