#pragma once
// The decision on RespondWorkflowTaskCompleted: what the worker's answer does to its run (conformance C15, C18 to C22).
#include <optional>
#include <string>
#include <vector>

#include "engine/service/commands.h"
#include "engine/service/starts.h"
#include "engine/service/updates.h"
#include "engine/workflow_service.h"
#include "storage/runtime/random.h"

namespace callimport::engine {

struct Completion {
  std::optional<Draft> draft;          ///< absent: nothing changes
  PortStatus status;                   ///< the caller's answer
  std::optional<StartPlan> successor;  ///< starts in the same append
  std::vector<Crossing> crossings;     ///< done in the same append
  UpdateNews updates;                  ///< what became of updates
  bool left_no_trace = false;          ///< a speculative task was dropped: the worker has to go back (C24)
};

/// @param random  names a successor, should there be one.
Completion decide_completion(const Run& run, const AdmittedUpdates& admitted,
                             const api::RespondWorkflowTaskCompletedRequest& request, Timestamp now,
                             const EmbeddedOptions& options, const Namespaces& namespaces, Random& random);

}  // namespace callimport::engine
