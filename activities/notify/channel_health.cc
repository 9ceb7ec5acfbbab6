#include "activities/notify/channel_health.h"

#include <fmt/format.h>

namespace callimport::activities {

using storage::AgendaRow;

Turn channel_refused(const std::optional<AgendaRow>& known, const std::string& channel, const std::string& reason,
                     std::int64_t now_ms) {
  Turn turn;
  AgendaRow row;
  if (known) row = *known;
  if (!known) {
    row.kind = kChannelTrouble;
    row.key = channel;
    row.opened_ms = now_ms;
    row.next_ms = now_ms + kChannelDownMs;
  }
  row.facts = nlohmann::json{{"channel", channel}, {"reason", reason}}.dump(-1, ' ', false,
                                                                            nlohmann::json::error_handler_t::replace);
  if (known && known->facts == row.facts) return turn;
  turn.put.push_back(std::move(row));
  return turn;
}

Turn channel_took(const AgendaRow& known, std::int64_t now_ms) {
  Turn turn;
  turn.drop.emplace_back(known.kind, known.key);
  if (known.step == 0) return turn;
  auto facts = read_facts(known.facts);
  facts["since_ms"] = known.opened_ms;
  turn.say.push_back(say("channel.restored", "", now_ms, fmt::format("[Calls] Messages by {}", known.key),
                         fmt::format("Messages by {} arrive again; what had waited is sent.", known.key),
                         "Nothing to do.", facts));
  return turn;
}

Turn channel_due(const AgendaRow& known, std::int64_t now_ms) {
  Turn turn;
  AgendaRow row = known;
  row.step = 1;
  row.next_ms.reset();
  turn.put.push_back(row);
  auto facts = read_facts(known.facts);
  facts["since_ms"] = known.opened_ms;
  turn.say.push_back(
      say("channel.down", "", now_ms, fmt::format("[Calls] Messages by {}", known.key),
          fmt::format("No message could be sent by {} for {} minutes: {}.", known.key,
                      (now_ms - known.opened_ms) / 60'000, facts.value("reason", "")),
          "What waits is kept for a day, then goes another way. Look at: callimport notifications health", facts));
  return turn;
}

}  // namespace callimport::activities
