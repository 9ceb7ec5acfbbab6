#include "storage/quota/rows.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

QuotaReads::QuotaReads(Database& db)
    : uses_(db, "SELECT platform, workspace, budget, at_ms, used FROM quota_use ORDER BY at_ms"),
      words_(db, "SELECT platform, workspace, per_minute, blocked_from_ms, blocked_until_ms FROM quota_word") {}

Result<QuotaRows> QuotaReads::all() {
  QuotaRows rows;
  TRY(rows.uses, all_rows(uses_, [](const Statement& row) {
        return UseRow{{row.text(0), row.text(1)}, row.text(2), row.integer(3), row.integer(4), 0};
      }));
  TRY(rows.words, all_rows(words_, [](const Statement& row) {
        return WordRow{{row.text(0), row.text(1)}, row.integer(2), row.integer(3), row.integer(4)};
      }));
  return rows;
}

QuotaWrites::QuotaWrites(Database& db)
    : forget_(db,
              "DELETE FROM quota_use WHERE platform = ?1 AND workspace = ?2 AND budget = ?3"
              " AND (at_ms < ?4 OR at_ms > ?5)"),
      use_(db,
           "INSERT INTO quota_use(platform, workspace, budget, at_ms, used) VALUES(?1, ?2, ?3, ?4, ?5)"
           " ON CONFLICT(platform, workspace, budget, at_ms) DO UPDATE SET used = excluded.used"),
      word_(db,
            "INSERT INTO quota_word(platform, workspace, per_minute, blocked_from_ms, blocked_until_ms)"
            " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(platform, workspace) DO UPDATE SET"
            " per_minute = excluded.per_minute, blocked_from_ms = excluded.blocked_from_ms,"
            " blocked_until_ms = excluded.blocked_until_ms") {}

Result<> QuotaWrites::put(const QuotaRows& rows) {
  for (const UseRow& row : rows.uses) {
    forget_.bind(1, row.account.platform).bind(2, row.account.workspace).bind(3, row.budget);
    TRY_VOID(forget_.bind(4, row.keep_from_ms).bind(5, row.at_ms).run());
    use_.bind(1, row.account.platform).bind(2, row.account.workspace).bind(3, row.budget);
    TRY_VOID(use_.bind(4, row.at_ms).bind(5, row.used).run());
  }
  for (const WordRow& row : rows.words) {
    word_.bind(1, row.account.platform).bind(2, row.account.workspace).bind(3, row.per_minute);
    TRY_VOID(word_.bind(4, row.blocked_from_ms).bind(5, row.blocked_until_ms).run());
  }
  return {};
}

}  // namespace callimport::storage
