#pragma once
// Failed calls of which a person said that they will not come. They are skipped under the cause they failed for, until
// somebody puts them back.
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/records.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class SetAsideReads {
 public:
  SetAsideReads(Database& db, ImportReads& imports);
  Result<std::vector<std::string>> causes_met(const std::string& import);

 private:
  ImportReads& imports_;
  Statement causes_;
};

/// Inside a transaction of the writer.
class SetAsideWrites {
 public:
  SetAsideWrites(Database& db, ImportReads& imports, ImportWrites& counters);
  Result<std::int64_t> set_aside(const std::string& import, const GapChoice& choice);
  Result<std::int64_t> put_back(const std::string& import, const GapChoice& choice);

 private:
  /// From one state to the other, by cause and one by one.
  struct Way {
    CallState from, to;
    Statement by_lane, move, move_one;
  };
  Result<std::int64_t> go(Way& way, const std::string& import, const GapChoice& choice);
  Result<std::int64_t> go_by_cause(Way& way, std::int64_t import, const std::string& cause);
  Result<std::int64_t> go_one_by_one(Way& way, std::int64_t import, const std::vector<std::string>& calls);
  Result<> count(const Way& way, std::int64_t import, Lane lane, std::int64_t calls);

  Database& db_;
  ImportReads& imports_;
  ImportWrites& counters_;
  Way aside_, back_;
};

}  // namespace callimport::storage
