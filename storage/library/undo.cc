#include "storage/library/undo.h"

#include <array>

#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

// Calls that `call c` of import ?1 (platform ?2, workspace ?3) shares with another import, which counts them as
// duplicates, by their id in the workspace or as the same meeting: they are its calls, too.
#define CALLIMPORT_OTHER_IMPORTS \
  "WITH other AS MATERIALIZED (SELECT number FROM import WHERE platform = ?2 AND workspace = ?3 AND id <> ?1) "
#define CALLIMPORT_HELD                                                                                             \
  "(EXISTS (SELECT 1 FROM other o JOIN manifest d ON d.import = o.number AND d.source_id = c.source_id"             \
  "  WHERE d.state = 3)"                                                                                            \
  " OR EXISTS (SELECT 1 FROM manifest r INDEXED BY manifest_by_repeated WHERE r.repeats = c.id AND r.repeats <> ''" \
  "  AND r.state = 3 AND r.import <> (SELECT number FROM import WHERE id = ?1)))"

}  // namespace

UndoReads::UndoReads(Database& db, ImportReads& imports)
    : imports_(imports),
      calls_(db, CALLIMPORT_OTHER_IMPORTS
             "SELECT count(*), coalesce(sum(held), 0), coalesce(sum(iif(held, 0, bytes)), 0) FROM"
             " (SELECT " CALLIMPORT_HELD
             " AS held, coalesce(c.media_bytes, 0) AS bytes FROM call c WHERE c.import = ?1)"),
      media_left_(db, "SELECT count(*) FROM media_to_remove"),
      open_(db, "SELECT count(*) FROM import WHERE closed_ms IS NULL") {}

Result<UndoFacts> UndoReads::facts(const std::string& import) {
  TRY(const ImportRow row, imports_.get(import));
  UndoFacts facts;
  TRY_VOID(first_row(calls_.bind(1, import).bind(2, row.platform).bind(3, row.workspace), [&](const Statement& found) {
    facts.held = found.integer(1);
    facts.calls = found.integer(0) - facts.held;
    facts.media_bytes = found.integer(2);
    return true;
  }));
  const auto number = [](const Statement& found) { return found.integer(0); };
  TRY(const auto left, first_row(media_left_, number));
  TRY(const auto open, first_row(open_, number));
  facts.media_left = left.value_or(0);
  facts.open_imports = open.value_or(0);
  return facts;
}

UndoWrites::UndoWrites(Database& db, ImportReads& reads, ImportWrites& imports)
    : reads_(reads),
      imports_(imports),
      next_(db, CALLIMPORT_OTHER_IMPORTS
            "SELECT c.number, c.doc, c.docs, c.start_ms, c.id, c.source_id, coalesce(c.media_hash, ''),"
            " coalesce(c.media_bytes, 0) FROM call c INDEXED BY call_by_import WHERE c.import = ?1"
            " AND (c.start_ms, c.id) > (?4, ?5) AND NOT " CALLIMPORT_HELD " ORDER BY c.start_ms, c.id LIMIT ?6"),
      unindex_(db,
               "INSERT INTO doc_text(doc_text, rowid, text, speaker, people)"
               " SELECT 'delete', id, text, speaker, people FROM doc WHERE id >= ?1 AND id < ?2"),
      drop_segments_(db, "DELETE FROM segment WHERE id >= ?1 AND id < ?2"),
      drop_participants_(db, "DELETE FROM participant WHERE call = ?1"),
      keep_hash_(db, "INSERT INTO media_to_remove(hash) VALUES(?1) ON CONFLICT DO NOTHING"),
      drop_call_(db, "DELETE FROM call WHERE number = ?1"),
      mark_(db,
            "UPDATE manifest SET state = 4, cause = ?3, detail = 'removed from the library again'"
            " WHERE import = ?1 AND source_id = ?2 AND state = 2 RETURNING lane"),
      named_again_(db, "DELETE FROM media_to_remove WHERE EXISTS (SELECT 1 FROM call WHERE media_hash = hash)"),
      removable_(db,
                 "SELECT hash FROM media_to_remove WHERE NOT EXISTS (SELECT 1 FROM import WHERE closed_ms IS NULL)"
                 " LIMIT ?1"),
      removed_(db, "DELETE FROM media_to_remove WHERE hash = ?1") {}

Result<> UndoWrites::remove(const Brought& call) {
  TRY_VOID(unindex_.bind(1, call.doc).bind(2, call.doc + call.docs).run());
  TRY_VOID(drop_segments_.bind(1, call.doc).bind(2, call.doc + call.docs).run());
  TRY_VOID(drop_participants_.bind(1, call.number).run());
  if (!call.hash.empty()) TRY_VOID(keep_hash_.bind(1, call.hash).run());
  return drop_call_.bind(1, call.number).run();
}

Result<UndoPortion> UndoWrites::portion(const std::string& import, const UndoPortion& before, int limit) {
  TRY(const ImportRow row, reads_.get(import));
  TRY(const std::int64_t number, reads_.number(import));
  next_.bind(1, import).bind(2, row.platform).bind(3, row.workspace);
  next_.bind(4, before.after_start_ms).bind(5, before.after_id).bind(6, limit);
  TRY(const auto calls, all_rows(next_, [](const Statement& found) {
        return Brought{found.integer(0), found.integer(1), found.integer(2), found.integer(3),
                       found.text(4),    found.text(5),    found.text(6),    found.integer(7)};
      }));
  UndoPortion made = before;
  std::array<Tally, 2> changed;
  for (const Brought& call : calls) {
    TRY_VOID(remove(call));
    TRY(const auto lanes, all_rows(mark_.bind(1, number).bind(2, call.source_id).bind(3, kCauseUndone),
                                   [](const Statement& found) { return found.integer(0); }));
    for (const auto lane : lanes) {
      auto& tally = changed.at(static_cast<std::size_t>(lane));
      tally.add(CallState::kRegistered, -1);
      tally.add(CallState::kSkipped, 1);
      tally.counters.media_bytes -= call.media_bytes;
    }
    ++made.removed;
    made.after_start_ms = call.start_ms;
    made.after_id = call.id;
  }
  made.done = std::ssize(calls) < limit;
  TRY_VOID(imports_.count(number, Lane::kFirst, changed[0]));
  TRY_VOID(imports_.count(number, Lane::kBulk, changed[1]));
  return made;
}

Result<std::vector<std::string>> UndoWrites::removable_media(int limit) {
  TRY_VOID(named_again_.run());
  return all_rows(removable_.bind(1, limit), [](const Statement& found) { return found.text(0); });
}

Result<> UndoWrites::media_removed(const std::string& hash) { return removed_.bind(1, hash).run(); }

}  // namespace callimport::storage
