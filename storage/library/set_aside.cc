#include "storage/library/set_aside.h"

#include <array>
#include <utility>

#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

// Calls of import ?1, of cause ?2 or of any. They stay in the index of those in trouble, whichever way they go.
#define CALLIMPORT_FAILED                                                                                        \
  " FROM manifest INDEXED BY manifest_trouble WHERE import = ?1 AND state IN (4, 5) AND (?2 = '' OR cause = ?2)" \
  " AND state = 5"
#define CALLIMPORT_ASIDE                                                                                         \
  " FROM manifest INDEXED BY manifest_trouble WHERE import = ?1 AND state IN (4, 5) AND (?2 = '' OR cause = ?2)" \
  " AND state = 4 AND set_aside = 1"
/// Rows one statement may change: until it ends, SQLite holds the pages it touched as they were, in memory.
#define CALLIMPORT_PORTION " LIMIT 1000)"

}  // namespace

SetAsideReads::SetAsideReads(Database& db, ImportReads& imports)
    : imports_(imports), causes_(db, "SELECT cause FROM cause_seen WHERE import = ?1 ORDER BY cause") {}

Result<std::vector<std::string>> SetAsideReads::causes_met(const std::string& import) {
  TRY(const std::int64_t number, imports_.number(import));
  return all_rows(causes_.bind(1, number), [](const Statement& row) { return row.text(0); });
}

SetAsideWrites::SetAsideWrites(Database& db, ImportReads& imports, ImportWrites& counters)
    : db_(db),
      imports_(imports),
      counters_(counters),
      aside_{CallState::kFailed, CallState::kSkipped,
             Statement(db, "SELECT lane, count(*)" CALLIMPORT_FAILED " GROUP BY lane"),
             Statement(db,
                       "UPDATE manifest SET state = 4, set_aside = 1 WHERE import = ?1 AND source_id IN"
                       " (SELECT source_id" CALLIMPORT_FAILED CALLIMPORT_PORTION),
             Statement(db,
                       "UPDATE manifest SET state = 4, set_aside = 1"
                       " WHERE import = ?1 AND source_id = ?2 AND state = 5 RETURNING lane")},
      back_{CallState::kSkipped, CallState::kFailed,
            Statement(db, "SELECT lane, count(*)" CALLIMPORT_ASIDE " GROUP BY lane"),
            Statement(db,
                      "UPDATE manifest SET state = 5, set_aside = 0 WHERE import = ?1 AND source_id IN"
                      " (SELECT source_id" CALLIMPORT_ASIDE CALLIMPORT_PORTION),
            Statement(db,
                      "UPDATE manifest SET state = 5, set_aside = 0"
                      " WHERE import = ?1 AND source_id = ?2 AND state = 4 AND set_aside = 1 RETURNING lane")} {}

Result<std::int64_t> SetAsideWrites::set_aside(const std::string& import, const GapChoice& choice) {
  return go(aside_, import, choice);
}

Result<std::int64_t> SetAsideWrites::put_back(const std::string& import, const GapChoice& choice) {
  return go(back_, import, choice);
}

Result<std::int64_t> SetAsideWrites::go(Way& way, const std::string& import, const GapChoice& choice) {
  TRY(const std::int64_t number, imports_.number(import));
  return choice.calls.empty() ? go_by_cause(way, number, choice.cause) : go_one_by_one(way, number, choice.calls);
}

Result<std::int64_t> SetAsideWrites::go_by_cause(Way& way, std::int64_t import, const std::string& cause) {
  const auto read = [](const Statement& row) { return std::pair{static_cast<Lane>(row.integer(0)), row.integer(1)}; };
  TRY(const auto by_lane, all_rows(way.by_lane.bind(1, import).bind(2, cause), read));
  do {
    TRY_VOID(way.move.bind(1, import).bind(2, cause).run());
  } while (db_.changes() != 0);
  std::int64_t moved = 0;
  for (const auto& [lane, calls] : by_lane) {
    TRY_VOID(count(way, import, lane, calls));
    moved += calls;
  }
  return moved;
}

Result<std::int64_t> SetAsideWrites::go_one_by_one(Way& way, std::int64_t import,
                                                   const std::vector<std::string>& calls) {
  std::array<std::int64_t, 2> moved = {0, 0};
  for (const auto& source_id : calls) {
    way.move_one.bind(1, import).bind(2, source_id);
    TRY(const auto lanes, all_rows(way.move_one, [](const Statement& row) { return row.integer(0); }));
    for (const auto lane : lanes) ++moved.at(static_cast<std::size_t>(lane));
  }
  TRY_VOID(count(way, import, Lane::kFirst, moved[0]));
  TRY_VOID(count(way, import, Lane::kBulk, moved[1]));
  return moved[0] + moved[1];
}

Result<> SetAsideWrites::count(const Way& way, std::int64_t import, Lane lane, std::int64_t calls) {
  Tally change;
  change.add(way.from, -calls);
  change.add(way.to, calls);
  return counters_.count(import, lane, change);
}

}  // namespace callimport::storage
