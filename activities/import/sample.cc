#include "activities/import/sample.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace callimport::activities {
namespace {

using storage::ManifestRow;

struct Candidates {
  const Choice& choice;
  std::vector<ManifestRow> rows;  ///< of the choice
  std::set<std::string> known;
  CallSpread spread;

  void take(const ListPage& page, std::int64_t until) {
    std::vector<std::int64_t> starts;
    for (const ManifestRow& row : page.calls) {
      if (row.start_ms != 0) starts.push_back(row.start_ms);
      if (known.insert(row.source_id).second && choice.takes(row)) rows.push_back(row);
    }
    spread.saw(until, starts, !page.next);
  }
};

}  // namespace

Awaitable<Fetched<ListPage>> list_before(std::shared_ptr<Session> session, ImportInput ask, std::int64_t before_ms) {
  ListQuery query;
  if (ask.after_ms != 0) query.after = from_unix_ms(ask.after_ms);
  if (before_ms != 0) query.before = from_unix_ms(before_ms);
  const Platform& platform = session->platform();
  auto asking = session->ask(Operation::kList, platform.list(session->auth(), query), platform.read_page);
  Fetched<ListPage> page = co_await std::move(asking);
  co_return page;
}

std::vector<ManifestRow> pick_evenly(std::vector<ManifestRow> candidates, std::size_t calls) {
  const auto newer = [](const ManifestRow& a, const ManifestRow& b) {
    return std::tie(b.start_ms, a.source_id) < std::tie(a.start_ms, b.source_id);
  };
  std::sort(candidates.begin(), candidates.end(), newer);
  if (candidates.size() <= calls || calls == 0) return candidates;
  const std::int64_t newest = candidates.front().start_ms, oldest = candidates.back().start_ms;
  std::vector<ManifestRow> picked;
  std::size_t at = 0;
  for (std::size_t i = 0; i < calls; ++i) {
    // As many must be left as are still to be picked.
    const std::size_t last = candidates.size() - (calls - i);
    const double share = calls == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(calls - 1);
    const auto wanted = newest - static_cast<std::int64_t>(share * static_cast<double>(newest - oldest));
    while (at < last && candidates[at].start_ms > wanted) ++at;
    picked.push_back(std::move(candidates[at++]));
  }
  return picked;
}

Awaitable<Fetched<std::vector<ManifestRow>>> pick_sample(std::shared_ptr<Session> session, ImportInput ask,
                                                         const Choice& choice, std::function<bool()> stop) {
  const auto calls = static_cast<std::size_t>(std::max<std::int64_t>(ask.calls_max, 1));
  Candidates found{choice, {}, {}, {}};
  auto listing = list_before(session, ask, ask.before_ms);
  Fetched<ListPage> page = co_await std::move(listing);
  if (!page) co_return tl::unexpected(page.error());
  const std::int64_t now_ms = to_unix_ms(session->now());
  std::int64_t top = ask.before_ms != 0 ? ask.before_ms : now_ms;
  for (const ManifestRow& row : page->calls) top = std::max(top, row.start_ms + 1);
  found.take(*page, top);
  if (ask.after_ms != 0) found.spread.none_before(ask.after_ms);

  for (int probes = 0; probes < kOlderProbesMax && !stop(); ++probes) {
    const auto before = found.spread.next_older();
    if (!before) break;
    auto reaching = list_before(session, ask, *before);
    page = co_await std::move(reaching);
    if (!page) co_return tl::unexpected(page.error());
    found.take(*page, *before);
  }
  if (found.spread.seen() > 0) {
    const std::int64_t newest = found.spread.newest(), oldest = found.spread.oldest();
    const auto probes = std::min<std::int64_t>(ask.calls_max, kSampleProbesMax);
    for (std::int64_t i = 1; i < probes && !stop(); ++i) {
      auto reaching = list_before(session, ask, newest - (newest - oldest) * i / probes);
      page = co_await std::move(reaching);
      if (!page) co_return tl::unexpected(page.error());
      found.take(*page, newest - (newest - oldest) * i / probes);
    }
  }
  co_return pick_evenly(std::move(found.rows), calls);
}

}  // namespace callimport::activities
