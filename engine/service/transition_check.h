#pragma once
// What the journal gave is looked at before it is believed. Checksums keep damage away; a Transition or a snapshot that
// contradicts itself, or the run it is said to be of, is another program's or a bug's, and must not end the process.
#include <optional>
#include <string>

#include "engine/service/run_state.h"

namespace callimport::engine {

/// Why `change` cannot come next in `run`; nothing: `apply` takes it.
std::optional<std::string> contradiction(const Run& run, const pb::Transition& change);
/// Why this is no state of a run; nothing: `from_snapshot` takes it.
std::optional<std::string> contradiction(const pb::RunSnapshot& snapshot);

}  // namespace callimport::engine
