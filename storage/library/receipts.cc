#include "storage/library/receipts.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

Receipts::Receipts(Database& db)
    : find_(db, "SELECT attempt, result FROM receipt WHERE run_id = ?1 AND activity_id = ?2"),
      put_(db, "INSERT INTO receipt(run_id, activity_id, attempt, result) VALUES(?1, ?2, ?3, ?4)"),
      drop_(db, "DELETE FROM receipt WHERE run_id = ?1") {}

Result<std::optional<std::string>> Receipts::find(const ReceiptKey& key) {
  struct Stored {
    std::int64_t attempt;
    std::string result;
  };
  TRY(auto stored, first_row(find_.bind(1, key.run_id).bind(2, key.activity_id),
                             [](const Statement& row) { return Stored{row.integer(0), row.text(1)}; }));
  if (!stored) return std::nullopt;
  if (key.attempt < stored->attempt) {
    return fail(Code::kConflict, "attempt " + std::to_string(key.attempt) + " of activity " + key.activity_id +
                                     " in run " + key.run_id + " is too late: attempt " +
                                     std::to_string(stored->attempt) + " has written");
  }
  return std::move(stored->result);
}

Result<> Receipts::put(const ReceiptKey& key, const std::string& result) {
  if (result.size() > kReceiptBytesMax) {
    return fail(Code::kInvalid, "the result of activity " + key.activity_id + " has " + std::to_string(result.size()) +
                                    " bytes, at most " + std::to_string(kReceiptBytesMax) + " are kept");
  }
  return put_.bind(1, key.run_id).bind(2, key.activity_id).bind(3, key.attempt).bind(4, result).run();
}

Result<> Receipts::drop(const std::string& run_id) { return drop_.bind(1, run_id).run(); }

}  // namespace callimport::storage
