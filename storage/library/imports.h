#pragma once
// The rows `import`, `lane` and `timeline`: what an import is, where it stands and what it counted.
#include <array>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/library/records.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// Calls of a lane by state, or a change of them.
struct Tally {
  Counters counters;
  std::int64_t staged = 0;  ///< part of counters.pending

  /// `calls` more in `state`, found included.
  void add(CallState state, std::int64_t calls);
  bool empty() const { return counters == Counters{} && staged == 0; }
};

/// Threads: as the connection's. Both connections have one.
class ImportReads {
 public:
  explicit ImportReads(Database& db);
  Result<ImportRow> get(const std::string& id);  ///< @error kNotFound
  Result<std::vector<ImportRow>> newest(int limit);
  Result<std::vector<ImportRow>> page(const ImportFilter& filter, const std::optional<ImportPlace>& after, int limit);
  Result<std::vector<std::string>> ids(const std::string& prefix, int limit);
  Result<std::int64_t> open_count();
  Result<std::vector<ImportChange>> open_changes(int limit);
  Result<std::vector<std::string>> with(const std::string& credential, int limit);
  Result<std::vector<StageChange>> timeline(const std::string& id, std::int64_t after_change, int limit);
  Result<std::int64_t> number(const std::string& id);  ///< @error kNotFound
  Result<Tally> tally(std::int64_t import, Lane lane);

 private:
  Statement get_, newest_, page_, ids_, open_count_, open_changes_, with_, timeline_, number_, tally_;
};

/// Inside a transaction of the writer.
class ImportWrites {
 public:
  ImportWrites(Database& db, ImportReads& reads);
  /// @error kInvalid  empty id, platform or workspace.  @error kConflict  the id is another workspace's.
  Result<> put(const ImportRow& row);
  Result<> set_lane(const std::string& id, Lane lane, const LaneRow& row, std::int64_t at_ms);
  Result<> set_cursor(const std::string& id, const std::string& cursor, bool enumerated);
  Result<> set_first_ready(const std::string& id, std::int64_t at_ms);
  Result<> close(const std::string& id, std::int64_t at_ms, const std::string& report);
  Result<> reopen(const std::string& id);
  /// Adds a change of counters to a lane. The schema refuses what does not add up or falls below zero.
  Result<> count(std::int64_t import, Lane lane, const Tally& change);

 private:
  Result<> insert(const ImportRow& row);
  Result<> insert_lane(std::int64_t import, Lane lane, const LaneRow& row);
  Result<> must_change(Statement& statement, const std::string& id);

  Database& db_;
  ImportReads& reads_;
  Statement insert_, insert_lane_, take_over_, set_lane_, append_timeline_, set_cursor_, set_first_ready_, close_,
      reopen_, count_, touch_;
};

}  // namespace callimport::storage
