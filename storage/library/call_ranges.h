#pragma once
// Which calls a search looks at: those that pass its filters, as ranges of documents, newest first.
#include <optional>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/library/search_query.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// Documents first..last of one call.
struct DocRange {
  std::int64_t first = 0, last = 0;
};

/// What the query and the flags beside it say of calls. Its starts are those of both.
struct CallConditions {
  SearchQuery query;
  CallFilter filter;
  /// Whether calls must be looked at; starts to the second do not, for they bound documents.
  bool look_at_calls() const;
  /// The documents of calls that may begin within the starts, to the second.
  DocRange docs() const;
};
CallConditions conditions_of(SearchQuery query, const CallFilter& filter);

/// A cursor over calls that pass. Reads them in portions, from an index that holds all a filter asks for.
class CallRanges {
 public:
  explicit CallRanges(Database& db);
  void start(const CallConditions& conditions);
  /// The first range that ends at `doc` or after it; nothing when there is none. Calls come with growing `doc`.
  Result<std::optional<DocRange>> at_or_after(std::int64_t doc);

 private:
  Result<> read_from(std::int64_t doc);

  Statement find_;
  CallConditions conditions_;
  std::vector<DocRange> portion_;
  std::size_t at_ = 0;
  bool ended_ = false;  ///< the portion is the last
};

}  // namespace callimport::storage
