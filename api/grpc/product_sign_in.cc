// Signing in at a platform in a browser: the address goes out, a code comes in, tokens go into the vault.
#include <fmt/format.h>

#include "api/grpc/deeds.h"
#include "engine/awaitable.h"
#include "storage/vault/oauth_bundle.h"

namespace callimport::api {
namespace {

using activities::PendingSignIn;

constexpr const char* kNobodySignsIn = "this server has no sign-in";

/// One sign-in from its code to its answer. Shared by its steps on pool and loop.
struct SigningIn {
  ProductParts& parts;
  std::shared_ptr<Answer> answer;
  PendingSignIn pending;
  storage::Secret code;
  Noted noted{};
};
using Shared = std::shared_ptr<SigningIn>;

/// On the pool.
Result<v1::BeginSignInResponse> begin_sign_in(ProductParts& parts, const v1::BeginSignInRequest& request) {
  activities::SignInOrder order{request.platform(), request.workspace(), request.port(), {}};
  if (!request.credential().empty()) {
    TRY(const auto id, resolve_credential(parts.vault, request.credential()));
    TRY(const auto facts, find_credential(parts.vault, id.str()));
    if (facts.has_wiped_ms()) return fail(Code::kNotFound, "credential " + id.str() + " was wiped: connect a new one");
    if (facts.platform() != order.platform || facts.kind() != "oauth")
      return fail(Code::kInvalid, fmt::format("{} is no sign-in at {}", id.str(), order.platform));
    order.credential = id.str();
    order.workspace = facts.workspace();
  }
  TRY(const auto begun, parts.sign_ins->begin(std::move(order)));
  v1::BeginSignInResponse reply;
  reply.set_address(begun.address);
  reply.set_state(begun.state);
  reply.set_until_ms(begun.until_ms);
  return reply;
}

/// What failed is noted, then answered.
void fail_with(const Shared& signing, const Error& error) {
  signing->parts.pool.post([signing, error] {
    (void)note_failure(signing->parts, signing->noted, error.message);  // the caller hears of the failure itself
    signing->parts.loop.post([signing, error] { signing->answer->finish(status_of(error)); });
  });
}

void answer_with(const Shared& signing, const std::string& id, const v1::ReplaceCredentialResponse* renewed) {
  v1::FinishSignInResponse reply;
  if (renewed != nullptr) *reply.mutable_renewed() = *renewed;
  signing->parts.pool.post([signing, id, reply]() mutable {
    auto credential = find_credential(signing->parts.vault, id);
    if (credential) *reply.mutable_credential() = std::move(*credential);
    signing->parts.loop.post([signing, reply] { signing->answer->reply(reply); });
  });
}

/// A new credential.
void seal(const Shared& signing, storage::Secret secret) {
  signing->parts.pool.post([signing, secret = std::move(secret)]() mutable {
    ProductParts& parts = signing->parts;
    const auto& order = signing->pending.order;
    auto added =
        parts.vault.add(order.platform, order.workspace, "oauth", std::move(secret), to_unix_ms(parts.clock.now()));
    if (added) (void)note_outcome(parts, signing->noted, added->str());  // the row itself says that it was done
    parts.loop.post([signing, added] {
      if (!added) return fail_with(signing, added.error());
      answer_with(signing, added->str(), nullptr);
    });
  });
}

/// New access for one that is there.
void renew(const Shared& signing, const storage::Secret& secret) {
  v1::ReplaceCredentialRequest request;
  request.set_id(signing->pending.order.credential);
  request.set_secret(secret.reveal());
  renew_credential(signing->parts, request, signing->noted,
                   [signing](const PortStatus& status, const v1::ReplaceCredentialResponse& reply) {
                     if (!status.ok()) return signing->answer->finish(status);
                     answer_with(signing, signing->pending.order.credential, &reply);
                   });
}

void exchange(const Shared& signing) {
  engine::spawn(signing->parts.loop, signing->parts.sign_ins->exchange(signing->pending, signing->code),
                [signing](const Result<storage::OAuthBundle>& bundle) {
                  if (!bundle) return fail_with(signing, bundle.error());
                  const auto secret = storage::write_bundle(*bundle);
                  if (signing->pending.order.credential.empty()) return seal(signing, secret);
                  renew(signing, secret);
                });
}

/// On the pool: the sign-in is taken, and what is about to be done is written down.
Result<Shared> take_sign_in(ProductParts& parts, const v1::FinishSignInRequest& request, const Caller& caller,
                            const std::shared_ptr<Answer>& answer) {
  TRY(auto pending, parts.sign_ins->take(request.state()));
  Deed deed = deed_of(product_method("FinishSignIn"), caller, request.deed());
  const auto& order = pending.order;
  deed.after = credential_note(order.credential, order.platform, order.workspace, "oauth");
  auto signing =
      std::make_shared<SigningIn>(SigningIn{parts, answer, std::move(pending), storage::Secret(request.code())});
  TRY(signing->noted, note_deed(parts, deed));
  return signing;
}

void finish_sign_in(ProductParts& parts, const std::shared_ptr<v1::FinishSignInRequest>& request, const Caller& caller,
                    const std::shared_ptr<Answer>& answer) {
  parts.pool.post([&parts, request, caller, answer] {
    const auto taken = take_sign_in(parts, *request, caller, answer);
    parts.loop.post([answer, taken] {
      if (!taken) return answer->finish(status_of(taken.error()));
      exchange(*taken);
    });
  });
}

}  // namespace

void add_sign_in_methods(Router& router, ProductParts& parts) {
  router.methods[product_method("BeginSignIn")] =
      callers_method<v1::BeginSignInRequest>([&parts](const std::shared_ptr<v1::BeginSignInRequest>& request,
                                                      const Caller&, const std::shared_ptr<Answer>& answer) {
        if (parts.sign_ins == nullptr) return answer->finish({kGrpcUnimplemented, kNobodySignsIn, {}, {}});
        answer_from_pool(parts, answer, [&parts, request] { return begin_sign_in(parts, *request); });
      });
  router.methods[product_method("FinishSignIn")] =
      callers_method<v1::FinishSignInRequest>([&parts](const std::shared_ptr<v1::FinishSignInRequest>& request,
                                                       const Caller& caller, const std::shared_ptr<Answer>& answer) {
        if (parts.sign_ins == nullptr) return answer->finish({kGrpcUnimplemented, kNobodySignsIn, {}, {}});
        finish_sign_in(parts, request, caller, answer);
      });
}

}  // namespace callimport::api
