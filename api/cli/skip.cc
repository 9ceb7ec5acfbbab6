// skip: failed calls that will not come stop counting as trouble (ux ID-07).
#include "api/cli/actions.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct SkipFlags {
  ActionFlags action;
  std::vector<std::string> calls;
  std::string cause;
  bool failed = false, undo = false;
};

Ended skip(Session& session, const SkipFlags& flags) {
  const int chosen = (flags.failed ? 1 : 0) + (flags.cause.empty() ? 0 : 1) + (flags.calls.empty() ? 0 : 1);
  if (chosen != 1)
    return sorry(kExitUsage, "usage", "skip wants one of --failed, --cause and --call", "callimport skip --help");
  v1::SkipCallsRequest request;
  request.set_failed(flags.failed);
  request.set_cause(flags.cause);
  request.set_undo(flags.undo);
  for (const auto& id : flags.calls) request.add_calls(id);
  ActionCall call{flags.undo ? "Put them back?" : "Skip them?", flags.undo ? "put back" : "skipped",
                  action_sender(session, "SkipCalls", request)};
  return act_on_imports(session, "skip", flags.action, call);
}

}  // namespace

void add_skip(Tree& tree) {
  auto& verb =
      tree.verb(tree.root, "skip", "Say that failed calls will not come: they stop counting as trouble",
                {"callimport skip imp_7f3a --cause call.private --why 'the customer keeps them'",
                 "callimport skip imp_7f3a --call 5f1c", "callimport skip imp_7f3a --cause call.private --undo"});
  auto flags = std::make_shared<SkipFlags>();  // shared by the parser and the body
  add_action_flags(verb, flags->action, "kept in the audit log", ActionScope::kOne);
  verb.add_flag("--failed", flags->failed, "all calls that failed");
  verb.add_option("--cause", flags->cause, "those that failed for this cause");
  verb.add_option("--call", flags->calls, "these, by source id");
  verb.add_flag("--undo", flags->undo, "put back what was skipped so: it counts as failed again");
  tree.run(verb, [&session = tree.session, flags] { return skip(session, *flags); });
}

}  // namespace callimport::api
