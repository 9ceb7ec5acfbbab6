#include "activities/import/session.h"

namespace callimport::activities {
namespace {

Result<Access> open_access(storage::Vault& vault, const CredentialId& id) {
  TRY(const auto opened, vault.open_credential(id));
  return access_of(opened);
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

Session::Session(SharedDeps deps, std::string import, const Platform& platform, std::string base_url,
                 std::optional<CredentialId> credential, Access access, Pacer& pacer)
    : deps_(std::move(deps)),
      import_(std::move(import)),
      platform_(platform),
      auth_{std::move(base_url), access.token, access.kind},
      credential_(std::move(credential)),
      access_(std::move(access)),
      pacer_(pacer) {
  if (auth_.token.reveal().empty()) auth_.token = storage::Secret(kNoTokenYet);
}

Trouble Session::no_answer(const Error& error) {
  if (error.code == Code::kInvalid) return CallFailed{"platform.changed_answer", error.message};
  return Again{"platform.outage", "the platform does not answer: " + error.message, std::nullopt};
}

Awaitable<Result<HttpReply>> Session::send_paced(HttpRequest request) {
  const Timestamp slot = pacer_.reserve(now());
  if (slot > now()) {
    auto pause = engine::sleep_for(deps_->clock, slot - now());
    co_await std::move(pause);
  }
  auto sending = deps_->http.send(std::move(request));
  Result<HttpReply> reply = co_await std::move(sending);
  if (reply) pacer_.heard(*reply, now());
  if (reply && reply->status < 400) moved();  // a refusal, were it the same for ever, is no progress
  co_return reply;
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

Awaitable<Fetched<HttpReply>> Session::exchange(HttpRequest request) {
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
  auto sending = send_paced(std::move(request));
  Result<HttpReply> reply = co_await std::move(sending);
  if (reply && reply->status == 401) {
    auto renewing = renew(generation);
    const Fetched<bool> renewed = co_await std::move(renewing);
    if (!renewed) co_return tl::unexpected(renewed.error());
    if (!*renewed) co_return std::move(*reply);
    put_token(again, written_with, auth_.token);
    auto repeating = send_paced(std::move(again));
    reply = co_await std::move(repeating);
  }
  if (!reply) co_return tl::unexpected<Trouble>(no_answer(reply.error()));
  co_return std::move(*reply);
}

SessionMade make_session(SharedDeps deps, const ImportInput& ask, std::optional<CredentialId> credential,
                         Access access) {
  const Platform* platform = find_platform(ask.platform);
  if (platform == nullptr) {
    return tl::unexpected(final_error("platform.unknown", "no platform is called " + ask.platform));
  }
  std::string base_url = ask.base_url.empty() ? std::string(platform->base_url) : ask.base_url;
  while (base_url.ends_with('/')) base_url.pop_back();
  Pacer& pacer = deps->pacers.of(ask.platform, ask.workspace);
  return std::make_shared<Session>(std::move(deps), ask.import, *platform, std::move(base_url), std::move(credential),
                                   std::move(access), pacer);
}

Awaitable<SessionMade> open_session(SharedDeps deps, ImportInput ask) {
  const auto id = CredentialId::parse(ask.credential);
  auto job = [deps, id]() -> Result<Access> {
    if (!id) return tl::unexpected(id.error());
    return open_access(deps->vault, *id);
  };
  auto opening = engine::on_pool(deps->pool, deps->loop, std::move(job));
  Result<Access> access = co_await std::move(opening);
  if (!access && (access.error().code == Code::kNotFound || access.error().code == Code::kInvalid)) {
    co_return tl::unexpected(final_error("access.credential_gone",
                                         "the credential is not in the vault any more: add it again, then"
                                         " start the import with its id"));
  }
  if (!access) co_return tl::unexpected(error_of(access.error()));
  co_return make_session(deps, ask, *id, std::move(*access));
}

}  // namespace callimport::activities
