#include "storage/library/agenda.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {
namespace {

AgendaRow read_row(const Statement& row) {
  return {.kind = row.text(0),
          .key = row.text(1),
          .import = row.text(2),
          .opened_ms = row.integer(3),
          .next_ms = optional_integer(row, 4),
          .step = static_cast<int>(row.integer(5)),
          .facts = row.text(6)};
}

}  // namespace

AgendaReads::AgendaReads(Database& db)
    : find_(db, "SELECT kind, key, import, opened_ms, next_ms, step, facts FROM agenda WHERE kind = ?1 AND key = ?2"),
      of_kind_(db,
               "SELECT kind, key, import, opened_ms, next_ms, step, facts FROM agenda WHERE kind = ?1"
               " ORDER BY key LIMIT ?2"),
      of_import_(db,
                 "SELECT kind, key, import, opened_ms, next_ms, step, facts FROM agenda WHERE import = ?2 AND kind = ?1"
                 " ORDER BY key LIMIT 1000"),
      due_(db,
           "SELECT kind, key, import, opened_ms, next_ms, step, facts FROM agenda WHERE next_ms <= ?1"
           " ORDER BY next_ms, kind, key LIMIT ?2"),
      next_(db, "SELECT min(next_ms) FROM agenda WHERE next_ms IS NOT NULL") {}

Result<std::optional<AgendaRow>> AgendaReads::find(const std::string& kind, const std::string& key) {
  return first_row(find_.bind(1, kind).bind(2, key), read_row);
}
Result<std::vector<AgendaRow>> AgendaReads::of_kind(const std::string& kind, int limit) {
  return all_rows(of_kind_.bind(1, kind).bind(2, limit), read_row);
}
Result<std::vector<AgendaRow>> AgendaReads::of_import(const std::string& kind, const std::string& import) {
  return all_rows(of_import_.bind(1, kind).bind(2, import), read_row);
}
Result<std::vector<AgendaRow>> AgendaReads::due(std::int64_t now_ms, int limit) {
  return all_rows(due_.bind(1, now_ms).bind(2, limit), read_row);
}
Result<std::optional<std::int64_t>> AgendaReads::next_ms() {
  TRY(const auto next, first_row(next_, [](const Statement& row) { return optional_integer(row, 0); }));
  return next.value_or(std::nullopt);
}

AgendaWrites::AgendaWrites(Database& db)
    : put_(db,
           "INSERT INTO agenda(kind, key, import, opened_ms, next_ms, step, facts) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
           " ON CONFLICT(kind, key) DO UPDATE SET import = ?3, opened_ms = ?4, next_ms = ?5, step = ?6, facts = ?7"),
      drop_(db, "DELETE FROM agenda WHERE kind = ?1 AND key = ?2") {}

Result<> AgendaWrites::put(const AgendaRow& row) {
  put_.bind(1, row.kind).bind(2, row.key).bind(3, row.import).bind(4, row.opened_ms).bind(5, row.next_ms);
  return put_.bind(6, row.step).bind(7, row.facts).run();
}
Result<> AgendaWrites::drop(const std::string& kind, const std::string& key) {
  return drop_.bind(1, kind).bind(2, key).run();
}

}  // namespace callimport::storage
