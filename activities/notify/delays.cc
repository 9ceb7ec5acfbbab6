#include "activities/notify/delays.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;

std::int64_t number(const nlohmann::json& facts, const char* name) { return facts.value(name, std::int64_t{0}); }

/// When it is late for the n-th time against the last promise.
std::int64_t late_at(const AgendaRow& row) {
  const std::int64_t promised = promised_of(row);
  return promised + std::max(kDelayLeastMs, (promised - row.opened_ms) / 4) * (row.step + 1);
}

std::string moment(std::int64_t at_ms) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(at_ms)));
}

/// The row with a new promise.
AgendaRow promising(AgendaRow row, nlohmann::json facts, std::int64_t finish_ms) {
  facts["promised_ms"] = finish_ms;
  row.facts = facts.dump();
  row.step = 0;
  row.next_ms = late_at(row);
  return row;
}

/// @param finish_ms  when it is expected now; 0: nobody can say, and the promise stays the one it is held against
Turn told(const AgendaRow& known, std::int64_t now_ms, std::int64_t finish_ms, const std::string& because) {
  Turn turn;
  AgendaRow row = known;
  auto facts = read_facts(row.facts);
  const std::int64_t planned = promised_of(row);
  if (!facts.contains("kept_ms")) facts["kept_ms"] = planned;
  row.facts = facts.dump();
  if (finish_ms > now_ms) {
    row = promising(row, facts, finish_ms);
  } else {
    while (late_at(row) <= now_ms) ++row.step;
    row.next_ms = late_at(row);
  }
  turn.put.push_back(row);
  facts["planned_ms"] = planned;
  facts["finish_ms"] = finish_ms;
  facts["because"] = because;
  const std::string until = finish_ms > now_ms ? "not before " + moment(finish_ms) : "and not done yet";
  turn.say.push_back(say("import.delayed", known.import, now_ms, facts.value("subject", ""),
                         fmt::format("Later than planned: {} instead of {}{}.", until, moment(planned),
                                     because.empty() ? "" : ", because " + because),
                         "It goes on by itself. Nothing to do.", facts));
  return turn;
}

Turn on_time_again(const AgendaRow& known, nlohmann::json facts, std::int64_t kept_ms, std::int64_t finish_ms,
                   std::int64_t now_ms) {
  Turn turn;
  facts.erase("kept_ms");
  turn.put.push_back(promising(known, facts, kept_ms));
  facts["finish_ms"] = finish_ms;
  turn.say.push_back(say("import.on_time_again", known.import, now_ms, facts.value("subject", ""),
                         fmt::format("On time again: expected to be done by {}.", moment(finish_ms)),
                         "It goes on by itself. Nothing to do.", facts));
  return turn;
}

}  // namespace

Turn delay_began(const storage::Notification& record, const storage::ImportRow& import) {
  Turn turn;
  const auto input = read_facts(import.input);
  const auto predicted = input.find("predicted");
  if (predicted == input.end() || !predicted->is_object()) return turn;
  const std::int64_t foretold = number(*predicted, "duration_to_ms");
  if (foretold <= 0) return turn;
  AgendaRow row;
  row.kind = kDelay;
  row.key = row.import = record.import;
  row.opened_ms = record.at_ms;
  auto facts = read_facts(record.facts);
  facts["foretold_ms"] = foretold;
  facts["subject"] = record.subject;
  turn.put.push_back(promising(row, facts, record.at_ms + foretold));
  return turn;
}

std::int64_t promised_of(const AgendaRow& known) {
  const auto facts = read_facts(known.facts);
  const std::int64_t promised = number(facts, "promised_ms"), foretold = number(facts, "foretold_ms");
  return promised > 0 || foretold == 0 ? promised
                                       : known.opened_ms + foretold;  // rows of older versions lack the first
}

Turn delay_promised(const AgendaRow& known, std::int64_t finish_ms) {
  Turn turn;
  auto facts = read_facts(known.facts);
  facts.erase("kept_ms");
  turn.put.push_back(promising(known, facts, finish_ms));
  return turn;
}

Turn delay_foreseen(const AgendaRow& known, const storage::Notification& record, std::int64_t until_ms) {
  if (until_ms < late_at(known)) return {};
  return told(known, record.at_ms, until_ms, read_facts(record.facts).value("because", record.text));
}

Turn delay_reckoned(const AgendaRow& known, const Reckoned& end, std::int64_t now_ms) {
  AgendaRow row = known;
  auto facts = read_facts(row.facts);
  facts["looked_ms"] = now_ms;
  row.facts = facts.dump();
  const std::int64_t kept = number(facts, "kept_ms");
  if (kept > 0 && end.to_ms <= kept) return on_time_again(row, facts, kept, end.to_ms, now_ms);
  if (end.from_ms >= late_at(row)) return told(row, now_ms, end.to_ms, end.because);
  Turn looked;
  looked.put.push_back(std::move(row));
  return looked;
}

Turn delay_due(const AgendaRow& known, const storage::ImportRow& import, std::int64_t now_ms) {
  if (import.closed_ms) {
    Turn over;
    over.drop.emplace_back(known.kind, known.key);
    return over;
  }
  const auto& lane = import.bulk.condition == "running" ? import.first : import.bulk;
  std::string because;
  if (lane.condition == "waiting") because = "it waits (" + lane.reason + ")";
  if (lane.condition == "paused") because = "it is paused";
  if (lane.condition == "needs_attention") because = "it needs attention (" + lane.reason + ")";
  return told(known, now_ms, 0, because);
}

}  // namespace callimport::activities
