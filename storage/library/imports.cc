#include "storage/library/imports.h"

#include <limits>

#include "storage/model/ensure.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

LaneRow read_lane(const Statement& row, int at) {
  return {.stage = row.text(at),
          .condition = row.text(at + 1),
          .reason = row.text(at + 2),
          .who = row.text(at + 3),
          .why = row.text(at + 4),
          .until_ms = optional_integer(row, at + 5)};
}

Counters read_counters(const Statement& row, int at) {
  const Counters counters{.found = row.integer(at),
                          .registered = row.integer(at + 1),
                          .duplicate = row.integer(at + 2),
                          .skipped = row.integer(at + 3),
                          .failed = row.integer(at + 4),
                          .pending = row.integer(at + 5),
                          .media_bytes = row.integer(at + 6)};
  ENSURE(counters.add_up());
  return counters;
}

/// A row of the view import_now, columns in its order.
ImportRow read_import(const Statement& row) {
  return {.id = row.text(1),
          .platform = row.text(2),
          .workspace = row.text(3),
          .title = row.text(4),
          .credential = row.text(5),
          .input = row.text(6),
          .created_ms = row.integer(7),
          .closed_ms = optional_integer(row, 8),
          .first_ready_ms = optional_integer(row, 9),
          .first = read_lane(row, 14),
          .bulk = read_lane(row, 20),
          .counters = read_counters(row, 26),
          .cursor = row.text(10),
          .enumerated = row.integer(11) != 0,
          .report = row.text(12),
          .change = row.integer(13)};
}

StageChange read_change(const Statement& row) {
  return {.change = row.integer(0),
          .at_ms = row.integer(1),
          .lane = static_cast<Lane>(row.integer(2)),
          .row = read_lane(row, 3),
          .counters = read_counters(row, 9)};
}

// The lane that wants eyes first: attention, then pause, wait, work, and last what has ended; of equals the first lane.
#define CALLIMPORT_URGENCY(condition)                                         \
  "CASE " condition                                                           \
  " WHEN 'needs_attention' THEN 0 WHEN 'paused' THEN 1 WHEN 'waiting' THEN 2" \
  " WHEN 'running' THEN 3 WHEN 'failed' THEN 4 ELSE 5 END"
#define CALLIMPORT_SHOWN_CONDITION                                                 \
  "CASE WHEN closed_ms IS NULL AND first_condition <> '' AND " CALLIMPORT_URGENCY( \
      "first_condition") " <= " CALLIMPORT_URGENCY("bulk_condition") " THEN first_condition ELSE bulk_condition END"

tl::unexpected<Error> no_import(const std::string& id) { return fail(Code::kNotFound, "no such import " + id); }

void bind_lane(Statement& statement, int at, const LaneRow& row) {
  statement.bind(at, row.stage).bind(at + 1, row.condition).bind(at + 2, row.reason);
  statement.bind(at + 3, row.who).bind(at + 4, row.why).bind(at + 5, row.until_ms);
}

}  // namespace

std::string_view to_string(CallState state) {
  switch (state) {
    case CallState::kPending: return "pending";
    case CallState::kStaged: return "staged";
    case CallState::kRegistered: return "registered";
    case CallState::kDuplicate: return "duplicate";
    case CallState::kSkipped: return "skipped";
    case CallState::kFailed: return "failed";
  }
  return "unknown";
}

std::string wordless_state(std::string_view cause) {
  if (cause == "transcript.missing") return "missing";
  return cause == "transcript.failed" ? "failed" : "";
}

std::string_view to_string(DuplicatePolicy policy) {
  switch (policy) {
    case DuplicatePolicy::kSkip: return "skip";
    case DuplicatePolicy::kUpdate: return "update";
    case DuplicatePolicy::kReplace: return "replace";
  }
  return "skip";
}

