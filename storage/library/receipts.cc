#include "storage/library/receipts.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

Receipts::Receipts(Database& db)
    : find_(db, "SELECT attempt, result, scheduled_ns FROM receipt WHERE run_id = ?1 AND activity_id = ?2"),
      put_(db,
           "INSERT INTO receipt(run_id, activity_id, attempt, result, scheduled_ns) VALUES(?1, ?2, ?3, ?4, ?5)"
           " ON CONFLICT(run_id, activity_id) DO UPDATE SET attempt = excluded.attempt, result = excluded.result,"
           "  scheduled_ns = excluded.scheduled_ns"),
      drop_(db, "DELETE FROM receipt WHERE run_id = ?1") {}

Result<std::optional<std::string>> Receipts::find(const ReceiptKey& key) {
  struct Stored {
    std::int64_t attempt;
    std::string result;
    std::int64_t scheduled_ns;
  };
  TRY(auto stored, first_row(find_.bind(1, key.run_id).bind(2, key.activity_id),
                             [](const Statement& row) { return Stored{row.integer(0), row.text(1), row.integer(2)}; }));
  if (!stored) return std::nullopt;
  const bool another = key.scheduled_ns != 0 && stored->scheduled_ns != 0 && key.scheduled_ns != stored->scheduled_ns;
  if (another) return std::nullopt;
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
  return put_.bind(1, key.run_id)
      .bind(2, key.activity_id)
      .bind(3, key.attempt)
      .bind(4, result)
      .bind(5, key.scheduled_ns)
      .run();
}

Result<> Receipts::drop(const std::string& run_id) { return drop_.bind(1, run_id).run(); }

}  // namespace callimport::storage
