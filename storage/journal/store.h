#pragma once
// The journal's tables: every SQL statement of journal.db, called by one thread at a time.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/journal/journal.h"
#include "storage/model/result.h"
#include "storage/runtime/disk.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// What goes with the next commit and asks for none of its own.
struct Riders {
  std::vector<Snapshot> snapshots;
  std::vector<ClosedHistory> closed;
  std::vector<RunKey> erased;

  bool empty() const noexcept { return snapshots.empty() && closed.empty() && erased.empty(); }
  void take(Riders&& other);
};

/// Rows and blobs carry a CRC-32, checked whenever they are read: SQLite sees damage to its pages' structure, not to a
/// body. After an error in a commit nothing of it is there; call `reload` before the next one.
class JournalStore {
 public:
  /// @error  as Database::open.
  static Result<std::unique_ptr<JournalStore>> open(Disk& disk, const std::string& path);
  ~JournalStore();

  /// Call once, before any trim.  @error kCorrupt  a sum is wrong, a number is missing, or a row does not follow its
  /// run.
  Result<Journal::Recovered> recover(int snapshot_version);

  /// One transaction, durable on return; while rows wait to be trimmed, it trims about as many as it adds.
  /// @param rows  numbered from last() + 1.
  Result<> commit(const std::vector<JournalRow>& rows, const Riders& riders);
  Seq last() const noexcept { return last_; }
  Result<Seq> reload();

  /// @error kNotFound  no such row, or trimmed.  @error kCorrupt
  Result<std::vector<JournalRow>> read_run(Seq last);
  Result<std::optional<ClosedHistory>> read_closed(RunKey run);

  /// Rows below `floor` are wanted no more.
  void want_trim(Seq floor);
  bool trim_due() const noexcept { return trimmed_ + 1 < trim_floor_; }
  Result<> trim_step();

  Result<> checkpoint();
  std::int64_t wal_bytes() const;

 private:
  struct Statements;
  JournalStore(Database db, std::string path);
  Result<> load_mark();
  Result<> write_rows(const std::vector<JournalRow>& rows);
  Result<> write_riders(const Riders& riders, Seq last);
  Result<> trim_rows(Seq count);
  tl::unexpected<Error> damaged(const std::string& what) const;

  Database db_;
  std::string path_;
  std::unique_ptr<Statements> statements_;
  Seq last_ = 0, trimmed_ = 0, trim_floor_ = 0;
  RunKey last_run_ = 0;
  bool recovered_ = false;
};

}  // namespace callimport::storage
