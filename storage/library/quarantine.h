#pragma once
// The rows of broken recordings. The files are the media store's: what is said here to be no longer needed is removed
// there once this is committed.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/library/records.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// Threads: as the connection's.
class QuarantineReads {
 public:
  explicit QuarantineReads(Database& db);
  Result<std::vector<QuarantineRow>> list(const std::string& import, std::int64_t after, int limit);
  Result<std::vector<QuarantineFile>> files();

 private:
  Statement list_, files_;
};

/// Inside a transaction of the writer.
class QuarantineWrites {
 public:
  explicit QuarantineWrites(Database& db);
  /// The call's row, in place of an older one; the oldest files go until all take at most `bytes_max`.
  Result<std::vector<QuarantineFile>> put(const QuarantineRow& row, std::int64_t bytes_max);
  Result<std::vector<QuarantineFile>> drop(const std::string& import, const std::string& source_id);

 private:
  /// The file, if no row needs it any more.
  Result<> collect(const QuarantineFile& file, std::vector<QuarantineFile>& unneeded);

  Statement put_, find_, drop_, needed_, bytes_, oldest_, let_go_;
};

}  // namespace callimport::storage
