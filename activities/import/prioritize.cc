// Orders the manifest: who comes first.
#include "activities/import/step.h"

namespace callimport::activities {
namespace {

Result<StepResult> count_lanes(storage::Library& library, const std::string& import) {
  StepResult result;
  TRY(const auto first, library.manifest_counts(import, storage::Lane::kFirst));
  TRY(const auto row, library.import(import));
  TRY(const auto bulk, library.manifest_counts(import, storage::Lane::kBulk));
  result.lane_first = first.pending + first.staged + first.words;
  result.lane_bulk = row.counters.pending + first.words + bulk.words;
  result.counters = note_of(row.counters);
  result.known = row.counters.found;
  result.enumerated = row.enumerated;
  return result;
}

}  // namespace

Awaitable<ActivityResult> prioritize_calls(SharedDeps deps, ActivityContext& context, StepInput input) {
  auto work = [ask = input.ask](storage::LibraryTx& tx) -> Result<std::string> {
    TRY_VOID(tx.prioritize(ask.import, ask.settings.first_lane));
    return std::string("{}");
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  const Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  auto counts = [deps, id = input.ask.import] { return count_lanes(deps->library, id); };
  auto counting = engine::on_pool(deps->pool, deps->loop, std::move(counts));
  const Result<StepResult> result = co_await std::move(counting);
  if (!result) co_return tl::unexpected(error_of(result.error()));
  co_return write_note(*result);
}

}  // namespace callimport::activities
