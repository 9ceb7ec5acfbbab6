#include "storage/library/manifest.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>

#include "storage/model/ensure.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

#define CALLIMPORT_MANIFEST_COLUMNS                                                                            \
  "source_id, start_ms, title, media_type, duration_ms, lane, position, state, cause, detail, not_before_ms, " \
  "attempts, repeats, set_aside"

/// Rows one statement may change: until it ends, SQLite holds the pages it touched as they were, in memory.
#define CALLIMPORT_PORTION "1000"

ManifestRow read_row(const Statement& row, const std::string& import) {
  return {.import = import,
          .source_id = row.text(0),
          .start_ms = row.integer(1),
          .title = row.text(2),
          .media_type = row.text(3),
          .duration_ms = optional_integer(row, 4),
          .lane = static_cast<Lane>(row.integer(5)),
          .position = row.integer(6),
          .state = static_cast<CallState>(row.integer(7)),
          .cause = row.text(8),
          .detail = row.text(9),
          .not_before_ms = optional_integer(row, 10),
          .attempts = static_cast<int>(row.integer(11)),
          .repeats = row.text(12),
          .set_aside = row.integer(13) != 0};
}

auto reader_for(const std::string& import) {
  return [&import](const Statement& row) { return read_row(row, import); };
}

bool before(const ManifestRow& a, const ManifestRow& b) {
  return std::tie(a.position, a.source_id) < std::tie(b.position, b.source_id);
}

bool is_final(CallState state) { return state != CallState::kPending && state != CallState::kStaged; }

/// Only an attempt that ended is one: fetched, or failed at it.
bool ends_attempt(CallState from, CallState to) {
  return from == CallState::kPending && (to == CallState::kStaged || to == CallState::kFailed);
}

}  // namespace

std::string clipped(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

ManifestReads::ManifestReads(Database& db, ImportReads& imports)
    : imports_(imports),
      all_(db, "SELECT " CALLIMPORT_MANIFEST_COLUMNS
               " FROM manifest WHERE import = ?1 AND source_id > ?2 AND (?4 = '' OR cause = ?4)"
               " ORDER BY source_id LIMIT ?3"),
      in_state_(db, "SELECT " CALLIMPORT_MANIFEST_COLUMNS
                    " FROM manifest WHERE import = ?1 AND source_id > ?2 AND state = ?4 AND (?5 = '' OR cause = ?5)"
                    " ORDER BY source_id LIMIT ?3"),
      in_trouble_(db,
                  "SELECT " CALLIMPORT_MANIFEST_COLUMNS
                  " FROM manifest INDEXED BY manifest_trouble WHERE import = ?1 AND source_id > ?2 AND state IN (4, 5)"
                  " AND state = ?4 AND (?5 = '' OR cause = ?5) ORDER BY source_id LIMIT ?3"),
      without_words_(db, "SELECT " CALLIMPORT_MANIFEST_COLUMNS
                         " FROM manifest WHERE import = ?1 AND source_id > ?2 AND state = 2 AND source_id IN"
                         " (SELECT source_id FROM call WHERE import = ?4 AND transcript_state = ?5)"
                         " ORDER BY source_id LIMIT ?3"),
      one_(db, "SELECT " CALLIMPORT_MANIFEST_COLUMNS " FROM manifest WHERE import = ?1 AND source_id = ?2"),
      problems_(
          db,
          "SELECT m.cause, max(detail), count(*) AS calls, sum(state = 5), min(source_id), s.first_ms, s.last_ms, "
          "s.came_back_ms, sum(set_aside) FROM manifest m INDEXED BY manifest_trouble"
          " LEFT JOIN cause_seen s ON s.import = m.import AND s.cause = m.cause"
          " WHERE m.import = ?1 AND state IN (4, 5) GROUP BY m.cause ORDER BY calls DESC, m.cause"),
      wordless_(db,
                "SELECT 'transcript.' || transcript_state,"
                " CASE transcript_state WHEN 'missing' THEN 'the platform has no transcript; the call came across'"
                " ELSE 'no transcript could be made; the call came across' END,"
                " count(*) AS calls, 0, min(source_id), s.first_ms, s.last_ms, s.came_back_ms, 0 FROM call c"
                " LEFT JOIN cause_seen s ON s.import = ?2 AND s.cause = 'transcript.' || transcript_state"
                " WHERE c.import = ?1 AND transcript_state IN ('missing', 'failed') GROUP BY transcript_state"),
      earliest_(db,
                "SELECT min(not_before_ms) FROM manifest WHERE import = ?1 AND lane = ?2 AND state = 0"
                " AND not_before_ms IS NOT NULL"),
      failed_(db,
              "SELECT count(*) FROM manifest INDEXED BY manifest_trouble WHERE import = ?1 AND state IN (4, 5)"
              " AND state = 5 AND (?2 = '' OR cause = ?2)"),
      named_(db, "SELECT source_id FROM named_call WHERE import = ?1 ORDER BY source_id"),
      shared_(db,
              "SELECT EXISTS (SELECT 1 FROM manifest m JOIN call c ON c.id = m.repeats WHERE m.import = ?1"
              "  AND m.source_id = ?2 AND m.repeats <> '' AND c.privacy <> 'private')"
              " OR EXISTS (SELECT 1 FROM manifest m JOIN import i ON i.number = m.import JOIN call c"
              "  ON c.platform = i.platform AND c.workspace = i.workspace AND c.source_id = m.source_id"
              "  WHERE m.import = ?1 AND m.source_id = ?2 AND m.repeats = '' AND c.privacy <> 'private')") {}

Result<ManifestCounts> ManifestReads::counts(const std::string& import, Lane lane) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const Tally tally, imports_.tally(number, lane));
  earliest_.bind(1, number).bind(2, static_cast<int>(lane));
  TRY(const auto earliest, first_row(earliest_, [](const Statement& row) { return optional_integer(row, 0); }));
  return ManifestCounts{.pending = tally.counters.pending - tally.staged,
                        .staged = tally.staged,
                        .total = tally.counters.found,
                        .earliest_not_before_ms = earliest.value_or(std::nullopt)};
}

