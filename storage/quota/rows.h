#pragma once
// Rows of budgets in library.db.
#include "storage/quota/budget.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class QuotaReads {
 public:
  explicit QuotaReads(Database& db);
  Result<QuotaRows> all();  ///< oldest first

 private:
  Statement uses_, words_;
};

/// Inside a transaction of the writer.
class QuotaWrites {
 public:
  explicit QuotaWrites(Database& db);
  /// Replaces what it names; rows of a budget that count no more go.
  Result<> put(const QuotaRows& rows);

 private:
  Statement forget_, use_, word_;
};

}  // namespace callimport::storage
