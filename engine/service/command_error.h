#pragma once
// How a command can be wrong, and how the service then reacts (conformance C15, C19, C20).
#include <cstdint>
#include <string>
#include <utility>

#include "engine/service/port_errors.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

namespace callimport::engine {

struct CommandError {
  enum class Reaction : std::uint8_t {
    kFailTask,   ///< WorkflowTaskFailed with `cause`; the caller gets INVALID_ARGUMENT with the same text
    kTerminate,  ///< the same, and the run is terminated with the text as reason
    kRefuse,     ///< no event; the caller gets `status`, the task stays started
  };
  Reaction reaction = Reaction::kFailTask;
  temporal::api::enums::v1::WorkflowTaskFailedCause cause =
      temporal::api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED;
  std::string text;
  PortStatus status;

  /// BAD_START_TIMER_ATTRIBUTES and "x" become "BadStartTimerAttributes: x".
  static CommandError fail_task(temporal::api::enums::v1::WorkflowTaskFailedCause cause, const std::string& reason);
  static CommandError terminate(temporal::api::enums::v1::WorkflowTaskFailedCause cause, const std::string& reason);
  static CommandError refuse(PortStatus status);
  /// "StartTimerCommandAttributes is not set on StartTimerCommand."
  static CommandError missing(temporal::api::enums::v1::WorkflowTaskFailedCause cause, const std::string& command);
};

/// BAD_START_TIMER_ATTRIBUTES as BadStartTimerAttributes.
std::string camel_case(const std::string& screaming);

}  // namespace callimport::engine