Result<std::vector<ManifestRow>> ManifestReads::rows(const std::string& import, std::optional<CallState> state,
                                                     const std::string& cause, const std::string& after_source_id,
                                                     int limit) {
  TRY(const std::int64_t number, imports_.number(import));
  const auto wordless = wordless_state(cause);
  if (!wordless.empty() && state.value_or(CallState::kRegistered) == CallState::kRegistered) {
    without_words_.bind(1, number).bind(2, after_source_id).bind(3, limit).bind(4, import).bind(5, wordless);
    return all_rows(without_words_, reader_for(import));
  }
  const bool in_trouble = state == CallState::kFailed || state == CallState::kSkipped;
  Statement& statement = !state ? all_ : in_trouble ? in_trouble_ : in_state_;
  statement.bind(1, number).bind(2, after_source_id).bind(3, limit);
  if (state)
    statement.bind(4, static_cast<int>(*state)).bind(5, cause);
  else
    statement.bind(4, cause);
  return all_rows(statement, reader_for(import));
}

Result<std::optional<ManifestRow>> ManifestReads::row(const std::string& import, const std::string& source_id) {
  TRY(const std::int64_t number, imports_.number(import));
  return first_row(one_.bind(1, number).bind(2, source_id), reader_for(import));
}

Result<bool> ManifestReads::is_shared(const std::string& import, const std::string& source_id) {
  TRY(const std::int64_t number, imports_.number(import));
  shared_.bind(1, number).bind(2, source_id);
  TRY(const auto shared, first_row(shared_, [](const Statement& row) { return row.integer(0) != 0; }));
  return shared.value_or(false);
}

Result<std::vector<std::string>> ManifestReads::named(const std::string& import) {
  return all_rows(named_.bind(1, import), [](const Statement& row) { return row.text(0); });
}

Result<std::vector<Problem>> ManifestReads::problems(const std::string& import) {
  const auto read = [](const Statement& row) {
    return Problem{.cause = row.text(0),
                   .detail = row.text(1),
                   .calls = row.integer(2),
                   .failed = row.integer(3),
                   .example = row.text(4),
                   .first_ms = optional_integer(row, 5),
                   .last_ms = optional_integer(row, 6),
                   .came_back_ms = optional_integer(row, 7),
                   .set_aside = row.integer(8)};
  };
  TRY(const std::int64_t number, imports_.number(import));
  TRY(auto problems, all_rows(problems_.bind(1, number), read));
  TRY(auto wordless, all_rows(wordless_.bind(1, import).bind(2, number), read));
  if (wordless.empty()) return problems;
  problems.insert(problems.end(), std::make_move_iterator(wordless.begin()), std::make_move_iterator(wordless.end()));
  std::sort(problems.begin(), problems.end(),
            [](const auto& a, const auto& b) { return std::tie(b.calls, a.cause) < std::tie(a.calls, b.cause); });
  return problems;
}

