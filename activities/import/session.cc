#include "activities/import/session.h"

namespace callimport::activities {
namespace {

struct Opened {
  storage::Secret secret;
  std::string kind;
};

Result<Opened> open_credential(storage::Vault& vault, const std::string& handle) {
  TRY(const auto id, CredentialId::parse(handle));
  Opened opened;
  TRY(opened.secret, vault.open_sealed(id));
  TRY(const auto known, vault.list());
  for (const auto& facts : known) {
    if (facts.id == handle) opened.kind = facts.kind;
  }
  return opened;
}

}  // namespace

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
  co_return reply;
}

Awaitable<SessionMade> open_session(SharedDeps deps, ImportInput ask) {
  const Platform* platform = find_platform(ask.platform);
  if (platform == nullptr) {
    co_return tl::unexpected(final_error("platform.unknown", "no platform is called " + ask.platform));
  }
  auto job = [deps, handle = ask.credential] { return open_credential(deps->vault, handle); };
  auto opening = engine::on_pool(deps->pool, deps->loop, std::move(job));
  Result<Opened> opened = co_await std::move(opening);
  if (!opened && (opened.error().code == Code::kNotFound || opened.error().code == Code::kInvalid)) {
    co_return tl::unexpected(final_error("access.credential_gone",
                                         "the credential is not in the vault any more: add it again, then"
                                         " start the import with its id"));
  }
  if (!opened) co_return tl::unexpected(error_of(opened.error()));
  PlatformSession auth;
  auth.base_url = std::string(platform->base_url);
  if (!ask.base_url.empty()) auth.base_url = ask.base_url;
  while (auth.base_url.ends_with('/')) auth.base_url.pop_back();
  auth.token = std::move(opened->secret);
  auth.token_kind = std::move(opened->kind);
  Pacer& pacer = deps->pacers.of(ask.platform, ask.workspace);
  co_return std::make_shared<Session>(deps, *platform, std::move(auth), pacer);
}

}  // namespace callimport::activities
