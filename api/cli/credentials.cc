#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "activities/platforms/platform.h"
#include "api/cli/actions.h"
#include "api/cli/connect.h"
#include "api/cli/secret_input.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct CredentialFlags {
  std::string id, platform, workspace, why, kind = "pat";
  bool no_check = false;
  TokenFlags token;
};

v1::Deed deed_of(const CredentialFlags& flags) {
  v1::Deed deed;
  deed.set_why(flags.why);
  deed.set_request_id(new_request_id());
  return deed;
}

/// Where the platform's OAuth clients get tokens; empty: it has none.
std::string token_endpoint_of(const std::string& platform_name) {
  const auto* platform = activities::find_platform(platform_name);
  if (platform == nullptr || !platform->oauth) return {};
  return std::string(platform->base_url) + std::string(platform->oauth->token_path);
}

Ended add(Session& session, const CredentialFlags& flags) {
  if (activities::find_platform(flags.platform) == nullptr) {
    return sorry(kExitUsage, "usage", "no connector for \"" + printable(flags.platform.substr(0, 60)) + "\"",
                 "callimport start --help");
  }
  CLI_TRY(const auto token, read_credential(session, flags.token, token_endpoint_of(flags.platform)));
  v1::AddCredentialRequest request;
  request.set_platform(flags.platform);
  request.set_workspace(flags.workspace);
  request.set_kind(flags.kind);
  request.set_secret(token);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY(const auto reply,
          (session.ask<v1::AddCredentialRequest, v1::AddCredentialResponse>("AddCredential", request)));
  if (session.json())
    session.print(dump(shape(reply.credential())) + "\n");
  else if (session.output() != Output::kNone)
    session.print(reply.credential().id() + "\n");
  session.say(
      fmt::format("next: callimport start --platform {} --credential {}", flags.platform, reply.credential().id()));
  return kExitDone;
}

