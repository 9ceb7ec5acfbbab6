#pragma once
// The next run of a chain: continue-as-new, workflow retry and cron (conformance C.5).
#include <optional>
#include <string>

#include "engine/service/draft.h"
#include "engine/service/retry.h"
#include "engine/service/starts.h"
#include "storage/runtime/random.h"

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

/// The run that follows one that closed by itself, if any: by its retry policy, else by its cron schedule.
struct Succession {
  enums::RetryState retry_state = enums::RETRY_STATE_RETRY_POLICY_NOT_SET;
  std::optional<StartPlan> plan;  ///< its run id is in it
};
Succession after_completion(const Draft& draft, const temporal::api::common::v1::Payloads* result, Random& random);
Succession after_failure(const Draft& draft, const FailureProto& failure, Random& random);
/// Nothing follows when the execution timeout is over.
Succession after_timeout(const Draft& draft, Random& random);

}  // namespace callimport::engine
