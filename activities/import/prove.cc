#include "activities/import/prove.h"

namespace callimport::activities {
namespace {

/// What the manifest says to a page of the platform.
struct Familiar {
  bool any_listed = false;             ///< a listed call is in the manifest
  std::vector<std::string> to_ask;     ///< known calls that could be asked for
};

Result<Familiar> look_for(storage::Library& library, const std::string& import, const ListPage& page) {
  Familiar familiar;
  for (const auto& call : page.calls) {
    TRY(const auto known, library.manifest_row(import, call.source_id));
    if (!known) continue;
    familiar.any_listed = true;
    return familiar;
  }
  for (const storage::CallState state :
       {storage::CallState::kRegistered, storage::CallState::kStaged, storage::CallState::kPending}) {
    const int left = kKnownCallsAsked - static_cast<int>(familiar.to_ask.size());
    if (left == 0) break;
    TRY(const auto rows, library.manifest(import, state, "", "", left));
    for (const auto& row : rows) familiar.to_ask.push_back(row.source_id);
  }
  return familiar;
}

bool is_unseen(const Trouble& trouble) {
  const auto* failed = std::get_if<CallFailed>(&trouble);
  return failed != nullptr && (failed->cause == "call.deleted_at_source" || failed->cause == "call.private");
}

Fetched<bool> yes_or_trouble(const Fetched<ListPage>& page) {
  if (!page) return tl::unexpected(page.error());
  return true;
}

}  // namespace

Awaitable<Fetched<ListPage>> prove_access(std::shared_ptr<Session> session, std::string import) {
  const Platform& platform = session->platform();
  auto checking = session->ask(Operation::kList, platform.check(session->auth()), platform.read_page);
  Fetched<ListPage> page = co_await std::move(checking);
  if (!page) co_return tl::unexpected(page.error());
  ImportDeps& deps = session->deps();
  const auto held = std::make_shared<ListPage>(std::move(*page));  // shared with the job on the pool
  auto look = [&deps, import, held] { return look_for(deps.library, import, *held); };
  auto looking = engine::on_pool(deps.pool, deps.loop, std::move(look));
  const Result<Familiar> familiar = co_await std::move(looking);
  if (!familiar) co_return tl::unexpected<Trouble>(store_trouble(familiar.error()));
  if (familiar->any_listed || familiar->to_ask.empty()) co_return std::move(*held);
  for (const std::string& known : familiar->to_ask) {
    auto asking = session->ask(Operation::kDetails, platform.details(session->auth(), known),
                               platform.read_details);
    const Fetched<storage::Call> seen = co_await std::move(asking);
    if (seen) co_return std::move(*held);
    if (!is_unseen(seen.error())) co_return tl::unexpected(seen.error());
  }
  co_return tl::unexpected<Trouble>(NeedsAttention{
      "access.wrong_account", "the token is accepted, but it sees none of the calls this import knows", "customer admin"});
}

Awaitable<Fetched<bool>> prove_new_access(SharedDeps deps, NewAccess asked) {
  const SessionMade made = make_session(deps, nullptr, asking_for(asked.ask), std::nullopt, std::move(asked.access));
  if (!made) co_return tl::unexpected<Trouble>(NeedsAttention{made.error().type, made.error().message, "operator"});
  auto proving = prove_access(*made, asked.ask.import);
  const Fetched<ListPage> page = co_await std::move(proving);
  co_return yes_or_trouble(page);
}

Awaitable<Fetched<bool>> prove_sealed_access(SharedDeps deps, ImportInput ask) {
  auto opening = open_session(deps, nullptr, asking_for(ask));
  const SessionMade made = co_await std::move(opening);
  if (!made) co_return tl::unexpected<Trouble>(NeedsAttention{made.error().type, made.error().message, "operator"});
  auto proving = prove_access(*made, ask.import);
  const Fetched<ListPage> page = co_await std::move(proving);
  co_return yes_or_trouble(page);
}

}  // namespace callimport::activities
