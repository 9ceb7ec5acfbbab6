#include "activities/notify/flapping.h"

#include <fmt/format.h>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;
using storage::Notification;

std::int64_t number(const nlohmann::json& facts, const char* name) { return facts.value(name, std::int64_t{0}); }

AgendaRow begun(const Notification& record) {
  AgendaRow row;
  row.kind = kFlap;
  row.key = flap_key(record);
  row.import = record.import;
  row.opened_ms = record.at_ms;
  row.next_ms = record.at_ms + kFlapMs;
  const auto was = read_facts(record.facts);
  nlohmann::json facts = {{"times", 1}, {"last_ms", record.at_ms}, {"cause", was.value("cause", "")}};
  for (const char* name : {"customer", "platform"}) facts[name] = was.value(name, "");
  facts["subject"] = record.subject;
  row.facts = facts.dump();
  return row;
}

}  // namespace

std::string flap_key(const Notification& record) {
  if (record.event != "import.waiting" && record.event != "problem.back") return {};
  return record.import + "/" + read_facts(record.facts).value("cause", "");
}

Turn flap_entered(const std::optional<AgendaRow>& known, const Notification& record) {
  Turn turn;
  if (!known || record.at_ms - number(read_facts(known->facts), "last_ms") > kFlapMs) {
    turn.put.push_back(begun(record));
    return turn;
  }
  AgendaRow row = *known;
  auto facts = read_facts(row.facts);
  facts["times"] = number(facts, "times") + 1;
  facts["last_ms"] = record.at_ms;
  if (number(facts, "times") == 2) row.next_ms = record.at_ms + kFlapMs;
  row.facts = facts.dump();
  turn.put.push_back(row);
  turn.hush = "in and out of the same wait within half an hour: told as one";
  return turn;
}

Turn flap_left(const AgendaRow& known, const Notification& record) {
  Turn turn;
  AgendaRow row = known;
  auto facts = read_facts(row.facts);
  if (number(facts, "times") > 1) turn.hush = "in and out of the same wait within half an hour: told as one";
  facts["last_ms"] = record.at_ms;
  row.facts = facts.dump();
  if (!row.next_ms) row.next_ms = record.at_ms + kFlapMs;
  turn.put.push_back(row);
  return turn;
}

Turn flap_due(const AgendaRow& known, std::int64_t now_ms) {
  Turn turn;
  AgendaRow row = known;
  auto facts = read_facts(row.facts);
  const std::int64_t times = number(facts, "times"), last_ms = number(facts, "last_ms");
  if (times > 1 && row.step == 0) {
    row.step = 1;
    row.next_ms = now_ms + kFlapMs;
    turn.put.push_back(row);
    facts["since_ms"] = known.opened_ms;
    const auto since = format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(known.opened_ms)));
    turn.say.push_back(say("import.flapping", known.import, now_ms, facts.value("subject", ""),
                           fmt::format("In and out of waiting {} times since {}.", times, since),
                           "It goes on by itself each time. Nothing to do.", facts));
    return turn;
  }
  if (now_ms - last_ms >= kFlapMs) {
    turn.drop.emplace_back(known.kind, known.key);
    return turn;
  }
  row.next_ms = last_ms + kFlapMs;
  turn.put.push_back(row);
  return turn;
}

}  // namespace callimport::activities
