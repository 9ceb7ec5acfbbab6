#include "storage/library/actions.h"

#include <limits>

#include "storage/library/manifest.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

#define CALLIMPORT_ACTION_COLUMNS "number, at_ms, import, verb, who, origin, why, before, after, request_id, outcome"

ActionRow read_action(const Statement& row) {
  return {.number = row.integer(0),
          .at_ms = row.integer(1),
          .import = row.text(2),
          .verb = row.text(3),
          .who = row.text(4),
          .origin = row.text(5),
          .why = row.text(6),
          .before = row.text(7),
          .after = row.text(8),
          .request_id = row.text(9),
          .outcome = row.text(10)};
}

}  // namespace

ActionReads::ActionReads(Database& db)
    : newest_(db, "SELECT " CALLIMPORT_ACTION_COLUMNS " FROM action WHERE number < ?1 ORDER BY number DESC LIMIT ?2"),
      newest_of_(db, "SELECT " CALLIMPORT_ACTION_COLUMNS
                     " FROM action WHERE import = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2"),
      consented_(db, "SELECT 1 FROM consent WHERE platform = ?1 AND workspace = ?2 AND (?3 = '' OR customer = ?3)") {}

Result<std::vector<ActionRow>> ActionReads::newest(const std::string& import, std::int64_t before, int limit) {
  Statement& statement = import.empty() ? newest_ : newest_of_;
  statement.bind(1, before > 0 ? before : std::numeric_limits<std::int64_t>::max()).bind(2, limit);
  if (!import.empty()) statement.bind(3, import);
  return all_rows(statement, read_action);
}

Result<bool> ActionReads::consented(const ConsentRow& row) {
  consented_.bind(1, row.platform).bind(2, row.workspace).bind(3, row.customer);
  TRY(const auto found, first_row(consented_, [](const Statement&) { return true; }));
  return found.has_value();
}

ActionWrites::ActionWrites(Database& db, ActionReads& reads)
    : db_(db),
      reads_(reads),
      by_request_(db, "SELECT number, import, verb FROM action WHERE request_id = ?1"),
      add_(db,
           "INSERT INTO action(at_ms, import, verb, who, origin, why, before, after, request_id)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
      set_outcome_(db, "UPDATE action SET outcome = ?2 WHERE number = ?1"),
      consent_(db,
               "INSERT INTO consent(platform, workspace, customer, who, at_ms) VALUES(?1, ?2, ?3, ?4, ?5)"
               " ON CONFLICT DO NOTHING") {}

Result<std::int64_t> ActionWrites::add(const ActionRow& row, std::int64_t seen) {
  struct Known {
    std::int64_t number;
    bool same;
  };
  TRY(const auto known, first_row(by_request_.bind(1, row.request_id), [&](const Statement& found) {
        return Known{found.integer(0), found.text(1) == row.import && found.text(2) == row.verb};
      }));
  if (known && known->same) return known->number;
  if (known) return fail(Code::kInvalid, "the request id was used for another action: " + clipped(row.request_id, 100));
  if (seen > 0) {
    TRY(const auto last, reads_.newest(row.import, 0, 1));
    if (!last.empty() && last.front().number != seen) {
      const ActionRow& other = last.front();
      return fail(Code::kConflict, "import.changed: since you looked, " + other.who + " did " + other.verb +
                                       (other.why.empty() ? "" : " (" + other.why + ")") +
                                       "; nothing was done. Look again, then repeat it if it still fits");
    }
  }
  add_.bind(1, row.at_ms).bind(2, row.import).bind(3, row.verb).bind(4, row.who).bind(5, row.origin);
  TRY_VOID(add_.bind(6, row.why).bind(7, row.before).bind(8, row.after).bind(9, row.request_id).run());
  return db_.last_insert_rowid();
}

Result<> ActionWrites::set_outcome(std::int64_t number, const std::string& outcome) {
  return set_outcome_.bind(1, number).bind(2, outcome).run();
}

Result<> ActionWrites::consent(const ConsentRow& row) {
  consent_.bind(1, row.platform).bind(2, row.workspace).bind(3, row.customer).bind(4, row.who);
  return consent_.bind(5, row.at_ms).run();
}

}  // namespace callimport::storage
