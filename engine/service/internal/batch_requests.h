#pragma once
// What a StartBatchOperation asks for (conformance C.16): whether it may be asked, which runs it means, how fast it
// goes, and the call that does it to one of them.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/service/history_batches.h"
#include "engine/workflow_service.h"
#include "temporal/api/enums/v1/batch_operation.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace callimport::engine {

namespace enums = ::temporal::api::enums::v1;
using BatchRequest = api::StartBatchOperationRequest;
using BatchTarget = ::temporal::api::common::v1::WorkflowExecution;

inline constexpr double kBatchRateMax = 50;         ///< operations a second
inline constexpr std::size_t kBatchStepMax = 5;     ///< operations in one turn
inline constexpr int kBatchExecutionsMax = 10'000;  ///< named one by one

/// @return what is wrong with it, in the server's words where it has any; its query is not read here.
std::optional<PortStatus> check_batch(const BatchRequest& request);
enums::BatchOperationType batch_type(const BatchRequest& request);
std::string batch_identity(const BatchRequest& request);
/// Its query, less the runs it can do nothing to: closed ones, and those with no paused activity.
std::string batch_query(const BatchRequest& request);
/// Operations a second: what was asked for, or as many as there may be.
double batch_rate(const BatchRequest& request);

// The calls, for one run. `request_id` makes a repeated one do nothing, where the call has such an id.
api::TerminateWorkflowExecutionRequest terminate_call(const BatchRequest& batch, const BatchTarget& target);
api::RequestCancelWorkflowExecutionRequest cancel_call(const BatchRequest& batch, const BatchTarget& target,
                                                       const std::string& request_id);
api::SignalWorkflowExecutionRequest signal_call(const BatchRequest& batch, const BatchTarget& target,
                                                const std::string& request_id);
api::DeleteWorkflowExecutionRequest delete_call(const BatchRequest& batch, const BatchTarget& target);
api::UpdateWorkflowExecutionOptionsRequest update_options_call(const BatchRequest& batch, const BatchTarget& target);
api::UnpauseActivityRequest unpause_activities_call(const BatchRequest& batch, const BatchTarget& target);
api::ResetActivityRequest reset_activities_call(const BatchRequest& batch, const BatchTarget& target);
api::UpdateActivityOptionsRequest update_activities_call(const BatchRequest& batch, const BatchTarget& target);
api::ResetWorkflowExecutionRequest reset_call(const BatchRequest& batch, const BatchTarget& target,
                                              const std::string& request_id, std::int64_t finish_event_id);

/// The event to which a reset goes back in this run. @return nothing: there is no such event in it.
std::optional<std::int64_t> batch_reset_point(const BatchRequest& batch, const std::string& run_id,
                                              const HistoryBatches& history,
                                              const ::temporal::api::workflow::v1::ResetPoints& points);

}  // namespace callimport::engine
