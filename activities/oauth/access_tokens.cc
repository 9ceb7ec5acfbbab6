#include "activities/oauth/access_tokens.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "activities/oauth/token_request.h"

namespace callimport::activities {

using engine::Awaitable;
using storage::OAuthBundle;
using storage::OpenedCredential;

Result<Access> access_of(const OpenedCredential& opened) {
  Access access;
  access.kind = opened.kind;
  access.generation = opened.generation;
  if (opened.kind != "oauth" || !storage::is_bundle(opened.secret.reveal())) {
    access.token = opened.secret;
    return access;
  }
  TRY(const auto bundle, storage::read_bundle(opened.secret, 0, {}));
  access.token = bundle.access;
  access.expires_ms = bundle.expires_ms;
  access.renewable = !bundle.refresh.reveal().empty();
  return access;
}

bool runs_out(const Access& access, Timestamp now) {
  if (!access.renewable) return false;
  if (access.token.reveal().empty()) return true;
  return access.expires_ms != 0 && from_unix_ms(access.expires_ms) <= now + kRenewAhead;
}

struct AccessTokens::Inside {
  struct Waiting {
    std::int64_t generation = 0;
    std::function<void(Fetched<Access>)> tell;
  };
  /// An answer of the platform that could not be sealed yet: kept for the next try, the token before it is dead.
  struct Unsealed {
    std::int64_t generation = 0;
    OAuthBundle bundle;
  };
  using Shared = std::shared_ptr<Inside>;

  static void begin(Shared self, const CredentialId& id);
  static void finish(const Shared& self, const CredentialId& id, const Fetched<Access>& outcome);
  static Awaitable<Fetched<Access>> renew(Shared self, CredentialId id, std::int64_t refused);
  static Awaitable<Fetched<OAuthBundle>> ask(Shared self, CredentialId id, OpenedCredential opened);
  static Awaitable<Fetched<Access>> seal(Shared self, CredentialId id, std::int64_t generation, OAuthBundle bundle);