std::optional<DuplicatePolicy> parse_duplicate_policy(std::string_view text) {
  for (const auto policy : {DuplicatePolicy::kSkip, DuplicatePolicy::kUpdate, DuplicatePolicy::kReplace}) {
    if (to_string(policy) == text) return policy;
  }
  if (text.empty()) return DuplicatePolicy::kSkip;
  return std::nullopt;
}

void Tally::add(CallState state, std::int64_t calls) {
  counters.found += calls;
  switch (state) {
    case CallState::kPending: counters.pending += calls; break;
    case CallState::kStaged:
      counters.pending += calls;
      staged += calls;
      break;
    case CallState::kRegistered: counters.registered += calls; break;
    case CallState::kDuplicate: counters.duplicate += calls; break;
    case CallState::kSkipped: counters.skipped += calls; break;
    case CallState::kFailed: counters.failed += calls; break;
  }
}

ImportReads::ImportReads(Database& db)
    : get_(db, "SELECT * FROM import_now WHERE id = ?1"),
      newest_(db, "SELECT * FROM import_now ORDER BY created_ms DESC, number DESC LIMIT ?1"),
      page_(db,
            "SELECT number, id, platform, workspace, title, credential, input, created_ms, closed_ms, first_ready_ms,"
            " '' AS cursor, enumerated, '' AS report, change,"
            " first_stage, first_condition, first_reason, first_who, first_why, first_until_ms,"
            " bulk_stage, bulk_condition, bulk_reason, bulk_who, bulk_why, bulk_until_ms,"
            " found, registered, duplicate, skipped, failed, pending, media_bytes FROM import_now"
            " WHERE created_ms >= ?1 AND created_ms <= ?2 AND (created_ms < ?2 OR id < ?3)"
            " AND (?4 = '' OR platform = ?4)"
            " AND (?5 = '' OR instr(lower(title || ' ' || workspace || ' ' || id), lower(?5)) > 0)"
            " AND (?6 = '' OR instr(?6, ',' || " CALLIMPORT_SHOWN_CONDITION
            " || ',') > 0)"
            " ORDER BY created_ms DESC, id DESC LIMIT ?7"),
      ids_(db, "SELECT id FROM import WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3"),
      open_count_(db, "SELECT count(*) FROM import INDEXED BY import_open WHERE closed_ms IS NULL"),
      open_changes_(db, "SELECT id, change FROM import INDEXED BY import_open WHERE closed_ms IS NULL LIMIT ?1"),
      with_(db, "SELECT id FROM import INDEXED BY import_open WHERE closed_ms IS NULL AND credential = ?1 LIMIT ?2"),
      timeline_(
          db,
          "SELECT change, at_ms, lane, stage, condition, reason, who, why, until_ms, found, registered, duplicate,"
          " skipped, failed, pending, media_bytes FROM timeline"
          " WHERE import = (SELECT number FROM import WHERE id = ?1) AND change > ?2 ORDER BY change LIMIT ?3"),
      number_(db, "SELECT number FROM import WHERE id = ?1"),
      tally_(db,
             "SELECT found, registered, duplicate, skipped, failed, pending, media_bytes, staged FROM lane"
             " WHERE import = ?1 AND lane = ?2") {}

Result<ImportRow> ImportReads::get(const std::string& id) {
  TRY(auto row, first_row(get_.bind(1, id), read_import));
  if (!row) return no_import(id);
  return *std::move(row);
}

Result<std::vector<ImportRow>> ImportReads::newest(int limit) { return all_rows(newest_.bind(1, limit), read_import); }

Result<std::vector<ImportRow>> ImportReads::page(const ImportFilter& filter, const std::optional<ImportPlace>& after,
                                                 int limit) {
  std::string conditions;
  for (const auto& condition : filter.conditions) conditions += (conditions.empty() ? "," : "") + condition + ",";
  page_.bind(1, filter.created_after_ms == 0 ? std::numeric_limits<std::int64_t>::min() : filter.created_after_ms);
  page_.bind(2, after ? after->created_ms : std::numeric_limits<std::int64_t>::max());
  page_.bind(3, after ? std::string_view(after->id) : std::string_view("\xff"));  // no UTF-8 text sorts after this byte
  return all_rows(page_.bind(4, filter.platform).bind(5, filter.text).bind(6, conditions).bind(7, limit), read_import);
}

