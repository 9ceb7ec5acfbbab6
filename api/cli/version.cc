#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <nlohmann/json.hpp>

#include "api/build_commit.h"
#include "api/cli/cli.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {

void add_version(Tree& tree) {
  auto& verb =
      tree.verb(tree.root, "version", "Show the version", {"callimport version", "callimport version -o json"});
  tree.run(verb, [&session = tree.session]() -> Ended {
    if (session.json())
      session.print(
          dump({{"version", kVersion}, {"commit", build_commit()}, {"temporal_api_server_version", "1.29.0"}}) + "\n");
    else if (session.output() != Output::kNone)
      session.print(fmt::format("callimport {}\n", kVersion));
    return kExitDone;
  });
}

}  // namespace callimport::api
