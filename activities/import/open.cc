// The first step: the import's row, new or taken over, and the beginning is told.
#include "activities/import/choice.h"
#include "activities/import/milestones.h"
#include "activities/import/outlook.h"
#include "activities/import/step.h"
#include "activities/import/texts.h"
#include "activities/import/window.h"
#include "activities/notify/turn.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

storage::ImportRow row_for(const ImportInput& ask, std::int64_t now_ms) {
  storage::ImportRow row;
  row.id = ask.import;
  row.platform = ask.platform;
  row.workspace = ask.workspace;
  row.title = ask.title;
  row.credential = ask.credential;
  row.input = write_note(ask);
  row.created_ms = now_ms;
  row.first.stage = "authenticate";
  row.first.condition = "running";
  row.bulk = row.first;
  return row;
}

Result<std::string> open(storage::LibraryTx& tx, const ImportDeps& deps, const ImportInput& ask) {
  const std::int64_t now_ms = to_unix_ms(deps.clock.now());
  const storage::ImportRow row = row_for(ask, now_ms);
  TRY_VOID(tx.put_import(row));
  TRY(const storage::ImportRow before, tx.import(ask.import));
  // Whoever started a closed import again may have opened its row already.
  if (!ask.retries.empty()) {
    TRY_VOID(tx.reopen_keeping_failed(ask.import));
    for (const RetryNote& choice : ask.retries) TRY_VOID(do_about(tx, ask.import, choice));
  } else if (before.closed_ms) {
    TRY_VOID(tx.reopen_import(ask.import));
  }
  const bool again = before.created_ms != now_ms || before.counters.found > 0;
  TRY_VOID(tx.set_lane(ask.import, storage::Lane::kFirst, row.first, now_ms));
  TRY_VOID(tx.set_lane(ask.import, storage::Lane::kBulk, row.bulk, now_ms));
  TRY_VOID(tx.telling().agenda().drop(kAttention, ask.import));  // of a run before this one
  TRY(const storage::ImportRow now, tx.import(ask.import));
  auto started = compose_started(now, again, now_ms);
  if (!again) {
    auto facts = read_facts(started.facts);
    facts.update(foretold_facts(ask, now_ms));
    started.facts = write_note(facts);
  }
  TRY_VOID(tx.notify(started));
  StepResult result;
  result.counters = note_of(now.counters);
  result.known = now.counters.found;
  result.enumerated = now.enumerated;
  result.window = ask.window;
  result.zone = ask.zone;
  result.order = ask.order;
  return write_note(result);
}

}  // namespace

Awaitable<ActivityResult> open_import(SharedDeps deps, ActivityContext& context, StepInput input) {
  const ImportInput ask = with_defaults(std::move(input.ask), deps->defaults);
  const auto window = judge_window(ask.window, ask.zone, deps->clock.now());
  if (!window) co_return tl::unexpected(final_error("input.invalid", window.error().message));
  const auto order = storage::parse_lane_order(ask.order);
  if (!order) co_return tl::unexpected(final_error("input.invalid", order.error().message));
  const Platform* platform = find_platform(ask.platform);
  std::string refused = platform == nullptr ? "" : order_refused(*platform, *order);
  if (platform != nullptr && refused.empty()) refused = choice_refused(*platform, ask);
  if (!refused.empty()) co_return tl::unexpected(final_error("input.invalid", refused));
  auto work = [deps, ask](storage::LibraryTx& tx) { return open(tx, *deps, ask); };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written && written.error().code == Code::kConflict) {
    co_return tl::unexpected(final_error("input.conflict", written.error().message));
  }
  if (!written) co_return tl::unexpected(error_of(written.error()));
  if (deps->told) deps->told();
  co_return *written;
}

}  // namespace callimport::activities
