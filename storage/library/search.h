#pragma once
// Full-text search over transcripts, titles and people.
#include <string>
#include <vector>

#include "storage/library/doc_scan.h"
#include "storage/library/library.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

inline constexpr std::size_t kRankedMax = 10'000;           ///< the newest hits, among which the best come first
inline constexpr std::int64_t kHitsCountedMax = 1'000'000;  ///< for facets

class SearchReads {
 public:
  explicit SearchReads(Database& db);
  /// @error kInvalid  as parse_query; a page token that is none
  Result<SearchPage> find(const SearchRequest& request);
  Result<SearchFacets> facets(const SearchRequest& request);

 private:
  Result<SearchPage> newest(const SearchRequest& request);
  Result<SearchPage> best(const SearchRequest& request);
  /// Nothing when it went away meanwhile.
  Result<std::optional<SearchHit>> show(std::int64_t doc);

  DocScan scan_;
  Statement call_, hit_, facts_;
};

/// FTS5's marks around found words, where `plain` may hold those characters too: its own are left out.
std::string unambiguous_marks(std::string_view marked, std::string_view plain);

}  // namespace callimport::storage
