#pragma once
// Children and other workflows, between Temporal's messages and a run's machines. Pure.
#include <temporal/api/command/v1/message.pb.h>

#include <cstdint>
#include <optional>
#include <string>

#include "engine/worker/machines.h"
#include "engine/worker/task_split.h"
#include "engine/workflow.h"

namespace callimport::engine::worker {

/// What an event says about a child, or about a signal or request to another workflow; `initiated` names which.
struct ChildNews {
  ChildEvent what;
  std::int64_t initiated;
};
struct ExternalNews {
  ExternalEvent what;
  std::int64_t initiated;
};
/// Nothing for other events, and for Initiated ones: those confirm a command.
std::optional<ChildNews> child_news(const HistoryEvent& event);
std::optional<ExternalNews> external_news(const HistoryEvent& event);

/// Of a closing event, or of a start that failed.
Outcome<std::string> outcome_of_child(const HistoryEvent& event);
Outcome<> outcome_of_request(const HistoryEvent& event);

using StartChild = ::temporal::api::command::v1::StartChildWorkflowExecutionCommandAttributes;
/// All but input, id and type; what `options` leaves open is the parent's.
void set_start(StartChild* start, const ChildOptions& options, const WorkflowInfo& parent);

}  // namespace callimport::engine::worker
