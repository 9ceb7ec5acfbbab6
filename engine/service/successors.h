#pragma once
// The next run of a chain: continue-as-new and workflow retry (conformance C.5).
#include <optional>
#include <string>

#include "engine/service/draft.h"
#include "engine/service/retry.h"
#include "engine/service/starts.h"

namespace temporal::api::command::v1 {
class ContinueAsNewWorkflowExecutionCommandAttributes;
}

namespace callimport::engine {

/// The run's own auto reset point added to those it inherited.
temporal::api::workflow::v1::ResetPoints reset_points(const pb::RunFacts& facts, const pb::RunProgress& progress,
                                                      const temporal::api::workflow::v1::ResetPoints& inherited);

/// Writes WorkflowExecutionContinuedAsNew, closes the run. @return the run that follows.
StartPlan continue_as_new(Draft& draft,
                          const temporal::api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes& command,
                          std::int64_t completed_id, std::string new_run_id);

/// Whether the run's retry policy wants another run, and why not.
RetryDecision decide_run_retry(const Draft& draft, const FailureProto& failure);
StartPlan retry_run(const Draft& draft, const FailureProto& failure, std::int64_t delay_ns, std::string new_run_id);

}  // namespace callimport::engine
