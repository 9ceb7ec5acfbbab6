#include "activities/notify/rules.h"

#include <algorithm>

#include "activities/notify/access_ends.h"
#include "activities/notify/channel_health.h"
#include "activities/notify/delays.h"
#include "activities/notify/digests.h"
#include "activities/notify/escalations.h"
#include "activities/notify/flapping.h"
#include "activities/notify/muting.h"
#include "activities/notify/outages.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;
using storage::ImportRow;
using storage::LibraryTx;
using storage::Notification;

constexpr int kRowsOfKindMax = 10'000;

Result<ImportRow> import_of(LibraryTx& tx, const std::string& id) {
  auto import = tx.import(id);
  if (import) return *std::move(import);
  if (import.error().code == Code::kNotFound) return ImportRow{};
  return tl::unexpected(import.error());
}

Result<Turn> about_outage(storage::AgendaReads& agenda, const Roster& roster, const Notification& record,
                          const ImportRow& import) {
  TRY(const auto known, agenda.find(kOutage, import.platform));
  if (record.event == "import.outage") {
    const Person* owner = owner_of(roster, import);
    return outage_met(known, record, import, owner == nullptr ? "" : owner->id);
  }
  if (!known) return Turn();
  return outage_left(*known, record);
}

Result<Turn> about_flapping(storage::AgendaReads& agenda, const Notification& record) {
  const std::string key = flap_key(record);
  if (!key.empty()) {
    TRY(const auto known, agenda.find(kFlap, key));
    return flap_entered(known, record);
  }
  Turn turn;
  if (record.event != "import.goes_on") return turn;
  TRY(const auto series, agenda.of_import(kFlap, record.import));
  for (const auto& known : series) turn.add(flap_left(known, record));
  return turn;
}

Result<Turn> about_escalations(storage::AgendaReads& agenda, const Notification& record) {
  Turn turn;
  for (const auto& key : escalations_ended(record)) {
    TRY(const auto open, agenda.find(kEscalation, key));
    if (open) turn.drop.emplace_back(kEscalation, key);
  }
  const Turn began = escalation_began(record);
  for (const auto& row : began.put) {
    TRY(const auto open, agenda.find(row.kind, row.key));
    if (!open) turn.add(began);
  }
  return turn;
}

Result<Turn> about_delay(storage::AgendaReads& agenda, const Notification& record, const ImportRow& import) {
  if (record.event == "import.started") return delay_began(record, import);
  Turn turn;
  if (record.event == "import.completed" || record.event == "import.failed" || record.event == "import.cancelled") {
    turn.drop.emplace_back(kDelay, record.import);
    return turn;
  }
  if (record.event != "import.waiting" && record.event != "import.counted") return turn;
  TRY(const auto known, agenda.find(kDelay, record.import));
  if (!known) return turn;
  if (record.event == "import.counted") {
    const auto finish_ms = read_facts(record.facts).value("finish_ms", std::int64_t{0});
    return finish_ms > record.at_ms ? delay_promised(*known, finish_ms) : turn;
  }
  return delay_foreseen(*known, record, read_facts(record.facts).value("until_ms", std::int64_t{0}));
}

/// Imports that the person has not muted: a digest tells of no others.
Result<std::vector<ImportRow>> unmuted(LibraryTx& tx, const std::string& person, std::vector<ImportRow> imports) {
  TRY(const auto mutes, tx.telling().reads().mutes().list(person, storage::kMutesPerPersonMax));
  std::erase_if(imports, [&mutes](const ImportRow& import) {
    return std::any_of(mutes.begin(), mutes.end(), [&import](const storage::MuteRow& mute) {
      return (mute.scope == storage::MuteScope::kImport && mute.target == import.id) ||
             (mute.scope == storage::MuteScope::kWorkspace && mute.target == import.workspace);
    });
  });
  return imports;
}

Result<Promises> promises_after(storage::AgendaReads& agenda, std::int64_t now_ms) {
  TRY(const auto delays, agenda.of_kind(kDelay, kRowsOfKindMax));
  Promises promises;
  for (const auto& row : delays) {
    const std::int64_t finish_ms = promised_of(row);
    if (finish_ms > now_ms) promises[row.import] = finish_ms;
  }
  return promises;
}

Result<Turn> turn_of(LibraryTx& tx, const Roster& roster, const AgendaRow& row, const std::vector<ImportRow>& imports,
                     std::int64_t now_ms) {
  if (row.kind == kOutage) return outage_due(row, now_ms);
  if (row.kind == kChannelTrouble) return channel_due(row, now_ms);
  if (row.kind == kFlap) return flap_due(row, now_ms);
  if (row.kind == kDigest || row.kind == kWeekly) {
    TRY(const auto promises, promises_after(tx.telling().reads().agenda(), now_ms));
    if (row.kind == kWeekly) return digest_due(row, roster, imports, now_ms, promises);
    TRY(const auto shown, unmuted(tx, row.key, imports));
    return digest_due(row, roster, shown, now_ms, promises);
  }
  TRY(const ImportRow import, import_of(tx, row.import));
  if (row.kind == kEscalation) return escalation_due(row, roster, import, now_ms);
  if (row.kind == kDelay) return delay_due(row, import, now_ms);
  if (row.kind == kAccessEnds) {
    TRY(const auto delay, tx.telling().reads().agenda().find(kDelay, row.import));
    return access_ends_due(row, import, delay ? promised_of(*delay) : 0, now_ms);
  }
  Turn unknown;  // of a newer version: nobody here knows what it is for
  unknown.drop.emplace_back(row.kind, row.key);
  return unknown;
}

}  // namespace

Result<std::string> remember(LibraryTx& tx, const Roster& roster, const Notification& record, const ImportRow& import) {
  storage::AgendaReads& agenda = tx.telling().reads().agenda();
  Turn turn;
  if (!import.id.empty()) {
    TRY(auto outage, about_outage(agenda, roster, record, import));
    turn.add(std::move(outage));
    TRY(auto flap, about_flapping(agenda, record));
    turn.add(std::move(flap));
    TRY(auto delay, about_delay(agenda, record, import));
    turn.add(std::move(delay));
  }
  TRY(auto escalation, about_escalations(agenda, record));
  turn.add(std::move(escalation));
  TRY_VOID(apply_turn(tx, turn));
  return turn.hush;
}

Result<int> take_turns(LibraryTx& tx, const Roster& roster, const std::vector<ImportRow>& imports,
                       std::int64_t now_ms) {
  TRY(const auto due, tx.telling().reads().agenda().due(now_ms, kAgendaAtOnce));
  for (const auto& row : due) {
    TRY(const Turn turn, turn_of(tx, roster, row, imports, now_ms));
    TRY_VOID(apply_turn(tx, turn));
  }
  return static_cast<int>(due.size());
}

Result<> plan_digests(LibraryTx& tx, const Roster& roster, std::int64_t now_ms) {
  storage::AgendaReads& agenda = tx.telling().reads().agenda();
  TRY(auto known, agenda.of_kind(kDigest, kRowsOfKindMax));
  TRY(const auto weekly, agenda.of_kind(kWeekly, kRowsOfKindMax));
  known.insert(known.end(), weekly.begin(), weekly.end());
  return apply_turn(tx, digests_planned(roster, known, now_ms));
}

}  // namespace callimport::activities
