#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "activities/platforms/platform.h"
#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/wizard.h"
#include "api/cli/workflows.h"
#include "storage/library/lane_order.h"
#include "storage/model/ids.h"
#include "storage/runtime/os_random.h"

namespace callimport::api {
namespace {

/// The handle of the credential: the one named, or a new one from the token given.
tl::expected<std::string, CliError> credential_of(Session& session, const StartFlags& flags,
                                                  const activities::ImportInput& order) {
  if (!flags.credential.empty()) {
    const auto all = session.ask<v1::ListCredentialsRequest, v1::ListCredentialsResponse>("ListCredentials", {});
    // Where only Temporal answers, the handle is taken as it is: the worker that has the library looks it up.
    if (!all && all.error().code == kLibraryAbsent && CredentialId::parse(flags.credential)) return flags.credential;
    if (!all) return tl::unexpected(all.error());
    for (const auto& one : all->credentials()) {
      if (!one.id().starts_with(flags.credential)) continue;
      if (one.has_wiped_ms())
        return sorry(kExitSignIn, "credential.wiped", one.id() + " was removed",
                     "callimport credentials add --platform " + flags.platform);
      return one.id();
    }
    return sorry(kExitFailed, "not_found", "no credential " + flags.credential, "callimport credentials list");
  }
  CLI_TRY(const auto token, read_token(session, flags.token));
  v1::AddCredentialRequest request;
  request.set_platform(order.platform);
  request.set_workspace(order.workspace);
  request.set_kind(flags.token_kind);
  request.set_secret(token);
  CLI_TRY(const auto reply,
          (session.ask<v1::AddCredentialRequest, v1::AddCredentialResponse>("AddCredential", request)));
  return reply.credential().id();
}

/// Where the import is to run: as told, or as the server with the library says.
tl::expected<std::string, CliError> task_queue_of(Session& session, const StartFlags& flags) {
  if (!flags.task_queue.empty()) return flags.task_queue;
  auto server = session.ask<v1::GetServerInfoRequest, v1::GetServerInfoResponse>("GetServerInfo", {});
  if (server) return server->task_queue();
  if (server.error().code == kLibraryAbsent)
    server.error().next = "repeat it where the worker runs, without --address; or name its --task-queue";
  return tl::unexpected(server.error());
}

/// The id on stdout, JSON on request; talk on stderr.
void print_started(const Session& session, const activities::ImportInput& order, bool started) {
  if (session.json()) {
    session.print(dump({{"id", order.import},
                        {"platform", order.platform},
                        {"workspace", order.workspace},
                        {"started", started}}) +
                  "\n");
  } else if (session.output() != Output::kNone) {
    session.print(order.import + "\n");
  }
}

void say_plan(const Session& session, const activities::ImportInput& order) {
  const auto* platform = activities::find_platform(order.platform);
  session.say(fmt::format(
      "import from {} for {}: the first {} calls first, {}, then {}; {}", platform->title,
      printable(order.workspace.empty() ? "the token's workspace" : order.workspace), order.settings.first_lane,
      storage::spoken_order(storage::parse_lane_order(order.order).value_or(storage::LaneOrder{})),
      order.calls_max > 0 ? fmt::format("up to {} in all", order.calls_max) : std::string("all others"),
      order.media ? "recordings and transcripts" : "transcripts only"));
  if (platform->requests_per_minute > 0) {
    session.say(
        fmt::format("estimate: {} allows {} requests a minute and a call takes about {}, so about {} calls an hour",
                    platform->title, platform->requests_per_minute, order.media ? 3 : 2,
                    human_count(platform->requests_per_minute * 60 / (order.media ? 3 : 2))));
  }
}

Ended start(Session& session, const StartFlags& asked) {
  CLI_TRY(auto flags, completed_flags(session, asked));
  if (flags.platform.empty() && session.may_ask()) {
    CLI_TRY(flags, ask_for_start(session, std::move(flags)));
  }
  CLI_TRY_VOID(check_platform(flags));
  CLI_TRY(auto order, import_order(flags));
  complete_order(session, flags, order);
  CLI_TRY(const auto when, describe_when(order, session.now_ms()));
  say_plan(session, order);
  for (const auto& line : when) session.say(line);
  if (flags.dry_run) return kExitDone;
  // The same key again: nothing is asked, added or started twice.
  if (!flags.request_id.empty() && flags.import_id.empty()) {
    CLI_TRY(const auto known, describe_workflow(session, order.import));
    if (known) {
      session.say("this request was started before as " + order.import);
      print_started(session, order, false);
      return flags.wait ? watch_import(session, order.import, flags.watch) : Ended(kExitDone);
    }
  }
  CLI_TRY(const bool go, session.confirm("Start it?"));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was started", {});
  CLI_TRY(order.credential, credential_of(session, flags, order));
  CLI_TRY(const auto task_queue, task_queue_of(session, flags));
  StartOrder start{order.import, activities::write_note(order),
                   flags.request_id.empty() ? OsRandom().uuid4() : flags.request_id, task_queue};
  CLI_TRY(const bool started, start_import_workflow(session, start));
  if (!started && flags.request_id.empty())
    return sorry(kExitFailed, "already_exists", order.import + " is running", "callimport watch " + order.import);
  print_started(session, order, started);
  if (const auto page = web_page_of(session, order.import); !page.empty()) session.say(page);
  if (flags.wait) return watch_import(session, order.import, flags.watch);
  session.say("next: callimport watch " + order.import);
  return kExitDone;
}

}  // namespace

void add_start(Tree& tree) {
  auto& verb = tree.verb(tree.root, "start", "Start an import",
                         {"callimport start --platform grain --customer Acme --token-file grain.token --wait",
                          "callimport start --platform grain --credential cred_5k2 --sample 50 --yes"});
  auto flags = std::make_shared<StartFlags>();  // shared by the parser and the body
  add_import_flags(verb, *flags);
  verb.add_option("--request-id", flags->request_id, "idempotency key: the same key starts one import only");
  verb.add_option("--import-id", flags->import_id, "go on with a closed import: what is missing runs");
  verb.add_option("--task-queue", flags->task_queue,
                  "where a worker with the library waits for it (default: as the server says)");
  auto* wait = verb.add_flag("--wait", flags->wait, "watch it to its end");
  add_watch_flags(verb, flags->watch, wait);
  verb.add_flag("--dry-run", flags->dry_run, "say what would happen, start nothing");
  tree.run(verb, [&session = tree.session, flags] { return start(session, *flags); });
}

}  // namespace callimport::api
