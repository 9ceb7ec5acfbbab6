#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/workflows.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

struct StopFlags {
  std::string id, reason, until;
};

std::string user() {
  const char* name = std::getenv("USER");
  return name == nullptr ? "the terminal" : name;
}

Ended cancel(Session& session, const StopFlags& flags) {
  CLI_TRY(const auto reply, get_import(session, flags.id));
  const auto& id = reply.import().id();
  if (reply.import().has_closed_ms())
    return sorry(kExitFailed, "already_closed", id + " has ended: " + state_line(session, reply.import()),
                 "callimport show " + id);
  if (reply.import().has_counters()) {
    const auto& counters = reply.import().counters();
    session.say(
        fmt::format("this stops {}: {} calls stay in the library, {} will not come; its credential is wiped. It can be "
                    "started again with "
                    "--import-id, and goes on with what is missing",
                    id, human_count(counters.registered() + counters.duplicate()), human_count(counters.pending())));
  }
  CLI_TRY(const bool go, session.confirm("Cancel it?"));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was cancelled", {});
  CLI_TRY_VOID(cancel_workflow(session, id, flags.reason.empty() ? "asked by " + user() : flags.reason));
  session.say("cancellation was asked for; downloads under way end first. next: callimport watch " + id);
  return kExitDone;
}

Ended pause(Session& session, const StopFlags& flags) {
  CLI_TRY(const auto id, find_import(session, flags.id));
  nlohmann::json input = {{"who", user()}, {"why", flags.reason}};
  if (!flags.until.empty()) {
    CLI_TRY(const auto until, read_time("--until", flags.until));
    input["until_ms"] = until;
  }
  CLI_TRY_VOID(signal_workflow(session, id, workflows::kSignalPause, dump(input)));
  session.say("paused; downloads under way finish first, nothing is lost. next: callimport resume " + id);
  return kExitDone;
}

Ended resume(Session& session, const StopFlags& flags) {
  CLI_TRY(const auto id, find_import(session, flags.id));
  CLI_TRY_VOID(signal_workflow(session, id, workflows::kSignalResume, dump({{"who", user()}})));
  session.say("resumed. next: callimport watch " + id);
  return kExitDone;
}

Ended retry_now(Session& session, const StopFlags& flags) {
  CLI_TRY(const auto id, find_import(session, flags.id));
  CLI_TRY_VOID(signal_workflow(session, id, workflows::kSignalRetryNow, {}));
  session.say("told not to wait any longer. next: callimport watch " + id);
  return kExitDone;
}

std::shared_ptr<StopFlags> flags_of(CLI::App& verb) {
  auto flags = std::make_shared<StopFlags>();  // shared by the parser and the body
  verb.add_option("import", flags->id, "import id or its beginning")->required();
  return flags;
}

}  // namespace

void add_cancel(Tree& tree) {
  auto& verb = tree.verb(tree.root, "cancel", "Stop an import for good; what is in the library stays",
                         {"callimport cancel imp_7f3a --reason 'wrong workspace'", "callimport cancel imp_7f3a --yes"});
  const auto flags = flags_of(verb);
  verb.add_option("--reason", flags->reason, "kept in the history");
  tree.run(verb, [&session = tree.session, flags] { return cancel(session, *flags); });
}

void add_pause_resume(Tree& tree) {
  auto& stop = tree.verb(tree.root, "pause", "Pause an import",
                         {"callimport pause imp_7f3a --reason 'customer call at three'",
                          "callimport pause imp_7f3a --until 2026-09-05T06:00:00Z"});
  const auto stop_flags = flags_of(stop);
  stop.add_option("--reason", stop_flags->reason, "shown with the import");
  stop.add_option("--until", stop_flags->until, "goes on by itself then");
  tree.run(stop, [&session = tree.session, stop_flags] { return pause(session, *stop_flags); });
  auto& go = tree.verb(tree.root, "resume", "Go on with a paused import",
                       {"callimport resume imp_7f3a", "callimport resume imp_7f3a -q"});
  const auto go_flags = flags_of(go);
  tree.run(go, [&session = tree.session, go_flags] { return resume(session, *go_flags); });
  auto& retry = tree.verb(tree.root, "retry-now", "End an import's wait and ask the platform again at once",
                          {"callimport retry-now imp_7f3a", "callimport retry-now imp_7f3a -q"});
  const auto retry_flags = flags_of(retry);
  tree.run(retry, [&session = tree.session, retry_flags] { return retry_now(session, *retry_flags); });
}

}  // namespace callimport::api
