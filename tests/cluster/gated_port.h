#pragma once
// A port that hands everything on, but lets one activity run at a time: of those open the one scheduled first, once all
// of them were handed out and the workflow has nothing else to do. So the order of events in a history is the program's
// alone.
#include <memory>

#include "engine/workflow_service.h"

namespace callimport::tests {

/// For one run without failing activities, with numbers as activity ids, and a worker that polls for as many activities
/// as can be open. Lifetime: `behind` outlives it.
std::unique_ptr<engine::WorkflowService> gated(engine::WorkflowService& behind);

}  // namespace callimport::tests
