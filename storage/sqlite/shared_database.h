#pragma once
// What the connections of this process share about one database file: its lock against other processes, the locks
// between them, and the WAL index, which others keep in a -shm file and we keep on the heap. Source:
// https://sqlite.org/lockingv3.html (levels), https://sqlite.org/walformat.html (WAL index and its eight locks).
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "storage/runtime/disk.h"
#include "storage/runtime/mutex.h"

namespace callimport::storage {

inline constexpr int kWalLocks = 8;

/// Answers are SQLite's result codes. A connection is named by any address of its own. Threads: any.
class SharedDatabase {
 public:
  /// @param locked  the file, open, with its exclusive lock taken: held until the last connection closes.
  explicit SharedDatabase(std::unique_ptr<File> locked) : locked_(std::move(locked)) {}

  /// False after a simulated power loss: nothing may be done to files through this any more.
  bool alive();

  /// Raises to `level` (SQLITE_LOCK_SHARED, RESERVED or EXCLUSIVE).  @return SQLITE_OK or SQLITE_BUSY
  int lock(const void* connection, int level);
  /// Lowers to `level` (SQLITE_LOCK_SHARED or NONE).
  void unlock(const void* connection, int level);
  bool reserved();

  /// Region `index` of the WAL index, zeroed when new; null when absent and not `extend`. Lives until the last unmap.
  volatile void* map(const void* connection, int index, int bytes, bool extend);
  /// `flags` as of xShmLock.  @return SQLITE_OK or SQLITE_BUSY
  int wal_lock(const void* connection, int first, int count, int flags);
  void unmap(const void* connection);

 private:
  struct Connection {
    int level = 0;
    bool mapped = false;
    std::uint32_t shared = 0, exclusive = 0;  ///< WAL locks, one bit each
  };
  bool others_hold(const void* connection, int level) const REQUIRES(mutex_);
  int wal_lock_taken(const void* connection, std::uint32_t mask, int flags) REQUIRES(mutex_);

  Mutex mutex_;
  std::unique_ptr<File> locked_ GUARDED_BY(mutex_);
  std::map<const void*, Connection> connections_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<std::uint8_t[]>> regions_ GUARDED_BY(mutex_);
};

}  // namespace callimport::storage
