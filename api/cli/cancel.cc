// cancel, pause, resume.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/actions.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/workflows.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

struct StopFlags {
  ActionFlags action;
  std::string until;
};

std::string user() {
  const char* name = std::getenv("USER");
  return name == nullptr ? "the terminal" : name;
}

Ended cancel(Session& session, const StopFlags& flags) {
  ActionCall call{"Cancel it?", "cancellation was asked for; downloads under way end first",
                  action_sender(session, "CancelImport", v1::CancelImportRequest())};
  call.cannot_be_undone = true;
  call.by_temporal = [&session, &flags](const std::string& id) {
    return cancel_workflow(session, id, flags.action.why.empty() ? "asked by " + user() : flags.action.why);
  };
  return act_on_imports(session, "cancel", flags.action, call);
}

Ended pause(Session& session, const StopFlags& flags) {
  CLI_TRY(const auto until_ms, read_time("--until", flags.until));
  v1::PauseImportRequest request;
  request.set_until_ms(until_ms);
  ActionCall call{"Pause it?", "paused; callimport resume goes on", action_sender(session, "PauseImport", request)};
  call.by_temporal = [&session, &flags, until_ms](const std::string& id) {
    return signal_workflow(session, id, workflows::kSignalPause,
                           dump({{"who", user()}, {"why", flags.action.why}, {"until_ms", until_ms}}));
  };
  return act_on_imports(session, "pause", flags.action, call);
}

Ended resume(Session& session, const StopFlags& flags) {
  ActionCall call{"Resume it?", "resumed", action_sender(session, "ResumeImport", v1::ResumeImportRequest())};
  call.by_temporal = [&session](const std::string& id) {
    return signal_workflow(session, id, workflows::kSignalResume, dump({{"who", user()}}));
  };
  return act_on_imports(session, "resume", flags.action, call);
}

std::shared_ptr<StopFlags> flags_of(CLI::App& verb, const std::string& why) {
  auto flags = std::make_shared<StopFlags>();  // shared by the parser and the body
  add_action_flags(verb, flags->action, why);
  return flags;
}

}  // namespace

void add_cancel(Tree& tree) {
  auto& verb = tree.verb(tree.root, "cancel", "Stop an import for good; what is in the library stays",
                         {"callimport cancel imp_7f3a --why 'wrong workspace'", "callimport cancel imp_7f3a --yes"});
  const auto flags = flags_of(verb, "kept in the history and the audit log");
  tree.run(verb, [&session = tree.session, flags] { return cancel(session, *flags); });
}

void add_pause_resume(Tree& tree) {
  auto& stop = tree.verb(tree.root, "pause", "Pause an import; what is under way finishes",
                         {"callimport pause imp_7f3a --why 'customer call at three'",
                          "callimport pause imp_7f3a --until 2026-09-05T06:00:00Z"});
  const auto stop_flags = flags_of(stop, "shown with the import");
  stop.add_option("--until", stop_flags->until, "goes on by itself then");
  tree.run(stop, [&session = tree.session, stop_flags] { return pause(session, *stop_flags); });
  auto& go =
      tree.verb(tree.root, "resume", "Go on with a paused import; says what changed meanwhile",
                {"callimport resume imp_7f3a", "callimport resume --query \"CallImportPlatform = 'grain'\" --yes"});
  const auto go_flags = flags_of(go, "kept in the audit log");
  tree.run(go, [&session = tree.session, go_flags] { return resume(session, *go_flags); });
}

}  // namespace callimport::api
