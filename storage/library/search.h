#pragma once
// Full-text search over transcript segments.
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class SearchReads {
 public:
  explicit SearchReads(Database& db);
  /// Best first.  @error kInvalid  as parse_query
  Result<std::vector<SearchHit>> find(const std::string& query, const CallFilter& filter, int limit);

 private:
  Statement find_;
};

/// FTS5's marks around found words, where `plain` may hold those characters too: its own are left out.
std::string unambiguous_marks(std::string_view marked, std::string_view plain);

}  // namespace callimport::storage