Result<std::vector<std::string>> ImportReads::ids(const std::string& prefix, int limit) {
  return all_rows(ids_.bind(1, prefix).bind(2, prefix + "\x7f").bind(3, limit),
                  [](const Statement& row) { return row.text(0); });
}

Result<std::int64_t> ImportReads::open_count() {
  TRY(const auto count, first_row(open_count_, [](const Statement& row) { return row.integer(0); }));
  return count.value_or(0);
}

Result<std::vector<ImportChange>> ImportReads::open_changes(int limit) {
  return all_rows(open_changes_.bind(1, limit),
                  [](const Statement& row) { return ImportChange{.id = row.text(0), .change = row.integer(1)}; });
}

Result<std::vector<std::string>> ImportReads::with(const std::string& credential, int limit) {
  return all_rows(with_.bind(1, credential).bind(2, limit), [](const Statement& row) { return row.text(0); });
}

Result<std::vector<StageChange>> ImportReads::timeline(const std::string& id, std::int64_t after_change, int limit) {
  return all_rows(timeline_.bind(1, id).bind(2, after_change).bind(3, limit), read_change);
}

Result<std::int64_t> ImportReads::number(const std::string& id) {
  TRY(const auto found, first_row(number_.bind(1, id), [](const Statement& row) { return row.integer(0); }));
  if (!found) return no_import(id);
  return *found;
}

Result<Tally> ImportReads::tally(std::int64_t import, Lane lane) {
  tally_.bind(1, import).bind(2, static_cast<int>(lane));
  TRY(const auto found, first_row(tally_, [](const Statement& row) {
        return Tally{.counters = read_counters(row, 0), .staged = row.integer(7)};
      }));
  ENSURE(found.has_value());
  return *found;
}

