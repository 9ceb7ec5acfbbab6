#pragma once
// ResetWorkflowExecution as a decision (conformance C.11): the first Transition of the new run, from the events of the
// base run up to the reset point and those after it that count again.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/embedded.h"
#include "engine/service/history_batches.h"
#include "engine/workflow_service.h"
#include "storage/model/time.h"

namespace callimport::engine {

using ResetRequest = api::ResetWorkflowExecutionRequest;

inline constexpr std::string_view kResetter = "history-resetter";  ///< who terminates the current run

/// Splits a base run's history at the reset point.
/// @param later  gets the events after it that `request` wants re-applied.
/// @return what is wrong with the point, as INVALID_ARGUMENT.
std::optional<PortStatus> split_history(const ResetRequest& request, const HistoryBatches& history,
                                        std::vector<pb::Batch>* kept, std::vector<HistoryEvent>* later);
/// Whose events: the run that is reset, or one that continued it.
enum class ResetSource : std::uint8_t { kBase, kSuccessor };
/// Adds those of `events` that `request` wants re-applied.
void pick_events(const ResetRequest& request, const History& events, ResetSource source,
                 std::vector<HistoryEvent>* later);
/// The run a history went on in as continue-as-new; empty: none.
std::string continued_in(const HistoryBatches& history);

struct ResetPlan {
  pb::RunFacts base;
  std::vector<pb::Batch> kept;
  std::vector<HistoryEvent> later;
  std::string run_id;           ///< of the new run
  std::string task_request_id;  ///< of the WorkflowTaskStarted written where the kept task was not started
};
/// @param task_id  the process-wide counter of events.
/// @return INVALID_ARGUMENT when no workflow task is pending at the reset point.
std::optional<PortStatus> reset_run(const ResetRequest& request, ResetPlan plan, Timestamp now,
                                    const EmbeddedOptions& options, std::int64_t* task_id, pb::Transition* out);

}  // namespace callimport::engine
