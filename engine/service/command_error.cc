#include "engine/service/command_error.h"

#include <cctype>

namespace callimport::engine {
namespace {
constexpr std::string_view kCausePrefix = "WORKFLOW_TASK_FAILED_CAUSE_";

std::string text_of(temporal::api::enums::v1::WorkflowTaskFailedCause cause, const std::string& reason) {
  std::string name = temporal::api::enums::v1::WorkflowTaskFailedCause_Name(cause);
  if (name.starts_with(kCausePrefix)) name.erase(0, kCausePrefix.size());
  name = camel_case(name);
  return reason.empty() ? name : name + ": " + reason;
}
}  // namespace

std::string camel_case(const std::string& screaming) {
  std::string out;
  bool upper = true;
  for (const char c : screaming) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out.push_back(upper ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    upper = false;
  }
  return out;
}

CommandError CommandError::fail_task(temporal::api::enums::v1::WorkflowTaskFailedCause cause,
                                     const std::string& reason) {
  std::string text = text_of(cause, reason);
  return {Reaction::kFailTask, cause, text, errors::invalid(text)};
}

CommandError CommandError::missing(temporal::api::enums::v1::WorkflowTaskFailedCause cause,
                                   const std::string& command) {
  return fail_task(cause, command + "Attributes is not set on " + command + ".");
}

CommandError CommandError::terminate(temporal::api::enums::v1::WorkflowTaskFailedCause cause,
                                     const std::string& reason) {
  std::string text = text_of(cause, reason);
  return {Reaction::kTerminate, cause, text, errors::invalid(text)};
}

CommandError CommandError::refuse(PortStatus status) { return {Reaction::kRefuse, {}, "", std::move(status)}; }

}  // namespace callimport::engine
