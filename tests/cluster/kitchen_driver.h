#pragma once
// Drives the kitchen sink (tests/conformance/kitchen_sink.md) on one server, with our worker in this process.
#include <map>
#include <string>
#include <vector>

#include "tests/cluster/scrubbed.h"

namespace callimport::tests {

struct KitchenHistories {
  std::map<std::string, std::vector<History>> runs;  ///< by workflow id: the sink, its children, the target
  std::string told;                                  ///< what the first run said it saw, as a JSON array
};

/// Blocks until everything is closed. What is not as it should be is a failure of the running test.
KitchenHistories drive_kitchen(const std::string& address);

}  // namespace callimport::tests
