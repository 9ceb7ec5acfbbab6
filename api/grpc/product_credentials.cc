// Credentials go from here straight into the vault: never through a workflow, a signal or a log.
#include <fmt/format.h>

#include "api/grpc/product_internal.h"
#include "storage/vault/oauth_bundle.h"

namespace callimport::api {

Result<storage::Secret> sealable(const std::string& text, const std::string& kind, std::int64_t now_ms) {
  storage::Secret secret(text);
  if (kind != "oauth" || !storage::is_bundle(text)) return secret;
  TRY(const auto bundle, storage::read_bundle(secret, now_ms, {}));
  return storage::write_bundle(bundle);
}

namespace {

Result<v1::AddCredentialResponse> add_credential(ProductParts& parts, const v1::AddCredentialRequest& request) {
  if (request.platform().empty()) return fail(Code::kInvalid, "a credential needs a platform");
  const std::string kind = request.kind().empty() ? "pat" : request.kind();
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  TRY(auto secret, sealable(request.secret(), kind, now_ms));
  TRY(const auto id, parts.vault.add(request.platform(), request.workspace(), kind, std::move(secret), now_ms));
  TRY(const auto all, parts.vault.list());
  v1::AddCredentialResponse reply;
  for (const auto& facts : all) {
    if (facts.id == id.str()) *reply.mutable_credential() = to_message(facts);
  }
  return reply;
}

Result<v1::ListCredentialsResponse> list_credentials(ProductParts& parts, const v1::ListCredentialsRequest&) {
  TRY(const auto all, parts.vault.list());
  v1::ListCredentialsResponse reply;
  for (const auto& facts : all) *reply.add_credentials() = to_message(facts);
  return reply;
}

Result<v1::RemoveCredentialResponse> remove_credential(ProductParts& parts,
                                                       const v1::RemoveCredentialRequest& request) {
  TRY(const auto id, resolve_credential(parts.vault, request.id()));
  TRY(const auto users, parts.library.imports_with(id.str(), kImportsTold));
  if (!users.empty() && !request.even_if_used()) {
    return fail(Code::kConflict,
                fmt::format("{} open import(s) use {}, e.g. {}", users.size(), id.str(), users.front()));
  }
  TRY_VOID(parts.vault.wipe(id, to_unix_ms(parts.clock.now())));
  return v1::RemoveCredentialResponse{};
}

}  // namespace

void add_credential_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "AddCredential", &add_credential);
  add_pooled(router, parts, "ListCredentials", &list_credentials);
  add_pooled(router, parts, "RemoveCredential", &remove_credential);
  add_replace_method(router, parts);
}

}  // namespace callimport::api