  storage::Vault& vault;
  Http& http;
  Executor& loop;
  Pool& pool;
  Clock& clock;
  std::map<CredentialId, std::vector<Waiting>> waiting;  ///< there while a renewal runs
  std::map<CredentialId, Unsealed> unsealed;
};

namespace {

tl::unexpected<Trouble> vault_trouble(const Error& error) {
  std::string cause = "store.unavailable";
  if (is_disk_full(error)) cause = "store.full";
  if (error.code == Code::kNotFound) cause = "access.credential_gone";
  return tl::unexpected<Trouble>(Again{std::move(cause), error.message, std::nullopt});
}

/// A refusal of a token that was used once before says less than it seems to.
Trouble read_again(Trouble trouble, bool asked_before) {
  const auto* attention = std::get_if<NeedsAttention>(&trouble);
  if (attention == nullptr || attention->cause != "access.revoked" || !asked_before) return trouble;
  return NeedsAttention{"access.expired",
                        "an earlier renewal of the access got no answer that could be kept, and the platform does not"
                        " take the old refresh token any more",
                        attention->who};
}

}  // namespace

/// What is sealed, if it is newer than what was refused; else what the platform gives for it.
Awaitable<Fetched<Access>> AccessTokens::Inside::renew(Shared self, CredentialId id, std::int64_t refused) {
  auto open = [self, id] { return self->vault.open_credential(id); };
  auto opening = engine::on_pool(self->pool, self->loop, std::move(open));
  Result<OpenedCredential> opened = co_await std::move(opening);
  if (!opened) co_return vault_trouble(opened.error());
  const std::int64_t generation = opened->generation;
  if (const auto kept = self->unsealed.find(id); kept != self->unsealed.end()) {
    OAuthBundle bundle = std::move(kept->second.bundle);
    const bool same = kept->second.generation == generation;
    self->unsealed.erase(kept);
    if (same) {
      auto sealing = seal(self, id, generation, std::move(bundle));
      co_return co_await std::move(sealing);
    }
  }
  auto access = access_of(*opened);
  if (!access) co_return vault_trouble(access.error());
  const bool usable = generation > refused && !runs_out(*access, self->clock.now());
  if (!access->renewable || usable) co_return std::move(*access);
  auto asking = ask(self, id, std::move(*opened));
  Fetched<OAuthBundle> bundle = co_await std::move(asking);
  if (!bundle) co_return tl::unexpected(bundle.error());
  auto sealing = seal(self, id, generation, std::move(*bundle));
  co_return co_await std::move(sealing);
}

Awaitable<Fetched<OAuthBundle>> AccessTokens::Inside::ask(Shared self, CredentialId id, OpenedCredential opened) {
  auto note = [self, id] { return self->vault.note_asked(id, to_unix_ms(self->clock.now())); };
  auto noting = engine::on_pool(self->pool, self->loop, std::move(note));
  const Result<bool> asked_before = co_await std::move(noting);
  if (!asked_before) co_return vault_trouble(asked_before.error());
  auto bundle = storage::read_bundle(opened.secret, 0, {});
  if (!bundle) co_return vault_trouble(bundle.error());
  const Platform* platform = find_platform(opened.platform);
  const OAuthFacts* facts = platform != nullptr && platform->oauth ? &*platform->oauth : nullptr;
  HttpRequest request = write_refresh(*bundle, facts);
  auto sending = self->http.send(std::move(request));
  const Result<HttpReply> reply = co_await std::move(sending);
  if (!reply) {
    co_return tl::unexpected<Trouble>(
        Again{"platform.outage", "the token endpoint does not answer: " + reply.error().message, std::nullopt});
  }
  auto tokens = read_tokens(*reply, std::move(*bundle), self->clock.now());
  if (!tokens) co_return tl::unexpected(read_again(tokens.error(), *asked_before));
  co_return std::move(*tokens);
}

Awaitable<Fetched<Access>> AccessTokens::Inside::seal(Shared self, CredentialId id, std::int64_t generation,
                                                      OAuthBundle bundle) {
  auto put = [self, id, generation, secret = storage::write_bundle(bundle)]() -> Result<OpenedCredential> {
    const Result<> sealed = self->vault.renew(id, generation, secret);
    if (!sealed && sealed.error().code != Code::kConflict) return tl::unexpected(sealed.error());
    return self->vault.open_credential(id);  // after a conflict: what somebody put in meanwhile
  };
  auto putting = engine::on_pool(self->pool, self->loop, std::move(put));
  const Result<OpenedCredential> opened = co_await std::move(putting);
  if (!opened) {
    if (opened.error().code == Code::kUnavailable) self->unsealed[id] = Unsealed{generation, std::move(bundle)};
    co_return vault_trouble(opened.error());
  }
  auto access = access_of(*opened);
  if (!access) co_return vault_trouble(access.error());
  co_return std::move(*access);
}

void AccessTokens::Inside::begin(Shared self, const CredentialId& id) {
  const std::int64_t refused = self->waiting[id].front().generation;
  engine::spawn(self->loop, renew(self, id, refused),
                [self, id](const Fetched<Access>& outcome) { finish(self, id, outcome); });
}

/// Tells everybody whom the outcome serves; the others' turn comes next.
void AccessTokens::Inside::finish(const Shared& self, const CredentialId& id, const Fetched<Access>& outcome) {
  std::vector<Waiting> told = std::move(self->waiting[id]), left;
  self->waiting.erase(id);
  for (auto it = told.begin(); it != told.end();) {
    const bool served = it == told.begin() || !outcome || outcome->generation > it->generation;
    if (!served) left.push_back(std::move(*it));
    it = served ? it + 1 : told.erase(it);
  }
  if (!left.empty()) {
    self->waiting[id] = std::move(left);
    begin(self, id);
  }
  for (const Waiting& one : told) one.tell(outcome);
}

AccessTokens::AccessTokens(storage::Vault& vault, Http& http, Executor& loop, Pool& pool, Clock& clock)
    : inside_(std::make_shared<Inside>(Inside{vault, http, loop, pool, clock, {}, {}})) {}

Awaitable<Fetched<Access>> AccessTokens::newer_than(CredentialId id, std::int64_t generation) {
  auto start = [inside = inside_, id, generation](std::function<void(Fetched<Access>)> set) {
    auto& waiting = inside->waiting[id];
    waiting.push_back({generation, std::move(set)});
    if (waiting.size() == 1) Inside::begin(inside, id);
  };
  co_return co_await engine::async_value<Fetched<Access>>(std::move(start));
}

}  // namespace callimport::activities
