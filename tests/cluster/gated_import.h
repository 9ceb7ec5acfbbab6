#pragma once
// One import in this process with nothing to chance: its own library, a worker behind a gate, a Temporal server
// somewhere, and the Grain sandbox behind a socket.
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "tests/cluster/scrubbed.h"
#include "tests/spine/house.h"

namespace callimport::tests {

/// Imports `calls` calls through the server at `address`, one activity at a time. @return the histories of its runs.
std::vector<History> gated_import(const std::string& address, std::uint64_t calls,
                                  const activities::ImportSettings& settings);

}  // namespace callimport::tests
