// Credentials go from here straight into the vault: never through a workflow, a signal or a log.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/grpc/deeds.h"
#include "api/grpc/product_internal.h"
#include "storage/vault/oauth_bundle.h"

namespace callimport::api {

Result<storage::Secret> sealable(const std::string& text, const std::string& kind, std::int64_t now_ms) {
  storage::Secret secret(text);
  if (kind != "oauth" || !storage::is_bundle(text)) return secret;
  TRY(const auto bundle, storage::read_bundle(secret, now_ms, {}));
  return storage::write_bundle(bundle);
}

Result<v1::Credential> find_credential(storage::Vault& vault, const std::string& id) {
  TRY(const auto all, credentials_in(vault));
  for (const auto& facts : all) {
    if (facts.id == id) return to_message(facts);
  }
  return fail(Code::kNotFound, "no credential " + id);
}

namespace {

std::string kind_of(const v1::AddCredentialRequest& request) { return request.kind().empty() ? "pat" : request.kind(); }

Result<> about_adding(ProductParts& parts, const v1::AddCredentialRequest& request, Deed& deed) {
  if (request.platform().empty()) return fail(Code::kInvalid, "a credential needs a platform");
  TRY_VOID(sealable(request.secret(), kind_of(request), to_unix_ms(parts.clock.now())));
  deed.after = credential_note({}, request.platform(), request.workspace(), kind_of(request));
  return {};
}

/// The outcome of another try of the same deed is the credential it made.
Result<v1::AddCredentialResponse> add_credential(ProductParts& parts, const v1::AddCredentialRequest& request,
                                                 Noted& noted) {
  v1::AddCredentialResponse reply;
  if (noted.again && CredentialId::parse(noted.outcome)) {
    TRY(*reply.mutable_credential(), find_credential(parts.vault, noted.outcome));
    return reply;
  }
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  const std::string kind = kind_of(request);
  TRY(auto secret, sealable(request.secret(), kind, now_ms));
  TRY(const auto id, parts.vault.add(request.platform(), request.workspace(), kind, std::move(secret), now_ms));
  noted.outcome = id.str();
  TRY(*reply.mutable_credential(), find_credential(parts.vault, id.str()));
  return reply;
}

Result<v1::ListCredentialsResponse> list_credentials(ProductParts& parts, const v1::ListCredentialsRequest&) {
  TRY(const auto all, credentials_in(parts.vault));
  v1::ListCredentialsResponse reply;
  for (const auto& facts : all) *reply.add_credentials() = to_message(facts);
  return reply;
}

Result<> about_removing(ProductParts& parts, const v1::RemoveCredentialRequest& request, Deed& deed) {
  TRY(const auto id, resolve_credential(parts.vault, request.id()));
  TRY(const auto known, find_credential(parts.vault, id.str()));
  deed.before = credential_note(id.str(), known.platform(), known.workspace(), known.kind());
  TRY(const auto users, parts.library.imports_with(id.str(), kImportsTold));
  if (!users.empty() && !request.even_if_used()) {
    return fail(Code::kConflict,
                fmt::format("{} open import(s) use {}, e.g. {}", users.size(), id.str(), users.front()));
  }
  deed.after = fmt::format(R"({{"open imports that use it":{}}})", users.size());
  return {};
}

Result<v1::RemoveCredentialResponse> remove_credential(ProductParts& parts, const v1::RemoveCredentialRequest& request,
                                                       Noted&) {
  TRY(const auto id, resolve_credential(parts.vault, request.id()));
  TRY_VOID(parts.vault.wipe(id, to_unix_ms(parts.clock.now())));
  return v1::RemoveCredentialResponse{};
}

void replace_credential(ProductParts& parts, const std::shared_ptr<v1::ReplaceCredentialRequest>& request,
                        const Caller& caller, const std::shared_ptr<Answer>& answer) {
  const auto noting = [&parts, request, caller]() -> Result<Noted> {
    Deed deed = deed_of(product_method("ReplaceCredential"), caller, request->deed());
    TRY(const auto id, resolve_credential(parts.vault, request->id()));
    TRY(const auto known, find_credential(parts.vault, id.str()));
    deed.before = credential_note(id.str(), known.platform(), known.workspace(), known.kind());
    return note_deed(parts, deed);
  };
  parts.pool.post([&parts, request, answer, noting] {
    auto noted = std::make_shared<Result<Noted>>(noting());  // shared: rides in a copyable task
    parts.loop.post([&parts, request, answer, noted] {
      if (!*noted) return answer->finish(status_of(noted->error()));
      renew_credential(parts, *request, **noted,
                       [answer](const PortStatus& status, const v1::ReplaceCredentialResponse& reply) {
                         if (!status.ok()) return answer->finish(status);
                         answer->reply(reply);
                       });
    });
  });
}

}  // namespace

std::string credential_note(const std::string& id, const std::string& platform, const std::string& workspace,
                            const std::string& kind) {
  nlohmann::json note = {{"platform", platform}, {"workspace", workspace}, {"kind", kind}};
  if (!id.empty()) note["credential"] = id;
  return note.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add_credential_methods(Router& router, ProductParts& parts) {
  add_deed(router, parts, "AddCredential", &about_adding, &add_credential);
  add_pooled(router, parts, "ListCredentials", &list_credentials);
  add_deed(router, parts, "RemoveCredential", &about_removing, &remove_credential);
  router.methods[product_method("ReplaceCredential")] = callers_method<v1::ReplaceCredentialRequest>(
      [&parts](const std::shared_ptr<v1::ReplaceCredentialRequest>& request, const Caller& caller,
               const std::shared_ptr<Answer>& answer) { replace_credential(parts, request, caller, answer); });
}

}  // namespace callimport::api
