// Credentials go from here straight into the vault: never through a workflow, a signal or a log.
#include <fmt/format.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

inline constexpr const char* kRenewedSignal = "credentials-renewed";

Result<std::vector<std::string>> open_imports_with(storage::Library& library, const std::string& credential) {
  constexpr int kImportsMax = 100'000;
  return library.imports_with(credential, kImportsMax);
}

Result<v1::AddCredentialResponse> add_credential(ProductParts& parts, const v1::AddCredentialRequest& request) {
  if (request.platform().empty()) return fail(Code::kInvalid, "a credential needs a platform");
  TRY(const auto id,
      parts.vault.add(request.platform(), request.workspace(), request.kind().empty() ? "pat" : request.kind(),
                      storage::Secret(request.secret()), to_unix_ms(parts.clock.now())));
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
  TRY(const auto users, open_imports_with(parts.library, id.str()));
  if (!users.empty() && !request.even_if_used()) {
    return fail(Code::kConflict,
                fmt::format("{} open import(s) use {}, e.g. {}", users.size(), id.str(), users.front()));
  }
  TRY_VOID(parts.vault.wipe(id, to_unix_ms(parts.clock.now())));
  return v1::RemoveCredentialResponse{};
}

Result<v1::ReplaceCredentialResponse> replace_credential(ProductParts& parts,
                                                         const v1::ReplaceCredentialRequest& request) {
  TRY(const auto id, resolve_credential(parts.vault, request.id()));
  TRY_VOID(parts.vault.replace(id, storage::Secret(request.secret())));
  TRY(const auto users, open_imports_with(parts.library, id.str()));
  v1::ReplaceCredentialResponse reply;
  for (const auto& import : users) reply.add_imports_told(import);
  return reply;
}

/// Tells the imports of `reply` one after the other, then answers. One that closed meanwhile is no error.
void tell_imports(ProductParts& parts, std::shared_ptr<v1::ReplaceCredentialResponse> reply, int next,
                  std::shared_ptr<Answer> answer) {
  if (next == reply->imports_told_size()) return answer->reply(*reply);
  temporal::api::workflowservice::v1::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_(parts.name_space);
  signal.mutable_workflow_execution()->set_workflow_id(reply->imports_told(next));
  signal.set_signal_name(kRenewedSignal);
  signal.set_identity("callimport.v1");
  parts.service.SignalWorkflowExecution(signal, {}, [&parts, reply, next, answer](const PortStatus& status, auto*) {
    if (!status.ok() && status.code != kGrpcNotFound) return answer->finish(status);
    tell_imports(parts, reply, next + 1, answer);
  });
}

void add_replace_credential(Router& router, ProductParts& parts) {
  using Request = v1::ReplaceCredentialRequest;
  auto method =
      typed_method<Request>([&parts](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        parts.pool.post([&parts, request, answer] {
          auto replaced = std::make_shared<Result<v1::ReplaceCredentialResponse>>(replace_credential(parts, *request));
          parts.loop.post([&parts, replaced, answer] {
            if (!*replaced) return answer->finish(status_of(replaced->error()));
            tell_imports(parts, std::make_shared<v1::ReplaceCredentialResponse>(std::move(**replaced)), 0, answer);
          });
        });
      });
  method.trusted = true;
  router.methods[product_method("ReplaceCredential")] = std::move(method);
}

}  // namespace

void add_credential_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "AddCredential", &add_credential);
  add_pooled(router, parts, "ListCredentials", &list_credentials);
  add_pooled(router, parts, "RemoveCredential", &remove_credential);
  add_replace_credential(router, parts);
}

}  // namespace callimport::api
