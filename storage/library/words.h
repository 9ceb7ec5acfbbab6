#pragma once
// Calls that an import brought without words, and that are asked for once more. They have registered: what is wanted of
// them stands beside the manifest, so that no counter goes back.
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/records.h"

namespace callimport::storage {

class WordsReads {
 public:
  WordsReads(Database& db, ImportReads& imports);
  Result<std::int64_t> wanted(const std::string& import, Lane lane);
  /// Calls it brought whose transcript is in this state.
  Result<std::int64_t> wordless(const std::string& import, const std::string& state);

 private:
  ImportReads& imports_;
  Statement wanted_, wordless_;
};

/// Inside a transaction of the writer.
class WordsWrites {
 public:
  WordsWrites(Database& db, ImportReads& imports);
  Result<std::int64_t> want(const std::string& import, const std::string& state);
  Result<std::vector<ManifestRow>> next(const std::string& import, Lane lane, int limit);
  Result<> drop(const std::string& import, const std::string& source_id);

 private:
  ImportReads& imports_;
  Statement wordless_, want_, tried_again_, next_, drop_;
};

}  // namespace callimport::storage
