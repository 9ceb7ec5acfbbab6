#include "storage/library/progress.h"

#include <algorithm>
#include <map>

#include "storage/library/manifest.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

constexpr std::int64_t kMinuteMs = 60'000;

/// Rounds down, also before 1970.
std::int64_t span_start(std::int64_t at_min, std::int64_t minutes) {
  const std::int64_t rest = ((at_min % minutes) + minutes) % minutes;
  return at_min - rest;
}

PaceSpan read_span(const Statement& row) {
  return {.at_ms = row.integer(0) * kMinuteMs, .minutes = row.integer(1), .calls = row.integer(2)};
}

Attempt read_attempt(const Statement& row) {
  return {.number = static_cast<int>(row.integer(0)),
          .at_ms = row.integer(1),
          .took_ms = row.integer(2),
          .outcome = row.text(3),
          .cause = row.text(4),
          .detail = row.text(5)};
}

FoundCall read_found(const Statement& row) {
  return {.source_id = row.text(0),
          .start_ms = row.integer(1),
          .state = static_cast<CallState>(row.integer(2)),
          .call = row.text(3),
          .user = row.text(4),
          .user_name = row.text(5),
          .duration_ms = row.integer(6)};
}

}  // namespace

ProgressReads::ProgressReads(Database& db, ImportReads& imports)
    : imports_(imports),
      pace_(db, "SELECT at_min, minutes, calls FROM pace WHERE import = ?1 ORDER BY at_min"),
      attempts_(db,
                "SELECT seq, at_ms, took_ms, outcome, cause, detail FROM attempt WHERE import = ?1 AND source_id = ?2"
                " ORDER BY seq"),
      found_(db,
             "SELECT m.source_id, m.start_ms, m.state, coalesce(c.id, ''),"
             " coalesce((SELECT CASE p.email WHEN '' THEN p.name ELSE p.email END FROM participant p"
             "  WHERE p.call = c.number AND p.host = 1 ORDER BY p.seq LIMIT 1), ''),"
             " coalesce((SELECT p.name FROM participant p WHERE p.call = c.number AND p.host = 1"
             "  ORDER BY p.seq LIMIT 1), ''),"
             " coalesce(c.duration_ms, m.duration_ms, 0)"
             " FROM manifest m JOIN import i ON i.number = m.import LEFT JOIN call c ON m.state IN (2, 3)"
             "  AND c.platform = i.platform AND c.workspace = i.workspace AND c.source_id = m.source_id"
             " WHERE m.import = ?1 AND m.source_id > ?2 ORDER BY m.source_id LIMIT ?3"),
      report_(db, "SELECT body FROM report WHERE import = ?1") {}

Result<std::vector<PaceSpan>> ProgressReads::pace(const std::string& import) {
  TRY(const std::int64_t number, imports_.number(import));
  return all_rows(pace_.bind(1, number), read_span);
}

Result<std::vector<Attempt>> ProgressReads::attempts(const std::string& import, const std::string& source_id) {
  TRY(const std::int64_t number, imports_.number(import));
  return all_rows(attempts_.bind(1, number).bind(2, source_id), read_attempt);
}

Result<std::vector<FoundCall>> ProgressReads::found_calls(const std::string& import, const std::string& after_source_id,
                                                          int limit) {
  TRY(const std::int64_t number, imports_.number(import));
  return all_rows(found_.bind(1, number).bind(2, after_source_id).bind(3, limit), read_found);
}

Result<std::string> ProgressReads::report(const std::string& import) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(auto body, first_row(report_.bind(1, number), [](const Statement& row) { return row.text(0); }));
  return std::move(body).value_or("");
}

