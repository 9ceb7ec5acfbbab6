#pragma once
// What a parent's history says of its children, and how a child's first run is made (conformance C.12). Steps of
// decisions on Drafts of the parent.
#include <cstdint>
#include <string>

#include "engine/service/draft.h"
#include "engine/service/internal/namespace.h"
#include "engine/service/starts.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

namespace temporal::api::command::v1 {
class Command;
class StartChildWorkflowExecutionCommandAttributes;
}  // namespace temporal::api::command::v1

namespace callimport::engine {

using ChildCommand = ::temporal::api::command::v1::StartChildWorkflowExecutionCommandAttributes;
using Execution = ::temporal::api::common::v1::WorkflowExecution;

/// The Initiated event and the pending child. @param asked  the command with its defaults filled in. @return the
/// event's id.
std::int64_t initiate_child(Draft& parent, const ChildCommand& asked,
                            const temporal::api::command::v1::Command& command, const std::string& namespace_id,
                            std::int64_t completed_id);

/// The pending child that an Initiated event tells of.
pb::ChildState initiated_child(const HistoryEvent& event);

/// The child's first run, but for its run id and request id. @param own  the parent's namespace.
StartPlan plan_child(const Draft& parent, const ChildCommand& asked, const Namespace& own, std::int64_t initiated);

void record_child_started(Draft& parent, const StartPlan& plan, const std::string& namespace_id);
void record_child_not_started(Draft& parent, const ChildCommand& command, const StartPlan& plan,
                              const std::string& namespace_id, enums::StartChildWorkflowExecutionFailedCause cause);

/// The last run of a child's chain, and the event that closed it.
struct ChildClose {
  std::int64_t initiated = 0;
  std::string namespace_id, first_run_id;
  Execution execution;
  HistoryEvent event;
};
/// Nothing when the child is not pending here.
void record_child_closed(Draft& parent, const ChildClose& close);

}  // namespace callimport::engine