Result<std::int64_t> ManifestReads::failed(const std::string& import, const std::string& cause) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const auto calls,
      first_row(failed_.bind(1, number).bind(2, cause), [](const Statement& row) { return row.integer(0); }));
  return calls.value_or(0);
}

ManifestWrites::ManifestWrites(Database& db, ImportReads& imports, ImportWrites& counters)
    : db_(db),
      imports_(imports),
      counters_(counters),
      set_repeats_(db, "UPDATE manifest SET repeats = ?3 WHERE import = ?1 AND source_id = ?2"),
      workspace_(db, "SELECT platform, workspace FROM import WHERE number = ?1"),
      registered_(db, "SELECT id FROM call WHERE platform = ?1 AND workspace = ?2 AND source_id = ?3"),
      insert_(db,
              "INSERT INTO manifest(import, source_id, lane, state, position, start_ms, duration_ms, not_before_ms, "
              "attempts,"
              " media_type, title, cause, detail, repeats)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11, ?12, ?13)"
              " ON CONFLICT(import, source_id) DO NOTHING"),
      find_(db, "SELECT lane, state FROM manifest WHERE import = ?1 AND source_id = ?2"),
      move_(db,
            "UPDATE manifest SET state = ?3, cause = ?4, detail = ?5, attempts = attempts + ?6, not_before_ms = NULL"
            " WHERE import = ?1 AND source_id = ?2"),
      put_off_(db,
               "UPDATE manifest SET not_before_ms = ?3, attempts = attempts + 1 WHERE import = ?1 AND source_id = ?2"),
      fresh_(db, "SELECT " CALLIMPORT_MANIFEST_COLUMNS
                 " FROM manifest INDEXED BY manifest_to_fetch WHERE import = ?1 AND lane = ?2 AND state = 0"
                 " AND not_before_ms IS NULL ORDER BY position, source_id LIMIT ?3"),
      due_(db, "SELECT " CALLIMPORT_MANIFEST_COLUMNS
               " FROM manifest INDEXED BY manifest_put_off WHERE import = ?1 AND lane = ?2 AND state = 0"
               " AND not_before_ms IS NOT NULL AND not_before_ms <= ?4 ORDER BY not_before_ms, source_id LIMIT ?3"),
      // The last of the first lane: of its rows so far and of what waits in the bulk, the ?2-th by position.
      boundary_(db,
                "SELECT position, source_id FROM ("
                " SELECT * FROM (SELECT position, source_id FROM manifest INDEXED BY manifest_first"
                "  WHERE import = ?1 AND lane = 0 ORDER BY position, source_id LIMIT ?2)"
                " UNION ALL SELECT * FROM (SELECT position, source_id FROM manifest INDEXED BY manifest_to_fetch"
                "  WHERE import = ?1 AND lane = 1 AND state = 0 AND not_before_ms IS NULL ORDER BY position, source_id "
                "LIMIT ?2)"
                " UNION ALL SELECT * FROM (SELECT position, source_id FROM manifest INDEXED BY manifest_put_off"
                "  WHERE import = ?1 AND lane = 1 AND state = 0 AND not_before_ms IS NOT NULL"
                "  ORDER BY position, source_id LIMIT ?2)"
                ") ORDER BY position, source_id LIMIT 1 OFFSET ?2 - 1"),
      crossings_{
          Crossing{
              Lane::kFirst,
              Statement(db,
                        "SELECT state, count(*) FROM manifest INDEXED BY manifest_first WHERE import = ?1 AND lane = 0"
                        " AND (position, source_id) > (?2, ?3) GROUP BY state"),
              Statement(db,
                        "UPDATE manifest SET lane = 1 WHERE import = ?1 AND source_id IN (SELECT source_id"
                        " FROM manifest INDEXED BY manifest_first WHERE import = ?1 AND lane = 0"
                        " AND (position, source_id) > (?2, ?3) LIMIT " CALLIMPORT_PORTION ")")},
          Crossing{
              Lane::kBulk,
              Statement(db,
                        "SELECT 0, count(*) FROM manifest INDEXED BY manifest_to_fetch WHERE import = ?1 AND lane = 1"
                        " AND state = 0 AND not_before_ms IS NULL AND (position, source_id) <= (?2, ?3)"),
              Statement(db,
                        "UPDATE manifest SET lane = 0 WHERE import = ?1 AND source_id IN (SELECT source_id"
                        " FROM manifest INDEXED BY manifest_to_fetch WHERE import = ?1 AND lane = 1 AND state = 0"
                        " AND not_before_ms IS NULL AND (position, source_id) <= (?2, ?3) LIMIT " CALLIMPORT_PORTION
                        ")")},
          Crossing{
              Lane::kBulk,
              Statement(db,
                        "SELECT 0, count(*) FROM manifest INDEXED BY manifest_put_off WHERE import = ?1 AND lane = 1"
                        " AND state = 0 AND not_before_ms IS NOT NULL AND (position, source_id) <= (?2, ?3)"),
              Statement(db,
                        "UPDATE manifest SET lane = 0 WHERE import = ?1 AND source_id IN (SELECT source_id"
                        " FROM manifest INDEXED BY manifest_put_off WHERE import = ?1 AND lane = 1 AND state = 0"
                        " AND not_before_ms IS NOT NULL AND (position, source_id) <= (?2, ?3) LIMIT " CALLIMPORT_PORTION
                        ")")}},
      failed_by_lane_(
          db,
          "SELECT lane, count(*) FROM manifest INDEXED BY manifest_trouble WHERE import = ?1 AND state IN (4, 5)"
          " AND state = 5 AND (?2 = '' OR cause = ?2) AND cause <> ?3 GROUP BY lane"),
      retry_(db,
             "UPDATE manifest SET state = 0, cause = '', detail = '', not_before_ms = NULL WHERE import = ?1 AND "
             "source_id IN"
             " (SELECT source_id FROM manifest INDEXED BY manifest_trouble WHERE import = ?1 AND state IN (4, 5) AND "
             "state = 5"
             " AND (?2 = '' OR cause = ?2) AND cause <> ?3 LIMIT " CALLIMPORT_PORTION ")"),
      retry_one_(db,
                 "UPDATE manifest SET state = 0, cause = '', detail = '', not_before_ms = NULL"
                 " WHERE import = ?1 AND source_id = ?2 AND state = 5 AND cause <> ?3 RETURNING lane"),
      forget_names_(db, "DELETE FROM named_call WHERE import = ?1"),
      name_(db, "INSERT INTO named_call(import, source_id) VALUES(?1, ?2) ON CONFLICT DO NOTHING"),
      // Causes of which every call was taken up; those of calls that came without words are words.h's.
      tried_again_(db,
                   "UPDATE cause_seen SET tried_again = 1 WHERE import = ?1 AND cause NOT GLOB 'transcript.*'"
                   " AND NOT EXISTS (SELECT 1 FROM manifest m INDEXED BY manifest_trouble WHERE m.import = ?1"
                   "  AND m.state IN (4, 5) AND m.state = 5 AND m.cause = cause_seen.cause)") {}

