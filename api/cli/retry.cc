// retry and approve: what to do about calls that did not come.
#include <fmt/format.h>

#include "api/cli/actions.h"
#include "api/cli/imports.h"
#include "api/cli/secret_input.h"
#include "api/cli/tree.h"
#include "api/cli/workflows.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

struct RetryFlags {
  ActionFlags action;
  std::vector<std::string> calls;
  std::string cause, credential;
  TokenFlags token;
  bool failed = false, now = false;
};

/// A closed import's own credential was wiped: a token given becomes a new one for its workspace.
tl::expected<std::string, CliError> credential_of(Session& session, const RetryFlags& flags) {
  if (!flags.token.given()) return flags.credential;
  CLI_TRY(const auto import, get_import(session, flags.action.id));
  CLI_TRY(const auto token, read_token(session, flags.token));
  v1::AddCredentialRequest request;
  request.set_platform(import.import().platform());
  request.set_workspace(import.import().workspace());
  request.set_secret(token);
  CLI_TRY(const auto added,
          (session.ask<v1::AddCredentialRequest, v1::AddCredentialResponse>("AddCredential", request)));
  return added.credential().id();
}

Ended retry(Session& session, const RetryFlags& flags) {
  const int chosen =
      (flags.failed ? 1 : 0) + (flags.now ? 1 : 0) + (flags.cause.empty() ? 0 : 1) + (flags.calls.empty() ? 0 : 1);
  if (chosen != 1) {
    return sorry(kExitUsage, "usage", "retry wants one of --failed, --cause, --call and --now",
                 "callimport retry --help");
  }
  v1::RetryImportRequest request;
  request.set_failed(flags.failed);
  request.set_now(flags.now);
  request.set_cause(flags.cause);
  for (const auto& id : flags.calls) request.add_calls(id);
  CLI_TRY(const auto credential, credential_of(session, flags));
  request.set_credential(credential);
  ActionCall call{flags.now ? "Ask again now?" : "Try them again?",
                  flags.now ? "told not to wait any longer" : "tried again",
                  action_sender(session, "RetryImport", request)};
  if (flags.now) {
    call.by_temporal = [&session](const std::string& id) {
      return signal_workflow(session, id, workflows::kSignalRetryNow, {});
    };
  }
  return act_on_imports(session, "retry", flags.action, call);
}

Ended approve(Session& session, const ActionFlags& flags) {
  ActionCall call{"Approve them?", "approved", action_sender(session, "ApproveImport", v1::ApproveImportRequest())};
  call.cannot_be_undone = true;
  return act_on_imports(session, "approve", flags, call);
}

}  // namespace

void add_retry(Tree& tree) {
  auto& verb = tree.verb(tree.root, "retry", "Try failed calls again, or end a wait; what came is never fetched again",
                         {"callimport retry imp_7f3a --failed", "callimport retry imp_7f3a --cause media.damaged --yes",
                          "callimport retry imp_7f3a --now"});
  auto flags = std::make_shared<RetryFlags>();  // shared by the parser and the body
  add_action_flags(verb, flags->action, "kept in the audit log");
  verb.add_flag("--failed", flags->failed, "all calls that failed");
  verb.add_option("--cause", flags->cause, "those that failed for this cause");
  verb.add_option("--call", flags->calls, "these, by source id");
  verb.add_flag("--now", flags->now, "do not wait any longer: ask the platform again at once");
  auto* credential =
      verb.add_option("--credential", flags->credential, "of an import that has ended: a credential added before");
  verb.add_option("--token-file", flags->token.file, "of an import that has ended: file with the platform's token")
      ->excludes(credential);
  verb.add_flag("--token-stdin", flags->token.from_stdin, "the token comes on stdin")->excludes(credential);
  tree.run(verb, [&session = tree.session, flags] { return retry(session, *flags); });
}

void add_approve(Tree& tree) {
  auto& verb =
      tree.verb(tree.root, "approve", "Approve the gaps of an import that asks for it; it closes",
                {"callimport approve imp_7f3a --why 'the customer deleted them'", "callimport approve imp_7f3a --yes"});
  auto flags = std::make_shared<ActionFlags>();  // shared by the parser and the body
  add_action_flags(verb, *flags, "stands in the report", ActionScope::kOne);
  tree.run(verb, [&session = tree.session, flags] { return approve(session, *flags); });
}

}  // namespace callimport::api
