#pragma once
// The import as a workflow: what happens, in which order, and what becomes of trouble. It decides by the table
// (table.h) and by pure functions (decisions.h); all it does to the world it asks of activities
// (activities/import/contract.h).
#include <map>
#include <string>
#include <string_view>

#include "engine/workflow.h"

namespace callimport::workflows {

inline constexpr const char* kImportWorkflow = "import";  ///< workflow type
inline constexpr const char* kImportTaskQueue = "imports";
/// Steps take long, so each lane's have a queue beside the import's own: no first lane waits for a step of bulk to end,
/// and nothing short for either. Whoever works on the import's queue works on these.
struct LaneQueues {
  std::string first, bulk;
};
LaneQueues lane_queues(const std::string& task_queue);

// Signals; inputs are JSON objects, every field may be absent.
inline constexpr const char* kSignalCredentialsRenewed =
    "credentials-renewed";                              ///< {credential}: a new handle, if it changed
inline constexpr const char* kSignalPause = "pause";    ///< {who, why, until_ms}
inline constexpr const char* kSignalResume = "resume";  ///< {who}
inline constexpr const char* kSignalRetryNow =
    "retry-now";  ///< ends a wait at once, also that for a start set for later
/// {window, zone, who, why}: when bulk may run from now on (storage/windows has the words); who cannot be understood is
/// answered in the import's notifications, and the window stays.
inline constexpr const char* kSignalSetWindow = "set-window";
/// {failed, cause, calls, who, why}: failed calls, those of a cause or these become pending again.
inline constexpr const char* kSignalRetry = "retry";
/// {who, why}: the gaps are approved; counts only while it needs_attention(gaps.approval).
inline constexpr const char* kSignalApprove = "approve";
/// Query. Answers {import, platform, workspace, title, stage, condition, reason, who, why, until_ms, first: {...},
/// bulk: {...}, counters: {...}, enumerated, runs}.
inline constexpr const char* kQueryStatus = "status";

/// Search attributes the workflow sets, name -> type: for the service's options or a cluster's registration. All name
/// the state that is shown; the memo holds the same and the title.
const std::map<std::string, std::string>& import_search_attributes();

/// Input: activities::ImportInput. Result: {result, counters}. Signals and cancellation are answered at any time. A
/// failed import ends as Failure with the dotted cause as type; a cancelled one as Cancelled, after its report is
/// written. Starting the same import id again, once closed, goes on with what is missing.
engine::Flow<engine::WorkflowEnd> import_workflow(engine::WorkflowContext& context, std::string input);

}  // namespace callimport::workflows