Result<std::int64_t> ManifestWrites::add(const std::string& import, const std::vector<ManifestRow>& rows,
                                         const LaneOrder& order, DuplicatePolicy policy) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const auto workspace,
      first_row(workspace_.bind(1, number), [](const Statement& row) { return std::pair{row.text(0), row.text(1)}; }));
  ENSURE(workspace.has_value());
  std::array<Tally, 2> added;
  for (const auto& row : rows) {
    if (row.source_id.empty()) return fail(Code::kInvalid, "a call of import " + import + " without an id of its own");
    if (row.state != CallState::kPending && row.state != CallState::kSkipped && row.state != CallState::kFailed) {
      return fail(Code::kInvalid, "a call comes into a manifest pending, skipped or failed, not " +
                                      std::string(to_string(row.state)) + ": " + clipped(row.source_id, 100));
    }
    registered_.bind(1, workspace->first).bind(2, workspace->second).bind(3, row.source_id);
    TRY(const auto known, first_row(registered_, [](const Statement& call) { return call.text(0); }));
    const CallState state = known && policy == DuplicatePolicy::kSkip ? CallState::kDuplicate : row.state;
    TRY(const bool is_new, insert(number, row, position_for(row, order), state, known.value_or("")));
    if (is_new) added[static_cast<std::size_t>(row.lane)].add(state, 1);
  }
  TRY_VOID(counters_.count(number, Lane::kFirst, added[0]));
  TRY_VOID(counters_.count(number, Lane::kBulk, added[1]));
  return added[0].counters.found + added[1].counters.found;
}

