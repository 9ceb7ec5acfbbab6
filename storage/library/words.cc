#include "storage/library/words.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

// Wanted calls of import ?1 (its number) in lane ?2; one that was undone meanwhile is none.
#define CALLIMPORT_WANTED                                                                                     \
  " FROM words_wanted w JOIN manifest m ON m.import = w.import AND m.source_id = w.source_id AND m.lane = ?2" \
  " JOIN import i ON i.number = w.import"                                                                     \
  " JOIN call c ON c.platform = i.platform AND c.workspace = i.workspace AND c.source_id = w.source_id"       \
  " WHERE w.import = ?1"
#define CALLIMPORT_WORDLESS "SELECT count(*) FROM call WHERE import = ?1 AND transcript_state = ?2"

std::int64_t read_count(const Statement& row) { return row.integer(0); }

}  // namespace

WordsReads::WordsReads(Database& db, ImportReads& imports)
    : imports_(imports), wanted_(db, "SELECT count(*)" CALLIMPORT_WANTED), wordless_(db, CALLIMPORT_WORDLESS) {}

Result<std::int64_t> WordsReads::wanted(const std::string& import, Lane lane) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const auto calls, first_row(wanted_.bind(1, number).bind(2, static_cast<int>(lane)), read_count));
  return calls.value_or(0);
}

Result<std::int64_t> WordsReads::wordless(const std::string& import, const std::string& state) {
  TRY(const auto calls, first_row(wordless_.bind(1, import).bind(2, state), read_count));
  return calls.value_or(0);
}

WordsWrites::WordsWrites(Database& db, ImportReads& imports)
    : imports_(imports),
      wordless_(db, CALLIMPORT_WORDLESS),
      want_(db,
            "INSERT INTO words_wanted(import, source_id) SELECT ?3, source_id FROM call"
            " WHERE import = ?1 AND transcript_state = ?2 ON CONFLICT DO NOTHING"),
      tried_again_(db, "UPDATE cause_seen SET tried_again = 1 WHERE import = ?1 AND cause = 'transcript.' || ?2"),
      next_(db,
            "SELECT w.source_id, m.start_ms, m.title, m.media_type, m.duration_ms, m.position, m.attempts, "
            "c.id" CALLIMPORT_WANTED " ORDER BY w.source_id LIMIT ?3"),
      drop_(db, "DELETE FROM words_wanted WHERE import = ?1 AND source_id = ?2") {}

Result<std::int64_t> WordsWrites::want(const std::string& import, const std::string& state) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY_VOID(want_.bind(1, import).bind(2, state).bind(3, number).run());
  TRY_VOID(tried_again_.bind(1, number).bind(2, state).run());
  TRY(const auto calls, first_row(wordless_.bind(1, import).bind(2, state), read_count));
  return calls.value_or(0);
}

Result<std::vector<ManifestRow>> WordsWrites::next(const std::string& import, Lane lane, int limit) {
  if (limit <= 0) return std::vector<ManifestRow>{};
  TRY(const std::int64_t number, imports_.number(import));
  const auto read = [&](const Statement& row) {
    return ManifestRow{.import = import,
                       .source_id = row.text(0),
                       .start_ms = row.integer(1),
                       .title = row.text(2),
                       .media_type = row.text(3),
                       .duration_ms = optional_integer(row, 4),
                       .lane = lane,
                       .position = row.integer(5),
                       .state = CallState::kRegistered,
                       .cause = {},
                       .detail = {},
                       .not_before_ms = std::nullopt,
                       .attempts = static_cast<int>(row.integer(6)),
                       .repeats = row.text(7),
                       .words_only = true};
  };
  return all_rows(next_.bind(1, number).bind(2, static_cast<int>(lane)).bind(3, limit), read);
}

Result<> WordsWrites::drop(const std::string& import, const std::string& source_id) {
  TRY(const std::int64_t number, imports_.number(import));
  return drop_.bind(1, number).bind(2, source_id).run();
}

}  // namespace callimport::storage
