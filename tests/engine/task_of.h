#pragma once
// The workflow task that a service hands out for a history made by hand.
#include <cstdint>
#include <string>

#include "engine/workflow_service.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "tests/engine/history_builder.h"

namespace callimport::engine::testing_support {

/// With the events from `from` on; `previous`: the event of the task before it that was started, 0 for none.
inline api::PollWorkflowTaskQueueResponse task_of(const HistoryBuilder& history, std::int64_t previous, int from = 1) {
  api::PollWorkflowTaskQueueResponse task;
  task.set_task_token("token " + std::to_string(history.last()));
  task.mutable_workflow_execution()->set_workflow_id("w");
  task.mutable_workflow_execution()->set_run_id("run-1");
  task.mutable_workflow_type()->set_name("T");
  task.set_attempt(1);
  task.set_previous_started_event_id(previous);
  task.set_started_event_id(history.last());
  for (const auto& event : history.history().events()) {
    if (event.event_id() >= from) *task.mutable_history()->add_events() = event;
  }
  return task;
}

}  // namespace callimport::engine::testing_support
