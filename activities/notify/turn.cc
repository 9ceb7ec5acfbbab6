#include "activities/notify/turn.h"

#include <iterator>

#include "activities/notify/events.h"
#include "storage/library/telling.h"
#include "storage/model/ensure.h"

namespace callimport::activities {

void Turn::add(Turn more) {
  put.insert(put.end(), std::make_move_iterator(more.put.begin()), std::make_move_iterator(more.put.end()));
  drop.insert(drop.end(), std::make_move_iterator(more.drop.begin()), std::make_move_iterator(more.drop.end()));
  say.insert(say.end(), std::make_move_iterator(more.say.begin()), std::make_move_iterator(more.say.end()));
  if (hush.empty()) hush = std::move(more.hush);
}

Result<> apply_turn(storage::LibraryTx& tx, const Turn& turn) {
  for (const auto& [kind, key] : turn.drop) TRY_VOID(tx.telling().agenda().drop(kind, key));
  for (const auto& row : turn.put) TRY_VOID(tx.telling().agenda().put(row));
  for (const auto& record : turn.say) TRY_VOID(tx.notify(record));
  return {};
}

nlohmann::json read_facts(const std::string& text) {
  auto facts = nlohmann::json::parse(text, nullptr, false);
  return facts.is_object() ? facts : nlohmann::json::object();
}

storage::Notification say(const std::string& event, const std::string& import, std::int64_t at_ms, std::string subject,
                          std::string text, std::string next, const nlohmann::json& facts) {
  const EventRow* row = find_event(event);
  ENSURE(row != nullptr);
  storage::Notification made;
  made.import = import;
  made.at_ms = at_ms;
  made.event = event;
  made.subject = std::move(subject);
  made.text = std::move(text);
  made.next = std::move(next);
  made.facts = facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  made.weight = to_string(row->weight);
  return made;
}

}  // namespace callimport::activities
