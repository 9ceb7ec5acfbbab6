#pragma once
// What all imports of the library show together: how fast they were, what stayed behind, what was foretold.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/records.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class MeasureReads {
 public:
  explicit MeasureReads(Database& db);
  Result<std::vector<ImportMeasure>> newest(const std::string& platform, std::int64_t created_after_ms, int limit);
  /// How many of `source_ids` the library has from this workspace.
  Result<std::int64_t> known(const std::string& platform, const std::string& workspace,
                             const std::vector<std::string>& source_ids);

 private:
  Statement newest_, known_;
};

}  // namespace callimport::storage