Result<> ManifestWrites::name(const std::string& import, const std::vector<std::string>& source_ids) {
  if (source_ids.size() > kNamedCallsMax) {
    return fail(Code::kInvalid, "an import names " + std::to_string(kNamedCallsMax) + " calls at most, not " +
                                    std::to_string(source_ids.size()));
  }
  TRY_VOID(forget_names_.bind(1, import).run());
  for (const auto& id : source_ids) {
    if (id.empty()) return fail(Code::kInvalid, "a call named for import " + import + " without an id");
    TRY_VOID(name_.bind(1, import).bind(2, id).run());
  }
  return {};
}

Result<bool> ManifestWrites::insert(std::int64_t import, const ManifestRow& row, std::int64_t position, CallState state,
                                    const std::string& repeats) {
  const bool waits = state == CallState::kPending;
  const bool known = state == CallState::kDuplicate;
  insert_.bind(1, import).bind(2, row.source_id).bind(3, static_cast<int>(row.lane)).bind(4, static_cast<int>(state));
  insert_.bind(5, position).bind(6, row.start_ms).bind(7, row.duration_ms);
  insert_.bind(8, waits ? row.not_before_ms : std::nullopt).bind(9, row.media_type);
  insert_.bind(10, clipped(row.title, kManifestTitleBytesMax));
  insert_.bind(11, known ? "duplicate.skipped" : waits ? "" : row.cause);
  insert_.bind(12, known || waits ? "" : clipped(row.detail, kManifestDetailBytesMax));
  TRY_VOID(insert_.bind(13, repeats).run());
  return db_.changes() != 0;
}

Result<> ManifestWrites::prioritize(const std::string& import, std::int64_t first_lane) {
  if (first_lane < 0) return fail(Code::kInvalid, "the first lane cannot have fewer than no calls");
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const Boundary end, end_of_first_lane(number, std::min(first_lane, kFirstLaneCallsMax)));
  for (auto& crossing : crossings_) TRY_VOID(cross(number, crossing, end));
  return {};
}

Result<ManifestWrites::Boundary> ManifestWrites::end_of_first_lane(std::int64_t import, std::int64_t calls) {
  const Boundary before_all{std::numeric_limits<std::int64_t>::min(), ""};
  const Boundary after_all{std::numeric_limits<std::int64_t>::max(), "\xff"};  // no UTF-8 text sorts after this byte
  if (calls == 0) return before_all;
  TRY(auto last, first_row(boundary_.bind(1, import).bind(2, calls),
                           [](const Statement& row) { return Boundary{row.integer(0), row.text(1)}; }));
  return std::move(last).value_or(after_all);
}

Result<> ManifestWrites::cross(std::int64_t import, Crossing& crossing, const Boundary& end) {
  Tally gained, lost;
  const auto count = [&](const Statement& row) {
    gained.add(static_cast<CallState>(row.integer(0)), row.integer(1));
    lost.add(static_cast<CallState>(row.integer(0)), -row.integer(1));
    return true;
  };
  crossing.count.bind(1, import).bind(2, end.position).bind(3, end.source_id);
  TRY_VOID(all_rows(crossing.count, count));
  if (gained.empty()) return {};
  for (std::int64_t moved = 0; moved < gained.counters.found; moved += db_.changes()) {
    TRY_VOID(crossing.move.bind(1, import).bind(2, end.position).bind(3, end.source_id).run());
    ENSURE(db_.changes() > 0);
  }
  TRY_VOID(counters_.count(import, crossing.from, lost));
  return counters_.count(import, crossing.from == Lane::kFirst ? Lane::kBulk : Lane::kFirst, gained);
}

Result<std::vector<ManifestRow>> ManifestWrites::next_pending(const std::string& import, Lane lane, std::int64_t now_ms,
                                                              int limit) {
  if (limit <= 0) return std::vector<ManifestRow>{};
  TRY(const std::int64_t number, imports_.number(import));
  fresh_.bind(1, number).bind(2, static_cast<int>(lane)).bind(3, limit);
  TRY(auto fresh, all_rows(fresh_, reader_for(import)));
  due_.bind(1, number).bind(2, static_cast<int>(lane)).bind(3, limit).bind(4, now_ms);
  TRY(auto rows, all_rows(due_, reader_for(import)));
  std::move(fresh.begin(), fresh.end(), std::back_inserter(rows));
  std::sort(rows.begin(), rows.end(), before);
  if (std::ssize(rows) > limit) rows.erase(rows.begin() + limit, rows.end());
  return rows;
}

