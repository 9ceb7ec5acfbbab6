#pragma once
// What the rules of telling remember between records, and when they look again.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/result.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// One thing that is open: an escalation, an outage of a platform, a person's next digest.
struct AgendaRow {
  std::string kind, key;  ///< together its name
  std::string import;     ///< empty: of none or several
  std::int64_t opened_ms = 0;
  std::optional<std::int64_t> next_ms;  ///< nothing: it waits for a record
  int step = 0;
  std::string facts = "{}";  ///< a JSON object
  friend bool operator==(const AgendaRow&, const AgendaRow&) = default;
};

class AgendaReads {
 public:
  explicit AgendaReads(Database& db);
  Result<std::optional<AgendaRow>> find(const std::string& kind, const std::string& key);
  Result<std::vector<AgendaRow>> of_kind(const std::string& kind, int limit);                    ///< by key
  Result<std::vector<AgendaRow>> of_import(const std::string& kind, const std::string& import);  ///< by key
  Result<std::vector<AgendaRow>> due(std::int64_t now_ms, int limit);                            ///< soonest first
  Result<std::optional<std::int64_t>> next_ms();

 private:
  Statement find_, of_kind_, of_import_, due_, next_;
};

/// Inside a transaction of the writer.
class AgendaWrites {
 public:
  explicit AgendaWrites(Database& db);
  Result<> put(const AgendaRow& row);  ///< new, or in the place of what has its name
  Result<> drop(const std::string& kind, const std::string& key);

 private:
  Statement put_, drop_;
};

}  // namespace callimport::storage
