#include "activities/notify/escalations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace callimport::activities {
namespace {

using storage::AgendaRow;
using storage::Notification;

constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

/// Threads of escalations that an import can have.
constexpr std::array<std::string_view, 5> kThreads = {"access", "gaps", "attention", "stuck", "store"};

std::string key_of(const std::string& import, std::string_view thread) { return import + "/" + std::string(thread); }

/// Anything that moves on shows that nothing stands still any more.
bool moves_on(const std::string& event) {
  static constexpr std::array<std::string_view, 13> kMoves = {
      "import.attention_ended", "import.goes_on", "import.access_checked", "import.counted",   "import.ordered",
      "import.first_ready",     "import.fetched", "import.registered",     "import.completed", "import.cancelled",
      "import.failed",          "import.undone",  "import.started"};
  return std::find(kMoves.begin(), kMoves.end(), event) != kMoves.end();
}

std::vector<std::string> ids_for(Next whom, const Roster& roster, const storage::ImportRow& import) {
  const Person* owner = owner_of(roster, import);
  std::vector<std::string> ids;
  switch (whom) {
    case Next::kBackup:
      if (owner != nullptr && !owner->backup.empty()) ids.push_back(owner->backup);
      break;
    case Next::kTeamLeads: return roster.team_leads;
    case Next::kAdmins: return roster.admins;
    case Next::kCustomer: ids.push_back("customer:" + import.workspace); break;
    case Next::kOwnerAndOnCall: ids = roster.on_call; [[fallthrough]];
    case Next::kOwner:
      if (owner != nullptr) ids.push_back(owner->id);
      break;
  }
  return ids;
}

std::string spoken(std::int64_t ms) {
  if (ms < kHour) return fmt::format("{} minutes", ms / kMinute);
  if (ms < 2 * kDay) return fmt::format("{} hours", ms / kHour);
  return fmt::format("{} days", ms / kDay);
}

}  // namespace

std::vector<EscalationStep> escalation_steps(std::string_view event) {
  if (event == "access.needed")
    return {{24 * kHour, Next::kCustomer, "the customer can renew the access"},
            {48 * kHour, Next::kBackup, "the owner's backup can act in their place"},
            {5 * kDay, Next::kTeamLeads, "the import is blocked by the customer"}};
  if (event == "import.gaps_decision") return {{3 * kDay, Next::kTeamLeads, "nobody has decided on the gaps"}};
  if (event == "import.needs_attention")
    return {{24 * kHour, Next::kOwner, "nobody has looked yet"},
            {48 * kHour, Next::kBackup, "the owner has not looked"}};
  if (event == "import.no_progress")
    return {{15 * kMinute, Next::kOwnerAndOnCall, "still nothing moves"},
            {kHour, Next::kTeamLeads, "nothing has moved for an hour"}};
  if (event == "store.nearly_full") return {{kHour, Next::kAdmins, "there is still no space"}};
  if (event == "channel.down") return {{kHour, Next::kAdmins, "the channel still takes nothing"}};
  return {};
}

Turn escalation_began(const Notification& record) {
  Turn turn;
  const EventRow* event = find_event(record.event);
  const auto steps = escalation_steps(record.event);
  if (event == nullptr || steps.empty()) return turn;
  AgendaRow row;
  row.kind = kEscalation;
  const auto facts = read_facts(record.facts);
  const std::string of = record.import.empty() ? facts.value("channel", "") : record.import;
  row.key = key_of(of, event->thread);
  row.import = record.import;
  row.opened_ms = record.at_ms;
  row.next_ms = record.at_ms + steps.front().after_ms;
  row.facts = nlohmann::json{{"event", record.event}, {"subject", record.subject}, {"text", record.text},
                             {"next", record.next},   {"record", record.id},       {"facts", facts}}
                  .dump();
  turn.put.push_back(std::move(row));
  return turn;
}

std::vector<std::string> escalations_ended(const Notification& record) {
  std::vector<std::string> keys;
  if (record.event == "channel.restored") return {key_of(read_facts(record.facts).value("channel", ""), "channel")};
  if (record.import.empty()) return keys;
  if (record.event == "access.restored") return {key_of(record.import, "access"), key_of(record.import, "stuck")};
  if (record.event == "import.retried" || record.event == "import.approved") return {key_of(record.import, "gaps")};
  const bool all = moves_on(record.event);
  for (const auto thread : kThreads) {
    // What a lane does proves nothing of a decision on gaps, but its end does.
    const bool decides = record.event == "import.completed" || record.event == "import.cancelled" ||
                         record.event == "import.failed" || record.event == "import.undone";
    if (all && (thread != "gaps" || decides)) keys.push_back(key_of(record.import, thread));
  }
  return keys;
}

Turn escalation_due(const AgendaRow& known, const Roster& roster, const storage::ImportRow& import,
                    std::int64_t now_ms) {
  Turn turn;
  const auto facts = read_facts(known.facts);
  const auto steps = escalation_steps(facts.value("event", ""));
  const auto at = static_cast<std::size_t>(known.step);
  if (at >= steps.size()) {
    turn.drop.emplace_back(known.kind, known.key);
    return turn;
  }
  AgendaRow row = known;
  ++row.step;
  row.next_ms.reset();
  if (at + 1 < steps.size()) row.next_ms = known.opened_ms + steps[at + 1].after_ms;
  turn.put.push_back(row);
  auto told = facts.value("facts", nlohmann::json::object());
  told["to"] = ids_for(steps[at].whom, roster, import);
  told["since_ms"] = known.opened_ms;
  told["about"] = facts.value("record", "");
  told["of"] = facts.value("event", "");
  told["step"] = row.step;
  if (told["to"].empty()) return turn;
  turn.say.push_back(
      say("escalation.reminder", known.import, now_ms, "Still open: " + facts.value("subject", ""),
          fmt::format("After {}: {}. {}", spoken(now_ms - known.opened_ms), steps[at].words, facts.value("text", "")),
          facts.value("next", ""), told));
  return turn;
}

}  // namespace callimport::activities
