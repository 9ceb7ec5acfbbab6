#pragma once
// Reading rows so that a statement is always reset: an open one would hold its transaction.
#include <optional>
#include <utility>
#include <vector>

#include "storage/sqlite/database.h"

namespace callimport::storage {

/// What `read` makes of the first row; nothing when there is none.
template <class Read>
auto first_row(Statement& statement, Read read) -> Result<std::optional<decltype(read(statement))>> {
  std::optional<decltype(read(statement))> found;
  TRY(const bool row, statement.step());
  if (row) {
    found.emplace(read(statement));
    statement.reset();
  }
  return found;
}

/// What `read` makes of each row, in order.
template <class Read>
auto all_rows(Statement& statement, Read read) -> Result<std::vector<decltype(read(statement))>> {
  std::vector<decltype(read(statement))> found;
  while (true) {
    TRY(const bool row, statement.step());
    if (!row) return found;
    found.push_back(read(statement));
  }
}

inline std::optional<std::int64_t> optional_integer(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

}  // namespace callimport::storage
