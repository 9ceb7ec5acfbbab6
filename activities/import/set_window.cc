// A window that a person gives a running import: into its row, so that every step from now on keeps to it, and told.
#include "activities/import/texts.h"
#include "activities/import/window.h"

namespace callimport::activities {
namespace {

Result<std::string> store_window(storage::LibraryTx& tx, const ImportDeps& deps, const WindowInput& input,
                                 const WindowResult& result) {
  TRY(storage::ImportRow row, tx.import(input.import));
  if (result.refused.empty()) {
    TRY(ImportInput ask, read_note<ImportInput>(row.input));
    ask.window = result.window;
    ask.zone = result.zone;
    row.input = write_note(ask);
    TRY_VOID(tx.put_import(row));
  }
  const std::int64_t now_ms = to_unix_ms(deps.clock.now());
  TRY_VOID(tx.notify(compose_window(row, input, result, now_ms)));
  return write_note(result);
}

}  // namespace

Awaitable<ActivityResult> set_window(SharedDeps deps, ActivityContext& context, WindowInput input) {
  auto read = [deps, id = input.import] { return deps->library.import(id); };
  auto reading = engine::on_pool(deps->pool, deps->loop, std::move(read));
  const Result<storage::ImportRow> row = co_await std::move(reading);
  if (!row) co_return tl::unexpected(error_of(row.error()));
  const auto known = read_note<ImportInput>(row->input);
  WindowResult result;
  if (known) {
    result.window = known->window;
    result.zone = known->zone;
  }
  const std::string zone = input.zone.empty() ? result.zone : input.zone;
  const auto window = judge_window(input.window, zone, deps->clock.now());
  if (window) {
    result.window = input.window;
    result.zone = zone;
  } else {
    result.refused = cut_text(window.error().message, kSentenceBytesMax);
  }
  auto work = [deps, input, result](storage::LibraryTx& tx) { return store_window(tx, *deps, input, result); };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  const Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  if (window) deps->live->set_window(input.import, *window);
  if (deps->told) deps->told();
  co_return *written;
}

}  // namespace callimport::activities
