// A credential gets a new secret: it is held against the platform of an import that waits for it, sealed, and the
// imports are told. One that the platform does not take tells nobody.
#include <fmt/format.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include "activities/notify/access_ends.h"
#include "api/grpc/deeds.h"
#include "storage/library/telling.h"
#include "storage/vault/oauth_bundle.h"

namespace callimport::api {
namespace {

inline constexpr const char* kRenewedSignal = "credentials-renewed";
inline constexpr std::size_t kPlatformsTried = 3;  ///< different inputs of imports that one credential is tried with

/// What becomes of one request. Shared by its steps, which follow one another on pool and loop.
struct Renewal {
  ProductParts& parts;
  Noted noted;
  OnRenewed done;
  std::optional<CredentialId> id;
  storage::Secret secret;
  std::optional<storage::OpenedCredential> fresh;  ///< can be tried before it is sealed
  std::vector<std::string> asks;                   ///< inputs of imports to try it with
  bool sealed = false;
  v1::ReplaceCredentialResponse reply;
};
using SharedRenewal = std::shared_ptr<Renewal>;

/// A bundle whose access token is absent or over must be renewed before it can be tried, and so be sealed first: the
/// platform may rotate its refresh token.
bool can_be_tried(const storage::Secret& secret, const std::string& kind, std::int64_t now_ms) {
  if (kind != "oauth" || !storage::is_bundle(secret.reveal())) return true;
  const auto bundle = storage::read_bundle(secret, now_ms, {});
  if (!bundle || bundle->refresh.reveal().empty()) return true;
  return !bundle->access.reveal().empty() && (bundle->expires_ms == 0 || bundle->expires_ms > now_ms + 60'000);
}

Result<> look(Renewal& renewal, const v1::ReplaceCredentialRequest& request) {
  ProductParts& parts = renewal.parts;
  TRY(auto id, resolve_credential(parts.vault, request.id()));
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  TRY(const auto all, parts.vault.list());
  for (const auto& facts : all) {
    if (facts.id != id.str()) continue;
    if (facts.wiped_ms) return fail(Code::kNotFound, "credential " + id.str() + " was wiped: add it again");
    TRY(renewal.secret, sealable(request.secret(), facts.kind, now_ms));
    if (!can_be_tried(renewal.secret, facts.kind, now_ms)) continue;
    renewal.fresh = storage::OpenedCredential{renewal.secret, facts.platform, facts.workspace, facts.kind, 0};
  }
  TRY(const auto users, parts.library.imports_with(id.str(), kImportsTold));
  for (const auto& import : users) {
    renewal.reply.add_imports_told(import);
    if (request.no_check() || !parts.prove || renewal.asks.size() >= kPlatformsTried) continue;
    TRY(auto row, parts.library.import(import));
    renewal.asks.push_back(std::move(row.input));
  }
  renewal.id = std::move(id);
  return {};
}

/// What came of it is noted before it is answered.
void end(const SharedRenewal& renewal, const PortStatus& status) {
  const auto& reply = renewal->reply;
  std::string outcome;
  if (!status.ok()) {
    outcome = "not done: " + status.message;
  } else if (!reply.refused_cause().empty()) {
    outcome = fmt::format("not {}: {}", reply.sealed() ? "told" : "done", reply.refused_message());
  } else if (reply.imports_told_size() > 0) {
    outcome = fmt::format("{} import(s) go on with it", reply.imports_told_size());
  }
  renewal->parts.pool.post([renewal, status, outcome] {
    if (!outcome.empty()) (void)note_outcome(renewal->parts, renewal->noted, outcome);  // the caller hears it, too
    renewal->parts.loop.post([renewal, status] { renewal->done(status, renewal->reply); });
  });
}

/// Tells the imports one after the other, then answers. One that closed meanwhile is no error.
void tell_imports(SharedRenewal renewal, int next) {
  if (next == renewal->reply.imports_told_size()) return end(renewal, {});
  temporal::api::workflowservice::v1::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_(renewal->parts.name_space);
  signal.mutable_workflow_execution()->set_workflow_id(renewal->reply.imports_told(next));
  signal.set_signal_name(kRenewedSignal);
  signal.set_identity("callimport.v1");
  renewal->parts.service.SignalWorkflowExecution(signal, {}, [renewal, next](const PortStatus& status, auto*) {
    if (!status.ok() && status.code != kGrpcNotFound) return end(renewal, status);
    tell_imports(renewal, next + 1);
  });
}

/// What was remembered of when the old access ends goes; the next step of each import remembers the new one's.
void forget_end(Renewal& renewal) {
  (void)renewal.parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    for (const auto& import : renewal.reply.imports_told())
      TRY_VOID(tx.telling().agenda().drop(activities::kAccessEnds, import));
    return {};
  });
}

/// Seals it, once, and goes on with `then` on the loop.
void seal(SharedRenewal renewal, std::function<void()> then) {
  if (renewal->sealed) return then();
  renewal->parts.pool.post([renewal, then = std::move(then)] {
    auto sealed = std::make_shared<Result<>>(renewal->parts.vault.replace(*renewal->id, renewal->secret));
    if (*sealed) forget_end(*renewal);
    renewal->parts.loop.post([renewal, sealed, then] {
      if (!*sealed) return end(renewal, status_of(sealed->error()));
      renewal->sealed = true;
      then();
    });
  });
}

void refuse(const SharedRenewal& renewal, const AccessRefusal& refusal) {
  renewal->reply.clear_imports_told();
  renewal->reply.set_refused_cause(refusal.cause);
  renewal->reply.set_refused_message(refusal.message);
  renewal->reply.set_sealed(renewal->sealed);
  end(renewal, {});
}

void try_with(SharedRenewal renewal, std::size_t next) {
  if (next == renewal->asks.size()) return seal(renewal, [renewal] { tell_imports(renewal, 0); });
  renewal->parts.prove(renewal->asks[next], renewal->fresh,
                       [renewal, next](const std::optional<AccessRefusal>& refusal) {
                         if (refusal) return refuse(renewal, *refusal);
                         try_with(renewal, next + 1);
                       });
}

void begin(SharedRenewal renewal) {
  if (renewal->fresh || renewal->asks.empty()) return try_with(renewal, 0);
  seal(renewal, [renewal] { try_with(renewal, 0); });
}

}  // namespace

void renew_credential(ProductParts& parts, const v1::ReplaceCredentialRequest& request, Noted noted, OnRenewed done) {
  auto renewal =
      std::make_shared<Renewal>(Renewal{parts, std::move(noted), std::move(done), {}, {}, {}, {}, false, {}});
  parts.pool.post([renewal, request] {
    auto looked = std::make_shared<Result<>>(look(*renewal, request));  // shared: rides in a copyable task
    renewal->parts.loop.post([renewal, looked] {
      if (!*looked) return end(renewal, status_of(looked->error()));
      begin(renewal);
    });
  });
}

}  // namespace callimport::api
