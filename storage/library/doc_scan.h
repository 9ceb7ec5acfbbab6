#pragma once
// The documents that answer a search, newest first, one after the other: the full-text index and the calls that pass
// the filters walked together, each skipping what the other leaves out.
#include <optional>
#include <string>

#include "storage/library/call_ranges.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class DocScan {
 public:
  explicit DocScan(Database& db);

  struct Found {
    std::int64_t doc = 0;
    double score = 0;  ///< better is smaller; 0 unless scored
  };
  enum class Scores { kNone, kEach };

  /// @param from  not before this document.  @error kInvalid  as parse_query
  Result<> start(const std::string& query, const CallFilter& filter, std::int64_t from, Scores scores);
  /// Without words: the heading of each call that passes.
  Result<std::optional<Found>> next();
  /// Lets go of the database; `next` must not follow.
  void stop();
  /// The words for FTS5; empty without any.
  const std::string& expression() const { return expression_; }

 private:
  Result<std::optional<Found>> next_call();
  /// False when there is nothing from at_ on.
  Result<bool> open();

  Statement plain_, scored_;
  CallRanges ranges_;
  Statement* words_ = nullptr;  ///< one of the two above
  std::string expression_;
  DocRange docs_;
  std::int64_t at_ = 0;
  bool by_calls_ = false, open_ = false;
  std::optional<DocRange> range_;
  int misses_ = 0;
};

}  // namespace callimport::storage
