// Wires the floors. The only file of the product that may link the simulations.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "activities/media/child.h"
#include "api/cli/cli.h"
#include "simulations/sandboxes/server.h"

int main(int argc, char** argv) {
  // The bounded child of the server, before anything else is set up.
  if (argc == 2 && std::strcmp(argv[1], "media-probe") == 0) return callimport::activities::media_probe_child_main();
  setenv("GRPC_VERBOSITY", "NONE", 0);  // its words for a refused connection are not for people; ours are
  if (argc >= 2 && std::strcmp(argv[1], "sandbox") == 0) {
    return callimport::simulations::sandbox_main(std::vector<std::string>(argv + 2, argv + argc));
  }
  return callimport::api::run_cli(argc, argv, {callimport::simulations::sandbox_main});
}