Ended list(Session& session) {
  CLI_TRY(const auto reply,
          (session.ask<v1::ListCredentialsRequest, v1::ListCredentialsResponse>("ListCredentials", {})));
  Sheet sheet;
  for (const auto& one : reply.credentials()) sheet.rows.push_back(shape(one));
  sheet.columns = plain_columns({"id", "platform", "workspace", "kind", "label", "added", "expires", "wiped"});
  sheet.empty = "no credentials; next: callimport credentials add --platform grain --token-file FILE";
  sheet.text = [&] {
    Table table{{"CREDENTIAL", "PLATFORM", "WORKSPACE", "KIND", "LOOKS LIKE", "ADDED", "STATE"}, {}, 2};
    for (const auto& one : reply.credentials()) {
      table.rows.push_back({one.id(), one.platform(), printable(one.workspace()), one.kind(), printable(one.label()),
                            session.time(one.added_ms()), one.has_wiped_ms() ? "removed" : "usable"});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended remove(Session& session, const CredentialFlags& flags) {
  v1::RemoveCredentialRequest request;
  request.set_id(flags.id);
  CLI_TRY(const bool go,
          session.confirm(
              "The token is wiped and cannot be brought back; imports that use it will ask for a new one. Remove it?"));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was removed", {});
  request.set_even_if_used(true);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY_VOID((session.ask<v1::RemoveCredentialRequest, v1::RemoveCredentialResponse>("RemoveCredential", request)));
  session.say("removed");
  return kExitDone;
}

/// Of the credential that `id` or its beginning names; empty when none does.
tl::expected<std::string, CliError> platform_of(Session& session, const std::string& id) {
  CLI_TRY(const auto reply,
          (session.ask<v1::ListCredentialsRequest, v1::ListCredentialsResponse>("ListCredentials", {})));
  for (const auto& one : reply.credentials()) {
    if (one.id().starts_with(id)) return one.platform();
  }
  return std::string();
}

Ended renew(Session& session, const CredentialFlags& flags) {
  CLI_TRY(const auto platform, platform_of(session, flags.id));
  CLI_TRY(const auto token, read_credential(session, flags.token, token_endpoint_of(platform)));
  v1::ReplaceCredentialRequest request;
  request.set_id(flags.id);
  request.set_secret(token);
  request.set_no_check(flags.no_check);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY(const auto reply,
          (session.ask<v1::ReplaceCredentialRequest, v1::ReplaceCredentialResponse>("ReplaceCredential", request)));
  if (!reply.refused_cause().empty()) {
    const std::string kept = reply.sealed() ? "" : "; the credential stays as it was";
    return sorry(kExitSignIn, reply.refused_cause(), printable(reply.refused_message()) + "; no import was told" + kept,
                 "callimport credentials renew " + flags.id +
                     " --token-file FILE   # with another token; --no-check takes this one as it is");
  }
  if (session.json()) session.print(dump({{"imports_told", reply.imports_told()}}) + "\n");
  session.say(fmt::format("renewed; {} import(s) go on with it", reply.imports_told_size()));
  for (const auto& id : reply.imports_told()) session.say("next: callimport watch " + id);
  return kExitDone;
}

void add_why(CLI::App& verb, std::string& why) { verb.add_option("--why,--reason", why, "for the audit log"); }

void add_connecting(Tree& tree, CLI::App& parent) {
  auto& verb = tree.verb(parent, "connect", "Sign in at the platform in a browser; its tokens go into the vault",
                         {"callimport credentials connect grain --workspace acme",
                          "callimport credentials connect grain --credential cred_5k2"});
  auto flags = std::make_shared<ConnectFlags>();  // shared by the parser and the body
  verb.add_option("platform", flags->platform, "e.g. grain")->required();
  auto* workspace = verb.add_option("--workspace", flags->workspace, "the account it opens");
  verb.add_option("--credential", flags->credential, "new access for this one; imports that wait for it go on")
      ->excludes(workspace);
  verb.add_option("--wait", flags->wait_s, "seconds to wait for the browser (300)")->check(CLI::Range(1.0, 600.0));
  verb.add_flag("--no-browser", flags->no_browser, "only print the address");
  add_why(verb, flags->why);
  tree.run(verb, [&session = tree.session, flags] { return connect(session, *flags); });
}

void add_token_flags(CLI::App& verb, TokenFlags& flags) {
  verb.add_option("--token-file", flags.file, "file with the token, alone on one line");
  verb.add_flag("--token-stdin", flags.from_stdin, "the token comes on stdin");
}

}  // namespace

void add_credentials(Tree& tree) {
  auto& root = tree.verb(
      tree.root, "credentials", "Tokens of platforms: add, connect, list, renew, remove",
      {"callimport credentials add --platform grain --token-file grain.token", "callimport credentials list"});
  root.require_subcommand(1);
  auto flags = std::make_shared<CredentialFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  auto& adding = tree.verb(root, "add", "Seal a token into the vault",
                           {"callimport credentials add --platform grain --token-file grain.token",
                            "pass grain | callimport credentials add --platform grain --token-stdin",
                            "callimport credentials add --platform grain --kind oauth --token-file grain.json"});
  adding.add_option("--platform", flags->platform, "e.g. grain")->required();
  adding.add_option("--workspace", flags->workspace, "the account it opens");
  adding
      .add_option(
          "--kind", flags->kind,
          "pat, wat or oauth: then the token is a JSON object with access_token, refresh_token, expires_in, client_id, "
          "client_secret and token_endpoint (the platform's own when absent), and is renewed by itself")
      ->check(CLI::IsMember({"pat", "wat", "oauth"}));
  add_token_flags(adding, flags->token);
  add_why(adding, flags->why);
  tree.run(adding, [&session, flags] { return add(session, *flags); });
  add_connecting(tree, root);
  auto& listing = tree.verb(root, "list", "List credentials; tokens are never shown",
                            {"callimport credentials list", "callimport credentials list -o json"});
  tree.run(listing, [&session] { return list(session); });
  auto& renewing = tree.verb(root, "renew", "A new token for the same credential; imports that wait for it go on",
                             {"callimport credentials renew cred_5k2 --token-file grain.token",
                              "pass grain | callimport credentials renew cred_5k2 --token-stdin"});
  renewing.add_option("credential", flags->id, "credential id or its beginning")->required();
  renewing.add_flag("--no-check", flags->no_check, "take it without asking the platform whether it works");
  renewing.alias("replace");
  add_token_flags(renewing, flags->token);
  add_why(renewing, flags->why);
  tree.run(renewing, [&session, flags] { return renew(session, *flags); });
  auto& removing =
      tree.verb(root, "remove", "Wipe a token",
                {"callimport credentials remove cred_5k2", "callimport credentials remove cred_5k2 --yes"});
  removing.add_option("credential", flags->id, "credential id or its beginning")->required();
  add_why(removing, flags->why);
  tree.run(removing, [&session, flags] { return remove(session, *flags); });
}

}  // namespace callimport::api
