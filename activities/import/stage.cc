// Changes of place: lane rows, timeline, counters and notification records in one transaction.
#include "activities/import/stage.h"

#include <algorithm>

#include "activities/import/milestones.h"
#include "activities/import/texts.h"
#include "activities/notify/turn.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

/// What was found, when the counting has ended: hours, and what cannot come across, by cause.
Result<> add_count(storage::LibraryTx& tx, const storage::ImportRow& import, storage::Notification& record) {
  if (record.event != "import.counted" || !import.enumerated) return {};
  TRY(const auto sums, tx.telling().reads().manifest_sums(import.id));
  auto facts = read_facts(record.facts);
  // Where few calls tell their length, the sum says nothing of the whole.
  if (sums.with_length * 10 >= sums.calls * 9 && sums.length_ms > 0)
    facts["hours"] = (sums.length_ms + 1'800'000) / 3'600'000;
  std::int64_t no_way = 0;
  for (const auto& problem : sums.problems) no_way += problem.calls;
  if (no_way > 0) {
    facts["no_way"] = no_way;
    facts["gaps"] = gap_facts(sums.problems);
  }
  record.facts = write_note(facts);
  return {};
}

/// When the first calls should be playable, as long as that is ahead.
void add_first_by(const storage::ImportRow& import, storage::Notification& record) {
  const auto input = read_note<ImportInput>(import.input);
  const std::int64_t first_by = input ? first_by_ms(*input, import.created_ms) : 0;
  if (import.first_ready_ms || first_by <= record.at_ms) return;
  auto facts = read_facts(record.facts);
  facts["first_by_ms"] = first_by;
  record.facts = write_note(facts);
}

Result<> tell_change(storage::LibraryTx& tx, const storage::LaneRow& before, const LaneChange& change,
                     const storage::ImportRow& import, const Outlook& outlook, std::int64_t now_ms) {
  auto record = compose_change(import, change, now_ms);
  TRY_VOID(mark_attention(tx, before, record));
  TRY_VOID(add_count(tx, import, record));
  add_outlook(record, outlook);
  if (record.event == "import.ordered") add_first_by(import, record);
  TRY_VOID(tx.notify(record));
  // A new estimate is told as such: it is no delay of the one before.
  return record.event == "import.counted" ? Result<>() : weigh_outlook(tx, import.id, outlook, now_ms);
}

}  // namespace

Result<> store_changes(storage::LibraryTx& tx, const std::string& import, const std::vector<LaneChange>& changes,
                       const Outlook& outlook, std::int64_t now_ms) {
  for (const LaneChange& change : changes) {
    const storage::Lane lane = change.lane == "first" ? storage::Lane::kFirst : storage::Lane::kBulk;
    TRY(const storage::ImportRow before, tx.import(import));
    TRY_VOID(tx.set_lane(import, lane, row_of(change), now_ms));
    if (change.told == "first.ready") {
      TRY_VOID(tx.set_first_ready(import, now_ms));
    }
    if (change.told.empty()) continue;
    TRY(const storage::ImportRow now, tx.import(import));
    TRY_VOID(tell_change(tx, lane == storage::Lane::kFirst ? before.first : before.bulk, change, now, outlook, now_ms));
  }
  return {};
}

Awaitable<ActivityResult> change_stage(SharedDeps deps, ActivityContext& context, StageInput input) {
  const bool told = std::any_of(input.changes.begin(), input.changes.end(),
                                [](const LaneChange& change) { return !change.told.empty(); });
  Outlook outlook;
  if (told) {
    auto reckon = [deps, input] { return outlook_of(*deps, input.import, input.changes); };
    auto reckoning = engine::on_pool(deps->pool, deps->loop, std::move(reckon));
    outlook = co_await std::move(reckoning);
  }
  auto work = [deps, input, outlook](storage::LibraryTx& tx) -> Result<std::string> {
    const std::int64_t now_ms = to_unix_ms(deps->clock.now());
    TRY_VOID(store_changes(tx, input.import, input.changes, outlook, now_ms));
    return std::string("{}");
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  if (deps->told) deps->told();
  co_return *written;
}

}  // namespace callimport::activities
