#include <fmt/format.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "activities/platforms/platform.h"
#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/wizard.h"
#include "api/cli/workflows.h"
#include "storage/model/ids.h"
#include "storage/runtime/os_random.h"

namespace callimport::api {
namespace {

/// The import's id: as asked, or from the request id so that the same key names the same import, or at random.
std::string import_id_of(const StartFlags& flags) {
  if (!flags.import_id.empty()) return flags.import_id;
  if (flags.request_id.empty()) return std::string(ImportTag::prefix) + OsRandom().id_text(16);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(flags.request_id.data()), flags.request_id.size(), hash);
  std::string id(ImportTag::prefix);
  for (int i = 0; i < 10; ++i) id += fmt::format("{:02x}", hash[i]);
  return id;
}

tl::expected<activities::ImportInput, CliError> order_of(const StartFlags& flags) {
  activities::ImportInput order;
  order.import = import_id_of(flags);
  if (!ImportId::parse(order.import)) {
    return sorry(kExitUsage, "usage", "--import-id must be imp_ and up to 64 characters of 0-9 and a-z",
                 "callimport start --help");
  }
  order.platform = flags.platform;
  order.workspace = flags.workspace.empty() ? flags.customer : flags.workspace;
  order.title = flags.title.empty() ? flags.customer : flags.title;
  order.base_url = flags.base_url;
  while (order.base_url.ends_with('/')) order.base_url.pop_back();
  order.calls_max = flags.sample;
  order.media = !flags.no_media;
  order.settings = flags.settings;
  const char* user = std::getenv("USER");
  order.started_by = user == nullptr ? fmt::format("uid {}", ::getuid()) : user;
  CLI_TRY(order.after_ms, read_time("--after", flags.after));
  CLI_TRY(order.before_ms, read_time("--before", flags.before));
  return order;
}

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
      "import from {} for {}: the first {} calls first, newest first, then {}; {}", platform->title,
      printable(order.workspace.empty() ? "the token's workspace" : order.workspace), order.settings.first_lane,
      order.calls_max > 0 ? fmt::format("up to {} in all", order.calls_max) : std::string("all others"),
      order.media ? "recordings and transcripts" : "transcripts only"));
  if (platform->requests_per_minute > 0) {
    session.say(
        fmt::format("estimate: {} allows {} requests a minute and a call takes about {}, so about {} calls an hour",
                    platform->title, platform->requests_per_minute, order.media ? 3 : 2,
                    human_count(platform->requests_per_minute * 60 / (order.media ? 3 : 2))));
  }
}

/// A re-request takes from the closed import what was not said again.
tl::expected<StartFlags, CliError> completed(Session& session, StartFlags flags) {
  if (flags.import_id.empty()) return flags;
  v1::GetImportRequest request;
  request.set_id(flags.import_id);
  const auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
  const bool unknown = !reply && (reply.error().code == "not_found" || reply.error().code == kLibraryAbsent);
  if (unknown && ImportId::parse(flags.import_id)) return flags;
  if (!reply) return tl::unexpected(reply.error());
  flags.import_id = reply->import().id();
  const auto before = activities::read_note<activities::ImportInput>(reply->import().input());
  if (!before) return flags;
  const auto keep = [](std::string& now, const std::string& then) {
    if (now.empty()) now = then;
  };
  keep(flags.platform, before->platform);
  keep(flags.workspace, before->workspace);
  keep(flags.title, before->title);
  keep(flags.base_url, before->base_url);
  return flags;
}

Ended start(Session& session, const StartFlags& asked) {
  CLI_TRY(auto flags, completed(session, asked));
  if (flags.platform.empty() && session.may_ask()) {
    CLI_TRY(flags, ask_for_start(session, std::move(flags)));
  }
  if (flags.platform.empty()) {
    return sorry(kExitUsage, "usage", "--platform is required: there is no terminal to ask on",
                 "callimport start --platform grain --customer NAME --token-file FILE --yes");
  }
  if (activities::find_platform(flags.platform) == nullptr) {
    std::string known;
    for (const auto* one : activities::platforms()) known += (known.empty() ? "" : ", ") + std::string(one->name);
    return sorry(kExitUsage, "usage",
                 "no connector for \"" + printable(flags.platform.substr(0, 60)) + "\"; there are: " + known,
                 "callimport start --help");
  }
  CLI_TRY(auto order, order_of(flags));
  say_plan(session, order);
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
  verb.add_option("--platform", flags->platform, "where the calls are, e.g. grain");
  verb.add_option("--customer", flags->customer, "whose calls they are: title and workspace unless those are given");
  verb.add_option("--workspace", flags->workspace, "the account at the platform; calls are known by it");
  verb.add_option("--title", flags->title, "what people call this import");
  auto* credential = verb.add_option("--credential", flags->credential, "a credential added before");
  verb.add_option("--token-file", flags->token.file, "file with the platform's token")->excludes(credential);
  verb.add_flag("--token-stdin", flags->token.from_stdin, "the token comes on stdin")->excludes(credential);
  verb.add_option("--token-kind", flags->token_kind, "pat, wat or oauth")
      ->check(CLI::IsMember({"pat", "wat", "oauth"}));
  verb.add_option("--base-url", flags->base_url, "another server than the vendor's, e.g. a sandbox");
  verb.add_option("--first", flags->settings.first_lane, "how many calls come before all others")
      ->check(CLI::Range(0, 1'000'000));
  verb.add_option("--sample", flags->sample, "only the newest N calls")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}));
  verb.add_option("--after", flags->after, "only calls that began at or after this day or time");
  verb.add_option("--before", flags->before, "only calls that began before it");
  verb.add_flag("--no-media", flags->no_media, "details and transcripts only");
  verb.add_option("--batch", flags->settings.fetch_batch, "calls one step takes on")->check(CLI::Range(1, 10'000));
  verb.add_option("--concurrency", flags->settings.fetch_at_once, "calls under way together")
      ->check(CLI::Range(1, 1'000));
  verb.add_option("--heartbeat-ms", flags->settings.heartbeat_ms, "a step silent for so long is tried again")
      ->check(CLI::Range(100, 3'600'000))
      ->group("");
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
