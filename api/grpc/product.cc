#include "api/grpc/product.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

constexpr int kIdsShown = 3;  ///< of those that begin alike

Result<v1::GetServerInfoResponse> server_info(ProductParts& parts) {
  v1::GetServerInfoResponse info;
  info.set_version(parts.facts.version);
  info.set_pid(parts.facts.pid);
  info.set_data_folder(parts.facts.data_folder);
  info.set_grpc_address(parts.facts.grpc_address);
  info.set_socket(parts.facts.socket);
  info.set_task_queue(parts.facts.task_queue);
  info.set_started_ms(parts.facts.started_ms);
  info.set_window(parts.facts.window);
  info.set_zone(parts.facts.zone);
  info.set_order(parts.facts.order);
  info.set_first_lane(parts.facts.first_lane);
  TRY(const auto free, parts.disk.free_bytes(parts.facts.data_folder));
  info.set_free_bytes(static_cast<std::int64_t>(free));
  TRY(const auto open, parts.library.open_imports());
  info.set_open_imports(open);
  return info;
}

void add_server_info(Router& router, ProductParts& parts) {
  using Request = v1::GetServerInfoRequest;
  auto method = typed_method<Request>([&parts](std::shared_ptr<Request>, CallContext, std::shared_ptr<Answer> answer) {
    const auto figures = parts.journal_figures ? parts.journal_figures() : std::pair<std::uint64_t, std::uint64_t>{};
    const auto notice = parts.notice;
    parts.pool.post([&parts, answer, figures, notice] {
      auto info =
          std::make_shared<Result<v1::GetServerInfoResponse>>(server_info(parts));  // shared: rides in a copyable task
      parts.loop.post([info, answer, figures, notice] {
        if (!*info) return answer->finish(status_of(info->error()));
        (*info)->set_journal_commits(figures.first);
        (*info)->set_journal_rows(figures.second);
        (*info)->set_notice(notice);
        answer->reply(**info);
      });
    });
  });
  method.trusted = true;
  router.methods[product_method("GetServerInfo")] = std::move(method);
}

}  // namespace

std::string product_method(std::string_view name) { return fmt::format("/{}/{}", kProductService, name); }

int page_size(std::int32_t asked) { return asked <= 0 ? 100 : std::min(asked, kPageSizeMax); }

Result<std::string> resolve_import(storage::Library& library, const std::string& text) {
  if (text.empty()) return fail(Code::kInvalid, "an import's id is missing");
  if (text.size() > kIdCharactersMax + 4)
    return fail(Code::kInvalid, fmt::format("not an import's id: {} characters", text.size()));
  if (ImportId::parse(text) && library.import(text)) return text;
  std::vector<std::string> found;
  for (const auto& prefix : {text, std::string(ImportTag::prefix) + text}) {
    TRY(auto some, library.import_ids(prefix, kIdsShown));
    std::move(some.begin(), some.end(), std::back_inserter(found));
  }
  if (found.empty()) return fail(Code::kNotFound, "no import " + text);
  if (found.size() > 1)
    return fail(Code::kConflict, fmt::format("several imports begin with {}: {}, {} ...", text, found[0], found[1]));
  return found.front();
}

Result<std::vector<storage::CredentialFacts>> credentials_in(storage::Vault& vault) {
  TRY(auto all, vault.list());
  std::erase_if(all, [](const storage::CredentialFacts& facts) { return facts.platform == kWebhookSecrets; });
  return all;
}

Result<CredentialId> resolve_credential(storage::Vault& vault, const std::string& text) {
  if (text.empty()) return fail(Code::kInvalid, "a credential's id is missing");
  TRY(const auto all, credentials_in(vault));
  std::vector<std::string> found;
  for (const auto& facts : all) {
    if (facts.id == text) return CredentialId::parse(text);
    if (facts.id.starts_with(text) || facts.id.substr(CredentialTag::prefix.size()).starts_with(text))
      found.push_back(facts.id);
  }
  if (found.empty()) return fail(Code::kNotFound, "no credential " + text.substr(0, kIdCharactersMax));
  if (found.size() > 1) return fail(Code::kConflict, fmt::format("{} credentials begin with {}", found.size(), text));
  return CredentialId::parse(found.front());
}

void add_product_methods(Router& router, ProductParts& parts) {
  router.services.insert(std::string(kProductService));
  add_import_methods(router, parts);
  add_watch_method(router, parts);
  add_call_methods(router, parts);
  add_people_methods(router, parts);
  add_credential_methods(router, parts);
  add_sign_in_methods(router, parts);
  add_estimate_method(router, parts);
  add_measure_method(router, parts);
  add_report_methods(router, parts);
  add_backup_methods(router, parts);
  add_action_methods(router, parts);
  add_budget_methods(router, parts);
  add_notification_methods(router, parts);
  add_mute_methods(router, parts);
  add_webhook_methods(router, parts);
  add_server_info(router, parts);
}

}  // namespace callimport::api
