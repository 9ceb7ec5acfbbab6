#include "api/cli/actions.h"
#include "api/cli/tree.h"

namespace callimport::api {

void add_undo(Tree& tree) {
  auto& verb = tree.verb(tree.root, "undo", "Take back what an import brought: its calls leave the library again",
                         {"callimport undo imp_7f3a --why 'the wrong workspace'", "callimport undo imp_7f3a --yes"});
  auto flags = std::make_shared<ActionFlags>();  // shared by the parser and the body
  add_action_flags(verb, *flags, "stands in the report and the audit log", ActionScope::kOne);
  tree.run(verb, [&session = tree.session, flags] {
    ActionCall call{"Remove them for good?", "taken back",
                    action_sender(session, "UndoImport", v1::UndoImportRequest())};
    call.cannot_be_undone = true;
    return act_on_imports(session, "undo", *flags, call);
  });
}

}  // namespace callimport::api