Result<ManifestWrites::Place> ManifestWrites::find(const std::string& import, const std::string& source_id) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(auto found, first_row(find_.bind(1, number).bind(2, source_id), [&](const Statement& row) {
        return Place{number, source_id, static_cast<Lane>(row.integer(0)), static_cast<CallState>(row.integer(1))};
      }));
  if (!found) return fail(Code::kNotFound, "import " + import + " has no call " + clipped(source_id, 100));
  return *std::move(found);
}

Result<> ManifestWrites::move(const Place& place, CallState to, std::string_view cause, std::string_view detail,
                              std::int64_t media_bytes) {
  if (is_final(place.state)) {
    if (place.state == to) return {};
    return fail(Code::kConflict, "call " + clipped(place.source_id, 100) + " is " +
                                     std::string(to_string(place.state)) + " already, it cannot become " +
                                     std::string(to_string(to)));
  }
  move_.bind(1, place.import).bind(2, place.source_id).bind(3, static_cast<int>(to));
  move_.bind(4, is_final(to) ? cause : "").bind(5, is_final(to) ? clipped(detail, kManifestDetailBytesMax) : "");
  TRY_VOID(move_.bind(6, ends_attempt(place.state, to) ? 1 : 0).run());
  Tally change;
  change.add(place.state, -1);
  change.add(to, 1);
  change.counters.media_bytes = media_bytes;
  return counters_.count(place.import, place.lane, change);
}

Result<> ManifestWrites::repeat(const Place& place, const std::string& call, std::string_view cause) {
  TRY_VOID(move(place, CallState::kDuplicate, cause, "repeats " + call, 0));
  return set_repeats_.bind(1, place.import).bind(2, place.source_id).bind(3, call).run();
}

Result<> ManifestWrites::put_off(const std::string& import, const std::string& source_id, std::int64_t not_before_ms) {
  TRY(const Place place, find(import, source_id));
  if (place.state != CallState::kPending) {
    return fail(Code::kConflict, "call " + clipped(source_id, 100) + " is " + std::string(to_string(place.state)) +
                                     ", only a pending one can be put off");
  }
  return put_off_.bind(1, place.import).bind(2, source_id).bind(3, not_before_ms).run();
}

Result<std::int64_t> ManifestWrites::retry_failed(const std::string& import, const std::string& cause) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const auto by_lane,
      all_rows(failed_by_lane_.bind(1, number).bind(2, cause).bind(3, kCauseIdUnusable),
               [](const Statement& row) { return std::pair{static_cast<Lane>(row.integer(0)), row.integer(1)}; }));
  do {
    TRY_VOID(retry_.bind(1, number).bind(2, cause).bind(3, kCauseIdUnusable).run());
  } while (db_.changes() != 0);
  std::int64_t retried = 0;
  for (const auto& [lane, calls] : by_lane) {
    Tally change;
    change.add(CallState::kFailed, -calls);
    change.add(CallState::kPending, calls);
    TRY_VOID(counters_.count(number, lane, change));
    retried += calls;
  }
  if (retried > 0) TRY_VOID(tried_again_.bind(1, number).run());
  return retried;
}

Result<std::int64_t> ManifestWrites::retry_calls(const std::string& import,
                                                 const std::vector<std::string>& source_ids) {
  TRY(const std::int64_t number, imports_.number(import));
  std::array<Tally, 2> changed;
  std::int64_t retried = 0;
  for (const auto& source_id : source_ids) {
    retry_one_.bind(1, number).bind(2, source_id).bind(3, kCauseIdUnusable);
    TRY(const auto lanes, all_rows(retry_one_, [](const Statement& row) { return row.integer(0); }));
    for (const auto lane : lanes) {
      auto& tally = changed.at(static_cast<std::size_t>(lane));
      tally.add(CallState::kFailed, -1);
      tally.add(CallState::kPending, 1);
      ++retried;
    }
  }
  TRY_VOID(counters_.count(number, Lane::kFirst, changed[0]));
  TRY_VOID(counters_.count(number, Lane::kBulk, changed[1]));
  if (retried > 0) TRY_VOID(tried_again_.bind(1, number).run());
  return retried;
}

}  // namespace callimport::storage
