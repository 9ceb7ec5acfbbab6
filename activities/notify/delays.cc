#include "activities/notify/delays.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;

std::int64_t number(const nlohmann::json& facts, const char* name) { return facts.value(name, std::int64_t{0}); }

/// When it is late for the n-th time.
std::int64_t late_at(std::int64_t began_ms, std::int64_t foretold_ms, int step) {
  return began_ms + foretold_ms + std::max(kDelayLeastMs, foretold_ms / 4) * (step + 1);
}

std::string moment(std::int64_t at_ms) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(at_ms)));
}

Turn told(const AgendaRow& known, std::int64_t now_ms, std::int64_t finish_ms, const std::string& because) {
  Turn turn;
  AgendaRow row = known;
  auto facts = read_facts(row.facts);
  const std::int64_t foretold = number(facts, "foretold_ms"), planned = known.opened_ms + foretold;
  while (late_at(known.opened_ms, foretold, row.step) <= std::max(now_ms, finish_ms)) ++row.step;
  row.next_ms = late_at(known.opened_ms, foretold, row.step);
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
  row.next_ms = late_at(record.at_ms, foretold, 0);
  auto facts = read_facts(record.facts);
  facts["foretold_ms"] = foretold;
  facts["subject"] = record.subject;
  row.facts = facts.dump();
  turn.put.push_back(std::move(row));
  return turn;
}

Turn delay_foreseen(const AgendaRow& known, const storage::Notification& record, std::int64_t until_ms) {
  const std::int64_t foretold = number(read_facts(known.facts), "foretold_ms");
  if (until_ms < late_at(known.opened_ms, foretold, known.step)) return {};
  return told(known, record.at_ms, until_ms, read_facts(record.facts).value("because", record.text));
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
