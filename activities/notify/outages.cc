#include "activities/notify/outages.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using storage::AgendaRow;

bool told(const AgendaRow& row) { return row.step > 0; }

void add_once(json& list, const std::string& text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end() && list.size() < kOutageImportsMax)
    list.push_back(text);
}

/// The platform as people know it, from the record of an import.
std::string title_of(const json& facts, const std::string& platform) { return facts.value("title", platform); }

std::string waits(std::size_t imports) {
  return imports == 1 ? "1 import waits; it goes on by itself"
                      : fmt::format("{} imports wait; they go on by themselves", imports);
}

}  // namespace

Turn outage_met(const std::optional<AgendaRow>& known, const storage::Notification& record,
                const storage::ImportRow& import, const std::string& owner) {
  Turn turn;
  AgendaRow row;
  if (known) row = *known;
  json facts = read_facts(row.facts);
  if (!known) {
    row.kind = kOutage;
    row.key = import.platform;
    row.opened_ms = record.at_ms;
    row.next_ms = record.at_ms + kGatherMs;
    facts = {{"imports", json::array()}, {"to", json::array()}};
    facts["title"] = read_facts(record.facts).value("platform", import.platform);
  }
  add_once(facts["imports"], import.id);
  add_once(facts["to"], owner);
  row.facts = facts.dump();
  turn.put.push_back(row);
  turn.hush = fmt::format("{} does not answer: one message for all its imports", title_of(facts, import.platform));
  return turn;
}

Turn outage_left(const AgendaRow& known, const storage::Notification& record) {
  Turn turn;
  json facts = read_facts(known.facts);
  json& imports = facts["imports"];
  if (!imports.is_array()) imports = json::array();
  const auto found = std::find(imports.begin(), imports.end(), record.import);
  if (found == imports.end()) return turn;
  imports.erase(found);
  if (record.event == "import.goes_on") {
    turn.hush = told(known) ? "the platform answers again: one message for all its imports"
                            : "the platform answered again before anybody was told";
  }
  if (!imports.empty()) {
    AgendaRow row = known;
    row.facts = facts.dump();
    turn.put.push_back(row);
    return turn;
  }
  turn.drop.emplace_back(known.kind, known.key);
  if (!told(known)) return turn;
  const std::string title = title_of(facts, known.key);
  facts["platform"] = title;
  facts["platform_id"] = known.key;
  facts["since_ms"] = known.opened_ms;
  auto over = say("platform.recovered", "", record.at_ms, fmt::format("[Calls] {} does not answer", title),
                  fmt::format("{} answers again; its imports go on.", title), "Nothing to do.", facts);
  over.facts = facts.dump();
  turn.say.push_back(std::move(over));
  return turn;
}

Turn outage_due(const AgendaRow& known, std::int64_t now_ms) {
  Turn turn;
  AgendaRow row = known;
  row.next_ms.reset();
  row.step = 1;
  turn.put.push_back(row);
  json facts = read_facts(known.facts);
  const std::size_t imports = facts.contains("imports") ? facts["imports"].size() : 0;
  const std::string title = title_of(facts, known.key);
  facts["platform"] = title;
  facts["platform_id"] = known.key;
  facts["since_ms"] = known.opened_ms;
  facts["count"] = imports;
  const auto since = format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(known.opened_ms)));
  turn.say.push_back(say("platform.outage", "", now_ms, fmt::format("[Calls] {} does not answer", title),
                         fmt::format("{} has not answered since {}. {}.", title, since, waits(imports)),
                         "Nothing to do.", facts));
  return turn;
}

}  // namespace callimport::activities