ProgressWrites::ProgressWrites(Database& db, ImportReads& imports)
    : imports_(imports),
      width_(db, "SELECT coalesce(max(minutes), 1), count(*) FROM pace WHERE import = ?1"),
      add_span_(db,
                "INSERT INTO pace(import, at_min, minutes, calls) VALUES(?1, ?2, ?3, ?4)"
                " ON CONFLICT(import, at_min) DO UPDATE SET calls = calls + excluded.calls"),
      spans_(db, "SELECT at_min, calls FROM pace WHERE import = ?1"),
      drop_spans_(db, "DELETE FROM pace WHERE import = ?1"),
      next_attempt_(db, "SELECT coalesce(max(seq), 0) + 1 FROM attempt WHERE import = ?1 AND source_id = ?2"),
      add_attempt_(db,
                   "INSERT INTO attempt(import, source_id, seq, at_ms, took_ms, outcome, cause, detail)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      drop_attempts_(db, "DELETE FROM attempt WHERE import = ?1 AND source_id = ?2 AND seq <= ?3"),
      see_cause_(db,
                 "INSERT INTO cause_seen(import, cause, first_ms, last_ms) SELECT ?1, ?2, ?3, ?3"
                 " WHERE (SELECT count(*) FROM cause_seen WHERE import = ?1) < ?4"
                 "  OR EXISTS(SELECT 1 FROM cause_seen WHERE import = ?1 AND cause = ?2)"
                 " ON CONFLICT(import, cause) DO UPDATE SET first_ms = min(first_ms, excluded.first_ms),"
                 "  last_ms = max(last_ms, excluded.last_ms),"
                 "  came_back_ms = iif(tried_again = 1, excluded.last_ms, came_back_ms), tried_again = 0"),
      put_report_(db,
                  "INSERT INTO report(import, body) VALUES(?1, ?2)"
                  " ON CONFLICT(import) DO UPDATE SET body = excluded.body") {}

Result<> ProgressWrites::add_pace(const std::string& import, std::int64_t at_ms, std::int64_t calls) {
  if (calls <= 0) return {};
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const auto known, first_row(width_.bind(1, number),
                                  [](const Statement& row) { return std::pair{row.integer(0), row.integer(1)}; }));
  const std::int64_t minutes = known->first;
  const std::int64_t at_min = span_start(span_start(at_ms, kMinuteMs) / kMinuteMs, minutes);
  TRY_VOID(add_span_.bind(1, number).bind(2, at_min).bind(3, minutes).bind(4, calls).run());
  if (known->second < kPaceSpansMax) return {};
  return merge_spans(number, minutes * 2);
}

Result<> ProgressWrites::merge_spans(std::int64_t import, std::int64_t minutes) {
  std::map<std::int64_t, std::int64_t> merged;
  const auto take = [&](const Statement& row) { return merged[span_start(row.integer(0), minutes)] += row.integer(1); };
  TRY_VOID(all_rows(spans_.bind(1, import), take));
  TRY_VOID(drop_spans_.bind(1, import).run());
  for (const auto& [at_min, calls] : merged) {
    TRY_VOID(add_span_.bind(1, import).bind(2, at_min).bind(3, minutes).bind(4, calls).run());
  }
  return {};
}

Result<> ProgressWrites::add_attempt(const std::string& import, const std::string& source_id, const Attempt& attempt) {
  TRY(const std::int64_t number, imports_.number(import));
  TRY(const auto seq,
      first_row(next_attempt_.bind(1, number).bind(2, source_id), [](const Statement& row) { return row.integer(0); }));
  add_attempt_.bind(1, number).bind(2, source_id).bind(3, *seq).bind(4, attempt.at_ms).bind(5, attempt.took_ms);
  add_attempt_.bind(6, attempt.outcome).bind(7, attempt.cause);
  TRY_VOID(add_attempt_.bind(8, clipped(attempt.detail, kManifestDetailBytesMax)).run());
  if (*seq <= kAttemptsKept) return {};
  return drop_attempts_.bind(1, number).bind(2, source_id).bind(3, *seq - kAttemptsKept).run();
}

Result<> ProgressWrites::see_cause(const std::string& import, const std::string& cause, std::int64_t at_ms) {
  TRY(const std::int64_t number, imports_.number(import));
  return see_cause_.bind(1, number).bind(2, cause).bind(3, at_ms).bind(4, kCausesMax).run();
}

Result<> ProgressWrites::put_report(const std::string& import, const std::string& body) {
  if (body.size() > kReportBytesMax) {
    return fail(Code::kInvalid, "the report of import " + import + " has " + std::to_string(body.size()) +
                                    " bytes, at most " + std::to_string(kReportBytesMax) + " are kept");
  }
  TRY(const std::int64_t number, imports_.number(import));
  return put_report_.bind(1, number).bind(2, body).run();
}

}  // namespace callimport::storage
