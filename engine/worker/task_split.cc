#include "engine/worker/task_split.h"

#include <string>

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

bool is_workflow_task_event(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
    case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED: return true;
    default: return false;
  }
}

/// An update comes without an event of its own: only what the completion at `completed` wrote tells that there was one.
bool accepts_update(const Events& events, int completed) {
  for (int i = completed + 1; i < events.size() && !is_workflow_task_event(events[i]); ++i) {
    if (events[i].event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) return true;
  }
  return false;
}

}  // namespace

std::vector<LogicalTask> split(const Events& events, int first, Delivery delivery) {
  std::vector<LogicalTask> tasks;
  int begin = first;
  bool saw_other = false;
  for (int i = first; i < events.size(); ++i) {
    if (!is_workflow_task_event(events[i])) saw_other = true;
    if (events[i].event_type() != enums::EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
    const bool last = i + 1 == events.size();
    if (last && delivery != Delivery::Task) break;
    if (!last && events[i + 1].event_type() != enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) continue;
    if (!last && !saw_other && !accepts_update(events, i + 1)) continue;  // a heartbeat (B7)
    tasks.push_back({begin, i, last, !saw_other});
    begin = i + 1;
    saw_other = false;
  }
  return tasks;
}

bool is_command_event(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
    case enums::EVENT_TYPE_TIMER_STARTED:
    case enums::EVENT_TYPE_TIMER_CANCELED:
    case enums::EVENT_TYPE_MARKER_RECORDED:
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
    case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return true;
    default: return false;
  }
}

std::string event_name(const HistoryEvent& event) {
  if (!enums::EventType_IsValid(event.event_type())) return "event type " + std::to_string(event.event_type());
  constexpr std::string_view kPrefix = "EVENT_TYPE_";
  std::string name;
  bool upper = true;
  for (char c : enums::EventType_Name(event.event_type()).substr(kPrefix.size())) {
    if (c == '_') {
      upper = true;
    } else {
      name += upper ? c : static_cast<char>(c - 'A' + 'a');
      upper = false;
    }
  }
  return name;
}

}  // namespace callimport::engine::worker
