#include "api/cli/actions.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/workflows.h"
#include "storage/runtime/os_random.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

using nlohmann::json;

inline constexpr int kImportsAtOnceMax = 100'000;

CliError advised(CliError error, const std::string& doing, const std::string& id) {
  if (error.code == "import.changed") error.next = "callimport audit " + id;
  if (error.code == "cause.unknown") error.next = "callimport show " + id + " --problems";
  if (error.code == "import.closed") error.next = "callimport show " + id;
  if (error.code == "access.credential_gone")
    error.next = fmt::format("callimport {} {} ... --token-file FILE", doing, id);
  return error;
}

json shape_of(const v1::ActionResponse& answer) {
  json refused = json::array();
  for (const auto& one : answer.refused())
    refused.push_back({{"source_id", one.source_id()}, {"reason", one.reason()}});
  return {{"import", answer.import()},
          {"acted", answer.acted()},
          {"already", answer.already()},
          {"words", answer.words()},
          {"calls", answer.calls()},
          {"refused", refused},
          {"refused_calls", answer.refused_calls()}};
}

void print_answer(const Session& session, const v1::ActionResponse& answer) {
  if (session.json()) session.print(dump(shape_of(answer)) + "\n");
}

void say_words(const Session& session, const v1::ActionResponse& answer) {
  for (const auto& sentence : answer.words()) session.say(printable(sentence));
  for (const auto& one : answer.refused())
    session.say(fmt::format("  not {}: {}", printable(one.source_id()), printable(one.reason())));
  if (answer.refused_calls() > answer.refused_size())
    session.say(fmt::format("  and {} more", answer.refused_calls() - answer.refused_size()));
}

v1::Action action_on(const std::string& id, const ActionFlags& flags) {
  v1::Action action;
  action.set_import(id);
  action.set_why(flags.why);
  action.set_request_id(new_request_id());
  return action;
}

tl::expected<bool, CliError> agreed(const Session& session, const ActionCall& call) {
  if (!call.cannot_be_undone && !session.may_ask()) return true;
  return session.confirm(call.question);
}

Ended act_by_temporal(Session& session, const std::string& id, const ActionCall& call) {
  CLI_TRY(const bool go, agreed(session, call));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was done", {});
  CLI_TRY_VOID(call.by_temporal(id));
  session.say(call.done + ". next: callimport watch " + id);
  return kExitDone;
}

Ended act_on_one(Session& session, const std::string& doing, const ActionFlags& flags, const ActionCall& call) {
  CLI_TRY(const auto id, find_import(session, flags.id));
  v1::Action action = action_on(id, flags);
  action.set_dry_run(true);
  const auto plan = call.send(action);
  if (!plan && plan.error().code == kLibraryAbsent && call.by_temporal) return act_by_temporal(session, id, call);
  if (!plan) return tl::unexpected(advised(plan.error(), doing, id));
  say_words(session, *plan);
  const bool nothing = plan->already() || (plan->calls() == 0 && plan->refused_calls() > 0);
  if (nothing) {
    print_answer(session, *plan);
    return kExitDone;
  }
  CLI_TRY(const bool go, agreed(session, call));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was done", {});
  action.set_dry_run(false);
  action.set_change(plan->change());
  const auto answer = call.send(action);
  if (!answer) return tl::unexpected(advised(answer.error(), doing, id));
  print_answer(session, *answer);
  session.say(fmt::format("{}. next: callimport watch {}", call.done, id));
  return kExitDone;
}

Ended act_on_many(Session& session, const std::string& doing, const ActionFlags& flags, const ActionCall& call) {
  const auto filter = fmt::format("WorkflowType = '{}' AND ExecutionStatus = 'Running' AND ({})",
                                  workflows::kImportWorkflow, flags.query);
  CLI_TRY(const auto rows, list_workflows(session, filter, kImportsAtOnceMax));
  std::set<std::string> ids;
  for (const auto& row : rows) ids.insert(row.workflow_id);
  session.say(fmt::format("{} open imports match", human_count(static_cast<std::int64_t>(ids.size()))));
  if (ids.empty()) return kExitDone;
  CLI_TRY(const bool go, session.confirm(fmt::format("{} all {} of them?", doing, ids.size())));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was done", {});
  std::size_t done = 0;
  for (const auto& id : ids) {
    const auto answer = call.send(action_on(id, flags));
    if (answer) {
      ++done;
      print_answer(session, *answer);
      session.say(fmt::format("  {}  {}", id, answer->already() ? "was so already" : call.done));
      continue;
    }
    if (session.json()) session.print(dump({{"import", id}, {"error", answer.error().message}}) + "\n");
    session.say(fmt::format("  {}  not done: {}", id, answer.error().message));
  }
  session.say(fmt::format("{} of {} {}", done, ids.size(), call.done));
  return done == ids.size() ? kExitDone : kExitFailed;
}

}  // namespace

std::string new_request_id() { return OsRandom().uuid4(); }

void add_action_flags(CLI::App& verb, ActionFlags& flags, const std::string& why, ActionScope scope) {
  auto* id = verb.add_option("import", flags.id, "import id or its beginning");
  if (scope == ActionScope::kMany) {
    verb.add_option("--query", flags.query,
                    "all open imports this list filter finds, e.g. \"CallImportPlatform = 'grain'\"")
        ->excludes(id);
  }
  verb.add_option("--why,--reason", flags.why, why);
}

Ended act_on_imports(Session& session, const std::string& doing, const ActionFlags& flags, const ActionCall& call) {
  if (!flags.query.empty()) return act_on_many(session, doing, flags, call);
  if (flags.id.empty())
    return sorry(kExitUsage, "usage", "an import's id is missing, or --query", "callimport " + doing + " --help");
  return act_on_one(session, doing, flags, call);
}

}  // namespace callimport::api
