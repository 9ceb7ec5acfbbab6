#pragma once
// What becomes of a start whose workflow id is taken (conformance C1, C3, C5): by clients and by parents alike.
#include <optional>
#include <string>

#include "engine/service/draft.h"
#include "engine/service/port_errors.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {

/// As C1 resolves them.
struct IdPolicies {
  enums::WorkflowIdReusePolicy reuse;
  enums::WorkflowIdConflictPolicy conflict;
};
/// Fills in what was left out. @param fallback  the conflict policy of this operation when none was asked for.
std::optional<PortStatus> resolve_policies(IdPolicies* policies, enums::WorkflowIdConflictPolicy fallback);

/// C3: whether the id of the closed run `last` may be used again.
std::optional<PortStatus> check_reuse(enums::WorkflowIdReusePolicy reuse, const pb::RunSummary& last);

/// C5: makes room for the run `new_run_id`.
void terminate_for(Draft& draft, const std::string& new_run_id);

}  // namespace callimport::engine
