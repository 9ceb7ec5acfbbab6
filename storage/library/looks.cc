#include "storage/library/looks.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

LookReads::LookReads(Database& db, ImportReads& imports)
    : imports_(imports),
      time_left_(db, "SELECT at_ms, from_ms, to_ms, cause FROM time_left WHERE import = ?1"),
      times_told_(db, "SELECT at_ms, from_ms, to_ms FROM time_left_told WHERE import = ?1 ORDER BY at_ms") {}

Result<std::vector<ToldTimeLeft>> LookReads::times_told(const std::string& import) {
  TRY(const std::int64_t number, imports_.number(import));
  return all_rows(times_told_.bind(1, number), [](const Statement& row) {
    return ToldTimeLeft{row.integer(0), row.integer(1), row.integer(2), {}};
  });
}

Result<std::optional<ToldTimeLeft>> LookReads::time_left(const std::string& import) {
  TRY(const std::int64_t number, imports_.number(import));
  return first_row(time_left_.bind(1, number), [](const Statement& row) {
    return ToldTimeLeft{row.integer(0), row.integer(1), row.integer(2), row.text(3)};
  });
}

LookWrites::LookWrites(Database& db, ImportReads& imports)
    : imports_(imports),
      look_(db,
            "INSERT INTO look(import, who, at_ms, before_ms) VALUES(?1, ?2, ?3, 0) ON CONFLICT(import, who) DO UPDATE"
            " SET before_ms = iif(abs(excluded.at_ms - at_ms) < ?4, before_ms, at_ms),"
            "  at_ms = iif(abs(excluded.at_ms - at_ms) < ?4, at_ms, excluded.at_ms) RETURNING before_ms"),
      tell_(db,
            "INSERT INTO time_left(import, at_ms, from_ms, to_ms, cause) VALUES(?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT(import) DO UPDATE SET at_ms = ?2, from_ms = ?3, to_ms = ?4, cause = ?5"),
      remember_(db,
                "INSERT INTO time_left_told(import, at_ms, from_ms, to_ms) SELECT ?1, ?2, ?3, ?4"
                " WHERE (SELECT count(*) FROM time_left_told WHERE import = ?1) < ?5"
                " ON CONFLICT(import, at_ms) DO UPDATE SET from_ms = excluded.from_ms, to_ms = excluded.to_ms"),
      forget_(db, "DELETE FROM time_left_told WHERE import = ?1") {}

Result<std::int64_t> LookWrites::look(const std::string& import, const std::string& who, std::int64_t now_ms) {
  TRY(const std::int64_t number, imports_.number(import));
  look_.bind(1, number).bind(2, who).bind(3, now_ms).bind(4, kSameLookMs);
  TRY(const auto before, all_rows(look_, [](const Statement& row) { return row.integer(0); }));
  return before.empty() ? 0 : before.front();
}

Result<> LookWrites::tell(const std::string& import, const ToldTimeLeft& told) {
  TRY(const std::int64_t number, imports_.number(import));
  tell_.bind(1, number).bind(2, told.at_ms).bind(3, told.from_ms).bind(4, told.to_ms);
  TRY_VOID(tell_.bind(5, told.cause).run());
  remember_.bind(1, number).bind(2, told.at_ms).bind(3, told.from_ms).bind(4, told.to_ms);
  return remember_.bind(5, kTimesToldMax).run();
}

Result<> LookWrites::forget_told(const std::string& import) {
  TRY(const std::int64_t number, imports_.number(import));
  return forget_.bind(1, number).run();
}

}  // namespace callimport::storage
