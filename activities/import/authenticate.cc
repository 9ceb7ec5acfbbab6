// Proves the credential: it is valid, it may list, it is of this workspace, and one recording can be downloaded.
#include "activities/import/download.h"
#include "activities/import/prove.h"

namespace callimport::activities {
namespace {

constexpr int kProofsMax = 5;  ///< calls that are tried before we go on without the proof

/// A call's own trouble proves nothing about the token: the next call is tried.
Awaitable<Fetched<bool>> prove_download(std::shared_ptr<Session> session, std::vector<storage::ManifestRow> calls) {
  int tried = 0;
  for (const auto& call : calls) {
    if (call.media_type == "transcript") continue;
    if (++tried > kProofsMax) break;
    auto asking =
        session->ask(Operation::kMediaLink, session->platform().media(session->auth(), call.source_id),
                     session->platform().read_media);
    Fetched<MediaLink> link = co_await std::move(asking);
    if (!link && (std::holds_alternative<CallFailed>(link.error()) || std::holds_alternative<NotReady>(link.error())))
      continue;
    if (!link) co_return tl::unexpected(link.error());
    auto touching = touch_media(session, link->url);
    const bool touched = co_await std::move(touching);
    if (touched) co_return true;
  }
  co_return false;
}

}  // namespace

Awaitable<ActivityResult> authenticate(SharedDeps deps, ActivityContext& context, StepInput input) {
  auto opening = open_session(deps, &context, input);
  SessionMade made = co_await std::move(opening);
  if (!made) co_return tl::unexpected(made.error());
  std::shared_ptr<Session> session = *made;
  const Platform& platform = session->platform();
  auto import_of = [deps, id = input.ask.import] { return deps->library.import(id); };
  auto reading = engine::on_pool(deps->pool, deps->loop, std::move(import_of));
  const Result<storage::ImportRow> row = co_await std::move(reading);
  if (!row) co_return tl::unexpected(error_of(row.error()));
  StepResult result;
  result.counters = note_of(row->counters);
  // Any other order than the list's own is known only when the whole list is.
  result.newest_first =
      platform.newest_first &&
      storage::parse_lane_order(input.ask.order).value_or(storage::LaneOrder()) == storage::LaneOrder();

  auto checking = prove_access(session, input.ask.import);
  Fetched<ListPage> page = co_await std::move(checking);
  if (!page) {
    co_return answer_trouble(context, input, page.error(), std::move(result), platform.outage_wait, deps->clock.now());
  }
  // Once something is registered, downloads have been proven; what is registered is not touched again.
  if (input.ask.media && row->counters.registered == 0) {
    auto proving = prove_download(session, std::move(page->calls));
    const Fetched<bool> proven = co_await std::move(proving);
    if (!proven) {
      co_return answer_trouble(context, input, proven.error(), std::move(result), platform.outage_wait,
                               deps->clock.now());
    }
  }
  co_return write_note(result);
}

}  // namespace callimport::activities
