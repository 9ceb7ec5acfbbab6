#include "activities/import/milestones.h"

#include <fmt/format.h>

#include "activities/import/texts.h"
#include "activities/notify/events.h"
#include "activities/notify/turn.h"
#include "storage/library/telling.h"
#include "storage/model/ensure.h"

namespace callimport::activities {
namespace {

/// Access and gaps have ends of their own; what nobody knows the reason of ends by going on.
bool wants_a_look(const storage::LaneRow& lane) {
  return lane.condition == "needs_attention" && !lane.reason.starts_with("access.") && lane.reason != "gaps.approval" &&
         lane.reason != "engine.no_progress";
}

}  // namespace

bool is_half_way(const storage::ImportRow& import) {
  const auto& c = import.counters;
  return import.enumerated && c.pending > 0 && c.registered > 0 && 2 * (c.registered + c.duplicate) >= c.found;
}

Result<> tell_half_way(storage::LibraryTx& tx, const storage::ImportRow& import, const Outlook& outlook,
                       std::int64_t now_ms) {
  const auto& c = import.counters;
  auto record = say("import.half_way", import.id, now_ms, subject_of(import),
                    fmt::format("Half way: {} of {} calls are in the library.", grouped(c.registered + c.duplicate),
                                grouped(c.found)),
                    "The rest goes on in the background. Nothing to do.",
                    {{"found", c.found}, {"registered", c.registered}, {"done", c.registered + c.duplicate}});
  record.id = "ntf_half" + import.id.substr(import.id.find('_') + 1);
  add_outlook(record, outlook);
  return tx.notify(record);
}

Result<> mark_attention(storage::LibraryTx& tx, const storage::LaneRow& before, storage::Notification& record) {
  storage::TellingWrites& telling = tx.telling();
  if (record.event == "import.needs_attention") {
    TRY(const auto known, telling.reads().agenda().find(kAttention, record.import));
    if (known) return {};
    storage::AgendaRow row;
    row.kind = kAttention;
    row.key = row.import = record.import;
    row.opened_ms = record.at_ms;
    return telling.agenda().put(row);
  }
  if (record.event == "import.resumed" || record.event == "access.restored")
    return telling.agenda().drop(kAttention, record.import);
  if (record.event != "import.goes_on" || !wants_a_look(before)) return {};
  TRY(const auto known, telling.reads().agenda().find(kAttention, record.import));
  const EventRow* event = find_event("import.attention_ended");
  ENSURE(event != nullptr);
  record.event = event->id;
  record.weight = to_string(event->weight);
  auto facts = read_facts(record.facts);
  if (known) facts["waited_s"] = (record.at_ms - known->opened_ms) / 1'000;
  facts["cause"] = before.reason;
  record.facts = facts.dump();
  return telling.agenda().drop(kAttention, record.import);
}

}  // namespace callimport::activities
