#include "activities/import/prove.h"

namespace callimport::activities {
namespace {

/// What the manifest says to a page of the platform.
struct Familiar {
  bool any_listed = false;          ///< a listed call is in the manifest
  std::vector<std::string> to_ask;  ///< known calls that could be asked for
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

Refusal refusal_of(const Trouble& trouble) {
  return std::visit(
      [](const auto& what) {
        Refusal refusal{what.cause, {}};
        if constexpr (requires { what.message; }) refusal.message = what.message;
        return refusal;
      },
      trouble);
}

/// The access as it was given, with nothing to renew it.
SessionMade session_with(SharedDeps deps, const ImportInput& ask, const storage::OpenedCredential& fresh) {
  auto access = access_of(fresh);
  if (!access) return tl::unexpected(error_of(access.error()));
  access->renewable = false;
  return make_session(std::move(deps), nullptr, asking_for(ask), std::nullopt, std::move(*access));
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
  co_return tl::unexpected<Trouble>(
      NeedsAttention{"access.wrong_account", "the token is accepted, but it sees none of the calls this import knows",
                     "customer admin"});
}

Awaitable<std::optional<Refusal>> prove_credential(SharedDeps deps, ImportInput ask,
                                                   std::optional<storage::OpenedCredential> fresh) {
  std::optional<SessionMade> made;
  if (fresh) {
    made = session_with(deps, ask, *fresh);
  } else {
    auto opening = open_session(deps, nullptr, asking_for(ask));
    made = co_await std::move(opening);
  }
  if (!*made) co_return Refusal{made->error().type, made->error().message};
  auto proving = prove_access(**made, ask.import);
  const Fetched<ListPage> page = co_await std::move(proving);
  if (!page) co_return refusal_of(page.error());
  co_return std::nullopt;
}

}  // namespace callimport::activities