ImportWrites::ImportWrites(Database& db, ImportReads& reads)
    : db_(db),
      reads_(reads),
      insert_(db,
              "INSERT INTO import(id, platform, workspace, title, credential, input, created_ms)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      insert_lane_(db,
                   "INSERT INTO lane(import, lane, stage, condition, reason, who, why, until_ms)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      take_over_(db, "UPDATE import SET title = ?2, credential = ?3, input = ?4, change = change + 1 WHERE id = ?1"),
      set_lane_(db,
                "UPDATE lane SET stage = ?3, condition = ?4, reason = ?5, who = ?6, why = ?7, until_ms = ?8"
                " WHERE import = ?1 AND lane = ?2"),
      append_timeline_(
          db,
          "INSERT INTO timeline SELECT i.number, i.change, ?3, ?2, l.stage, l.condition, l.reason, l.who, l.why, "
          "l.until_ms,"
          " l.found + o.found, l.registered + o.registered, l.duplicate + o.duplicate, l.skipped + o.skipped,"
          " l.failed + o.failed, l.pending + o.pending, l.media_bytes + o.media_bytes"
          " FROM import i JOIN lane l ON l.import = i.number AND l.lane = ?2"
          " JOIN lane o ON o.import = i.number AND o.lane = 1 - ?2 WHERE i.number = ?1"),
      set_cursor_(db, "UPDATE import SET cursor = ?2, enumerated = ?3, change = change + 1 WHERE id = ?1"),
      set_first_ready_(
          db, "UPDATE import SET first_ready_ms = coalesce(first_ready_ms, ?2), change = change + 1 WHERE id = ?1"),
      close_(db, "UPDATE import SET closed_ms = ?2, report = ?3, credential = '', change = change + 1 WHERE id = ?1"),
      reopen_(db, "UPDATE import SET closed_ms = NULL, report = '', change = change + 1 WHERE id = ?1"),
      count_(db,
             "UPDATE lane SET found = found + ?3, registered = registered + ?4, duplicate = duplicate + ?5,"
             " skipped = skipped + ?6, failed = failed + ?7, pending = pending + ?8, staged = staged + ?9,"
             " media_bytes = media_bytes + ?10 WHERE import = ?1 AND lane = ?2"),
      touch_(db, "UPDATE import SET change = change + 1 WHERE number = ?1") {}

Result<> ImportWrites::put(const ImportRow& row) {
  if (row.id.empty() || row.platform.empty() || row.workspace.empty()) {
    return fail(Code::kInvalid, "an import needs an id, a platform and a workspace: " + row.id);
  }
  auto known = reads_.get(row.id);
  if (!known && known.error().code == Code::kNotFound) return insert(row);
  if (!known) return tl::unexpected(known.error());
  if (known->platform != row.platform || known->workspace != row.workspace) {
    return fail(Code::kConflict, "import " + row.id + " is of " + known->platform + ", workspace " + known->workspace +
                                     ": start another one for " + row.platform + ", workspace " + row.workspace);
  }
  return take_over_.bind(1, row.id).bind(2, row.title).bind(3, row.credential).bind(4, row.input).run();
}

Result<> ImportWrites::insert(const ImportRow& row) {
  insert_.bind(1, row.id).bind(2, row.platform).bind(3, row.workspace).bind(4, row.title).bind(5, row.credential);
  TRY_VOID(insert_.bind(6, row.input).bind(7, row.created_ms).run());
  const std::int64_t import = db_.last_insert_rowid();
  TRY_VOID(insert_lane(import, Lane::kFirst, row.first));
  return insert_lane(import, Lane::kBulk, row.bulk);
}

Result<> ImportWrites::insert_lane(std::int64_t import, Lane lane, const LaneRow& row) {
  insert_lane_.bind(1, import).bind(2, static_cast<int>(lane));
  bind_lane(insert_lane_, 3, row);
  return insert_lane_.run();
}

Result<> ImportWrites::set_lane(const std::string& id, Lane lane, const LaneRow& row, std::int64_t at_ms) {
  TRY(const std::int64_t import, reads_.number(id));
  TRY_VOID(touch_.bind(1, import).run());
  set_lane_.bind(1, import).bind(2, static_cast<int>(lane));
  bind_lane(set_lane_, 3, row);
  TRY_VOID(set_lane_.run());
  return append_timeline_.bind(1, import).bind(2, static_cast<int>(lane)).bind(3, at_ms).run();
}

Result<> ImportWrites::must_change(Statement& statement, const std::string& id) {
  TRY_VOID(statement.run());
  if (db_.changes() == 0) return no_import(id);
  return {};
}

Result<> ImportWrites::set_cursor(const std::string& id, const std::string& cursor, bool enumerated) {
  return must_change(set_cursor_.bind(1, id).bind(2, cursor).bind(3, enumerated ? 1 : 0), id);
}

Result<> ImportWrites::set_first_ready(const std::string& id, std::int64_t at_ms) {
  return must_change(set_first_ready_.bind(1, id).bind(2, at_ms), id);
}

Result<> ImportWrites::close(const std::string& id, std::int64_t at_ms, const std::string& report) {
  return must_change(close_.bind(1, id).bind(2, at_ms).bind(3, report), id);
}

Result<> ImportWrites::reopen(const std::string& id) { return must_change(reopen_.bind(1, id), id); }

Result<> ImportWrites::count(std::int64_t import, Lane lane, const Tally& change) {
  if (change.empty()) return {};
  ENSURE(change.counters.add_up());
  const Counters& c = change.counters;
  count_.bind(1, import).bind(2, static_cast<int>(lane)).bind(3, c.found).bind(4, c.registered).bind(5, c.duplicate);
  count_.bind(6, c.skipped).bind(7, c.failed).bind(8, c.pending).bind(9, change.staged).bind(10, c.media_bytes);
  TRY_VOID(count_.run());
  return touch_.bind(1, import).run();
}

}  // namespace callimport::storage
