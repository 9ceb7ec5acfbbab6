#pragma once
// Cuts a history into the workflow tasks that workflow code saw (conformance B6, B7). Pure.
#include <google/protobuf/repeated_ptr_field.h>
#include <temporal/api/history/v1/message.pb.h>

#include <vector>

namespace callimport::engine::worker {

using HistoryEvent = ::temporal::api::history::v1::HistoryEvent;
using Events = google::protobuf::RepeatedPtrField<HistoryEvent>;

enum class Delivery : std::uint8_t {
  Task,   ///< ends at the WorkflowTaskStarted of the task in hand, which is to be run
  Query,  ///< a history of finished tasks; what follows the last one is not looked at
  Whole   ///< an exported history; what follows the last task is checked too
};

/// events[begin .. end]; events[end] is the WorkflowTaskStarted that counts. `live`: the task in hand, nobody ran it
/// yet.
struct LogicalTask {
  int begin = 0, end = 0;
  bool live = false;
  bool heartbeat = false;  ///< nothing but events of workflow tasks: it continues the task before it (B7)
};

/// Attempts that failed or timed out and heartbeats are merged with the task after them.
std::vector<LogicalTask> split(const Events& events, int first, Delivery delivery);

/// Consumes the next command of the workflow code (B11); the four closing events included.
bool is_command_event(const HistoryEvent& event);

/// `ActivityTaskScheduled`: the name of an event type without its prefix, as people write it.
std::string event_name(const HistoryEvent& event);

}  // namespace callimport::engine::worker
