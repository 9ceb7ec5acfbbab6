#include "storage/library/mutes.h"

#include <array>

#include "storage/sqlite/rows.h"

namespace callimport::storage {
namespace {

constexpr std::array kScopes = {MuteScope::kAll, MuteScope::kImport, MuteScope::kWorkspace, MuteScope::kEvent};

MuteScope scope_of(std::string_view text) {
  for (const MuteScope scope : kScopes) {
    if (text == to_string(scope)) return scope;
  }
  return MuteScope::kAll;  // the table takes no other
}

MuteRow read_mute(const Statement& row) {
  return {.person = row.text(0),
          .scope = scope_of(row.text(1)),
          .target = row.text(2),
          .at_ms = row.integer(3),
          .who = row.text(4),
          .origin = row.text(5),
          .why = row.text(6)};
}

#define CALLIMPORT_MUTE_COLUMNS "person, scope, target, at_ms, who, origin, why"

}  // namespace

std::string_view to_string(MuteScope scope) {
  switch (scope) {
    case MuteScope::kAll: return "all";
    case MuteScope::kImport: return "import";
    case MuteScope::kWorkspace: return "workspace";
    case MuteScope::kEvent: return "event";
  }
  return "all";
}

MuteReads::MuteReads(Database& db)
    : list_(db, "SELECT " CALLIMPORT_MUTE_COLUMNS " FROM mute ORDER BY at_ms DESC, person, scope, target LIMIT ?1"),
      list_of_(db, "SELECT " CALLIMPORT_MUTE_COLUMNS
                   " FROM mute WHERE person = ?1 ORDER BY at_ms DESC, scope, target LIMIT ?2"),
      holding_(db, "SELECT " CALLIMPORT_MUTE_COLUMNS
                   " FROM mute WHERE (scope = 'all' AND target = '') OR (scope = 'import' AND target = ?1)"
                   " OR (scope = 'workspace' AND target = ?2) OR (scope = 'event' AND target = ?3)"
                   " ORDER BY scope, person"),
      find_(db, "SELECT " CALLIMPORT_MUTE_COLUMNS " FROM mute WHERE person = ?1 AND scope = ?2 AND target = ?3"),
      count_(db, "SELECT count(*) FROM mute WHERE person = ?1") {}

Result<std::vector<MuteRow>> MuteReads::list(const std::string& person, int limit) {
  if (person.empty()) return all_rows(list_.bind(1, limit), read_mute);
  return all_rows(list_of_.bind(1, person).bind(2, limit), read_mute);
}
Result<std::vector<MuteRow>> MuteReads::holding(const std::string& import, const std::string& workspace,
                                                const std::string& event) {
  return all_rows(holding_.bind(1, import).bind(2, workspace).bind(3, event), read_mute);
}
Result<std::optional<MuteRow>> MuteReads::find(const std::string& person, MuteScope scope, const std::string& target) {
  return first_row(find_.bind(1, person).bind(2, to_string(scope)).bind(3, target), read_mute);
}
Result<std::int64_t> MuteReads::count(const std::string& person) {
  TRY(const auto counted, first_row(count_.bind(1, person), [](const Statement& row) { return row.integer(0); }));
  return counted.value_or(0);
}

MuteWrites::MuteWrites(Database& db)
    : db_(db),
      reads_(db),
      put_(db, "INSERT INTO mute(" CALLIMPORT_MUTE_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      drop_(db, "DELETE FROM mute WHERE person = ?1 AND scope = ?2 AND target = ?3"),
      drop_all_(db, "DELETE FROM mute WHERE person = ?1") {}

Result<bool> MuteWrites::put(const MuteRow& row) {
  if (row.person.empty() || (row.scope == MuteScope::kAll) != row.target.empty())
    return fail(Code::kInvalid, "a mute is of a person, and of everything or of one import, workspace or event");
  TRY(const auto known, reads_.find(row.person, row.scope, row.target));
  if (known) return false;
  TRY(const std::int64_t count, reads_.count(row.person));
  if (count >= kMutesPerPersonMax)
    return fail(Code::kInvalid,
                row.person + " has " + std::to_string(count) + " mutes, which is the most: mute everything instead");
  put_.bind(1, row.person).bind(2, to_string(row.scope)).bind(3, row.target).bind(4, row.at_ms).bind(5, row.who);
  TRY_VOID(put_.bind(6, row.origin).bind(7, row.why).run());
  return true;
}
Result<std::int64_t> MuteWrites::drop(const std::string& person, MuteScope scope, const std::string& target) {
  TRY_VOID(drop_.bind(1, person).bind(2, to_string(scope)).bind(3, target).run());
  return db_.changes();
}
Result<std::int64_t> MuteWrites::drop_all(const std::string& person) {
  TRY_VOID(drop_all_.bind(1, person).run());
  return db_.changes();
}

}  // namespace callimport::storage
