#include "activities/import/session.h"

#include "activities/import/request_counts.h"
#include "activities/notify/access_ends.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

Result<Access> open_access(storage::Vault& vault, const CredentialId& id) {
  TRY(const auto opened, vault.open_credential(id));
  return access_of(opened);
}

/// When access ends that nobody renews by itself is remembered with the import, for whoever warns of it; what was
/// remembered of other access goes. Lost at a full disk: the next step does it again.
void remember_end(ImportDeps& deps, const ImportInput& ask, const Access& access) {
  const std::int64_t ends_ms = access.renewable ? 0 : access.expires_ms;
  std::optional<storage::AgendaRow> known;
  const auto read = deps.library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
    TRY(known, telling.agenda().find(kAccessEnds, ask.import));
    return {};
  });
  if (!read || (known ? access_end_of(*known) : 0) == ends_ms) return;
  (void)deps.library.change([&](storage::LibraryTx& tx) -> Result<> {
    if (ends_ms == 0) return tx.telling().agenda().drop(kAccessEnds, ask.import);
    TRY(const auto row, tx.import(ask.import));
    if (row.closed_ms) return {};
    return tx.telling().agenda().put(
        access_ends_at({ask.import, ask.credential, ends_ms}, to_unix_ms(deps.clock.now())));
  });
}

/// Stands in requests of a credential that has a refresh token only, until it is renewed: before the first is sent.
constexpr const char* kNoTokenYet = "no-access-token-yet";

/// The same request with newer access: whichever header held the old token.
void put_token(HttpRequest& request, const storage::Secret& old_token, const storage::Secret& token) {
  const std::string& old_text = old_token.reveal();
  for (auto& [name, value] : request.headers) {
    const std::size_t at = value.find(old_text);
    if (at != std::string::npos) value.replace(at, old_text.size(), token.reveal());
  }
}

}  // namespace

Session::Session(SharedDeps deps, const ActivityContext* context, const Platform& platform, std::string base_url,
                 std::optional<CredentialId> credential, Access access, const StepInput& input)
    : deps_(std::move(deps)),
      context_(context),
      platform_(platform),
      auth_{std::move(base_url), access.token, access.kind},
      credential_(std::move(credential)),
      access_(std::move(access)),
      desk_(context == nullptr ? deps_->permits.visit(platform, input.ask.workspace)
                               : deps_->permits.attend(platform, input.ask.workspace, input.ask.import)) {
  if (auth_.token.reveal().empty()) auth_.token = storage::Secret(kNoTokenYet);
  ask_.import = input.ask.import;
  ask_.first_lane = input.serves_first_lane();
  ask_.despite_block = input.probing;
  ask_.unwritten = context == nullptr;
}

Trouble Session::no_answer(const Error& error) {
  if (error.code == Code::kInvalid) return CallFailed{"platform.changed_answer", error.message};
  return Again{"platform.outage", "the platform does not answer: " + error.message, std::nullopt};
}

Awaitable<Fetched<HttpReply>> Session::send_permitted(Operation operation, HttpRequest request) {
  storage::RequestAsk ask = ask_;
  ask.operation = operation;
  ask.begun = operation == Operation::kTranscript || operation == Operation::kMediaLink;
  auto asking = deps_->permits.request(desk_, std::move(ask));
  const Fetched<Permits::Request> permit = co_await std::move(asking);
  if (!permit) co_return tl::unexpected(permit.error());
  if (context_ != nullptr && context_->cancelled()) {
    deps_->permits.unused(desk_, *permit);
    co_return tl::unexpected<Trouble>(Again{"cancelled", "asked to stop", std::nullopt});
  }
  auto sending = deps_->http.send(std::move(request));
  Result<HttpReply> reply = co_await std::move(sending);
  count_request(platform_.name, to_string(operation), reply ? reply->status : 0);
  if (!reply) co_return tl::unexpected<Trouble>(no_answer(reply.error()));
  deps_->permits.heard(desk_, *permit, *reply);
  if (reply->status < 400) moved();  // a refusal, were it the same for ever, is no progress
  co_return std::move(*reply);
}

Awaitable<Fetched<bool>> Session::renew(std::int64_t refused) {
  if (access_.generation > refused) co_return true;  // another request of this session was faster
  if (!credential_) co_return false;
  auto renewing = deps_->access.newer_than(*credential_, refused);
  Fetched<Access> access = co_await std::move(renewing);
  if (!access) co_return tl::unexpected(access.error());
  if (access->generation <= refused) co_return false;
  if (access->generation > access_.generation) {
    auth_.token = access->token;
    access_ = std::move(*access);
  }
  co_return true;
}

Awaitable<Fetched<HttpReply>> Session::exchange(Operation operation, HttpRequest request) {
  storage::Secret written_with = auth_.token;
  if (credential_ && runs_out(access_, now())) {
    auto renewing = renew(access_.generation);
    const Fetched<bool> renewed = co_await std::move(renewing);
    if (!renewed) co_return tl::unexpected(renewed.error());
    put_token(request, written_with, auth_.token);
    written_with = auth_.token;
  }
  const std::int64_t generation = access_.generation;
  HttpRequest again = request;
  auto sending = send_permitted(operation, std::move(request));
  Fetched<HttpReply> reply = co_await std::move(sending);
  if (!reply || reply->status != 401) co_return reply;
  auto renewing = renew(generation);
  const Fetched<bool> renewed = co_await std::move(renewing);
  if (!renewed) co_return tl::unexpected(renewed.error());
  if (!*renewed) co_return std::move(*reply);
  put_token(again, written_with, auth_.token);
  auto repeating = send_permitted(operation, std::move(again));
  co_return co_await std::move(repeating);
}

SessionMade make_session(SharedDeps deps, const ActivityContext* context, const StepInput& input,
                         std::optional<CredentialId> credential, Access access) {
  const ImportInput& ask = input.ask;
  const Platform* platform = find_platform(ask.platform);
  if (platform == nullptr) {
    return tl::unexpected(final_error("platform.unknown", "no platform is called " + ask.platform));
  }
  std::string base_url = ask.base_url.empty() ? std::string(platform->base_url) : ask.base_url;
  while (base_url.ends_with('/')) base_url.pop_back();
  return std::make_shared<Session>(std::move(deps), context, *platform, std::move(base_url), std::move(credential),
                                   std::move(access), input);
}

Awaitable<SessionMade> open_session(SharedDeps deps, const ActivityContext* context, StepInput input) {
  const auto id = CredentialId::parse(input.ask.credential);
  auto job = [deps, id, ask = input.ask, visits = context == nullptr]() -> Result<Access> {
    if (!id) return tl::unexpected(id.error());
    TRY(auto access, open_access(deps->vault, *id));
    if (!visits) remember_end(*deps, ask, access);
    return access;
  };
  auto opening = engine::on_pool(deps->pool, deps->loop, std::move(job));
  Result<Access> access = co_await std::move(opening);
  if (!access && (access.error().code == Code::kNotFound || access.error().code == Code::kInvalid)) {
    co_return tl::unexpected(final_error("access.credential_gone",
                                         "the credential is not in the vault any more: add it again, then"
                                         " start the import with its id"));
  }
  if (!access) co_return tl::unexpected(error_of(access.error()));
  co_return make_session(deps, context, input, *id, std::move(*access));
}

}  // namespace callimport::activities
