// Changes of place: lane rows, timeline, counters and notification records in one transaction.
#include "activities/import/stage.h"

#include "activities/import/texts.h"

namespace callimport::activities {

Result<> store_changes(storage::LibraryTx& tx, const std::string& import, const std::vector<LaneChange>& changes,
                       std::int64_t now_ms) {
  for (const LaneChange& change : changes) {
    const storage::Lane lane = change.lane == "first" ? storage::Lane::kFirst : storage::Lane::kBulk;
    TRY_VOID(tx.set_lane(import, lane, row_of(change), now_ms));
    if (change.told == "first.ready") {
      TRY_VOID(tx.set_first_ready(import, now_ms));
    }
    if (change.told.empty()) continue;
    TRY(const storage::ImportRow now, tx.import(import));
    TRY_VOID(tx.notify(compose_change(now, change, now_ms)));
  }
  return {};
}

Awaitable<ActivityResult> change_stage(SharedDeps deps, ActivityContext& context, StageInput input) {
  auto work = [deps, input](storage::LibraryTx& tx) -> Result<std::string> {
    const std::int64_t now_ms = to_unix_ms(deps->clock.now());
    TRY_VOID(store_changes(tx, input.import, input.changes, now_ms));
    return std::string("{}");
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  if (deps->told) deps->told();
  co_return *written;
}

}  // namespace callimport::activities
