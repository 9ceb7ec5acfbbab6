#pragma once
// What people did to imports, and who said that a customer's calls may be taken over.
#include <optional>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class ActionReads {
 public:
  explicit ActionReads(Database& db);
  /// Newest first, those before `before` (0: from the newest); empty import: of all.
  Result<std::vector<ActionRow>> newest(const std::string& import, std::int64_t before, int limit);
  Result<bool> consented(const ConsentRow& row);

 private:
  Statement newest_, newest_of_, consented_;
};

/// Inside a transaction of the writer.
class ActionWrites {
 public:
  ActionWrites(Database& db, ActionReads& reads);
  Result<std::int64_t> add(const ActionRow& row, std::int64_t seen);
  Result<> set_outcome(std::int64_t number, const std::string& outcome);
  Result<> consent(const ConsentRow& row);

 private:
  Database& db_;
  ActionReads& reads_;
  Statement by_request_, add_, set_outcome_, consent_;
};

}  // namespace callimport::storage
