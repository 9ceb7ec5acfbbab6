#pragma once
// Pieces shared by the files of callimport.v1.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/grpc/convert.h"
#include "api/grpc/product.h"
#include "api/grpc/typed.h"

namespace callimport::api {

std::string product_method(std::string_view name);

/// Runs `work` on the pool, and sends its Result<Response> from the loop.
template <class Work>
void answer_from_pool(ProductParts& parts, std::shared_ptr<Answer> answer, Work work) {
  parts.pool.post([&parts, answer = std::move(answer), work = std::move(work)] {
    auto result = std::make_shared<decltype(work())>(work());  // shared: rides in a copyable task
    parts.loop.post([result, answer] {
      if (!*result) return answer->finish(status_of(result->error()));
      answer->reply(**result);
    });
  });
}

/// From this role on private calls are seen whole.
inline constexpr Role kSeesPrivate = Role::kOperator;

/// A trusted unary method whose body blocks, and heeds who asks.
template <class Request, class Response>
void add_pooled(Router& router, ProductParts& parts, std::string_view name,
                Result<Response> (*body)(ProductParts&, const Request&, const Caller&)) {
  router.methods[product_method(name)] = callers_method<Request>(
      [&parts, body](std::shared_ptr<Request> request, const Caller& caller, std::shared_ptr<Answer> answer) {
        answer_from_pool(parts, std::move(answer),
                         [&parts, body, request, caller] { return body(parts, *request, caller); });
      });
}

/// The same for everybody alike.
template <class Request, class Response>
void add_pooled(Router& router, ProductParts& parts, std::string_view name,
                Result<Response> (*body)(ProductParts&, const Request&)) {
  router.methods[product_method(name)] = callers_method<Request>(
      [&parts, body](std::shared_ptr<Request> request, const Caller&, std::shared_ptr<Answer> answer) {
        answer_from_pool(parts, std::move(answer), [&parts, body, request] { return body(parts, *request); });
      });
}

/// The same, for a body that must know whose call it is.
template <class Request, class Response>
void add_pooled(Router& router, ProductParts& parts, std::string_view name,
                Result<Response> (*body)(ProductParts&, const Caller&, const Request&)) {
  Method method;
  method.trusted = true;
  method.serve = [&parts, body](Incoming incoming) -> OnLoop {
    auto request = std::make_shared<Request>();  // shared: rides in copyable tasks
    auto answer = std::move(incoming.answer);
    if (!request->ParseFromArray(incoming.bytes.data(), static_cast<int>(incoming.bytes.size()))) {
      return [answer] { answer->finish({kGrpcInternal, "grpc: error unmarshalling request", {}, {}}); };
    }
    return [&parts, body, request, answer, caller = std::move(incoming.caller)] {
      parts.pool.post([&parts, body, request, answer, caller] {
        auto result = std::make_shared<Result<Response>>(body(parts, caller, *request));  // shared: as the request
        parts.loop.post([result, answer] {
          if (!*result) return answer->finish(status_of(result->error()));
          answer->reply(**result);
        });
      });
    };
  };
  router.methods[product_method(name)] = std::move(method);
}

/// 1..kPageSizeMax; 0 asks for 100.
int page_size(std::int32_t asked);
/// The import's full id, from itself or a unique prefix.  @error kNotFound; kConflict  several begin so.
Result<std::string> resolve_import(storage::Library& library, const std::string& text);
/// The same for credentials.
Result<CredentialId> resolve_credential(storage::Vault& vault, const std::string& text);

void add_import_methods(Router& router, ProductParts& parts);
void add_watch_method(Router& router, ProductParts& parts);
void add_call_methods(Router& router, ProductParts& parts);
void add_people_methods(Router& router, ProductParts& parts);
void add_credential_methods(Router& router, ProductParts& parts);
void add_estimate_method(Router& router, ProductParts& parts);
void add_measure_method(Router& router, ProductParts& parts);
void add_report_methods(Router& router, ProductParts& parts);
void add_backup_methods(Router& router, ProductParts& parts);
void add_action_methods(Router& router, ProductParts& parts);
void add_notification_methods(Router& router, ProductParts& parts);
void add_mute_methods(Router& router, ProductParts& parts);
void add_budget_methods(Router& router, ProductParts& parts);
void add_sign_in_methods(Router& router, ProductParts& parts);
void add_webhook_methods(Router& router, ProductParts& parts);

/// Of platforms: what else is sealed is nobody's credential.
Result<std::vector<storage::CredentialFacts>> credentials_in(storage::Vault& vault);
inline constexpr std::string_view kWebhookSecrets = "webhook";  ///< what the vault has them under: no credentials

inline constexpr int kImportsTold = 100'000;                                           ///< by one renewed credential
Result<v1::Credential> find_credential(storage::Vault& vault, const std::string& id);  ///< @error kNotFound
/// What a person gave, as it is sealed: an OAuth bundle in our own words, with the time it ends instead of how long it
/// lasts.  @error kInvalid  as read_bundle.
Result<storage::Secret> sealable(const std::string& text, const std::string& kind, std::int64_t now_ms);

}  // namespace callimport::api
