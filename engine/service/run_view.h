#pragma once
// A run as lists and describes show it (conformance C.10, C.13).
#include <cstdint>

#include "engine/service/transition.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;

enum class ViewOf : std::uint8_t { kDescribe, kListRow };

/// A list row has closing figures only once closed, and times of microseconds.
void fill_info(const pb::RunSummary& run, ViewOf view, temporal::api::workflow::v1::WorkflowExecutionInfo* out);
void fill_config(const pb::RunFacts& facts, temporal::api::workflow::v1::WorkflowExecutionConfig* out);
void fill_extended(const pb::RunSummary& run, temporal::api::workflow::v1::WorkflowExecutionExtendedInfo* out);
void fill_pending_task(const pb::WorkflowTask& task, temporal::api::workflow::v1::PendingWorkflowTaskInfo* out);
void fill_pending_activity(const pb::ActivityState& activity, std::int64_t now_ns,
                           temporal::api::workflow::v1::PendingActivityInfo* out);
/// Start, or the end of the first backoff.
std::int64_t execution_time_ns(const pb::RunFacts& facts);

void fill_pending_child(const pb::ChildState& child, temporal::api::workflow::v1::PendingChildExecutionInfo* out);

}  // namespace callimport::engine
