#include "api/cli/cli.h"
#include "api/cli/tree.h"

namespace callimport::api {

/// The sandbox has flags of its own: main() hands it every word after `sandbox` before this tree is parsed. Here it is
/// only named, for help and completion.
void add_sandbox(Tree& tree) {
  auto& verb =
      tree.verb(tree.root, "sandbox", "Serve a make-believe platform to try things on (callimport sandbox --help)",
                {"callimport sandbox grain --listen 127.0.0.1:9301 --calls 300 --seed 7", "callimport sandbox --help"});
  verb.prefix_command();
  tree.run(verb, [&verb]() -> Ended {
    return cli_hooks().sandbox ? cli_hooks().sandbox(verb.remaining()) : static_cast<int>(kExitUsage);
  });
}

}  // namespace callimport::api
