#pragma once
// What a worker's commands do to its run (conformance C19 to C21). Steps of the decision on one completed workflow
// task.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/embedded.h"
#include "engine/service/command_error.h"
#include "engine/service/draft.h"
#include "engine/service/internal/namespace.h"
#include "engine/service/starts.h"
#include "engine/service/updates.h"
#include "temporal/api/command/v1/message.pb.h"

namespace callimport::engine {

/// What a command wants of another run: a signal, a cancel request, a child. Done in the same append as the event that
/// initiated it.
struct Crossing {
  std::int64_t initiated_event_id = 0;
  const temporal::api::command::v1::Command* command = nullptr;  ///< lives as long as the request being answered
  std::optional<StartPlan> child = std::nullopt;
};

struct CommandContext {
  const EmbeddedOptions& options;
  const Namespaces& namespaces;
  const Namespace& own;           ///< the run's
  const std::string identity;     ///< of the worker
  std::int64_t completed_id = 0;  ///< WorkflowTaskCompleted
  // What the commands asked for:
  bool task_due = false;  ///< an event came that the workflow has not seen
  std::optional<temporal::api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes> continue_as_new = {};
  const temporal::api::failure::v1::Failure* failed = nullptr;  ///< of FailWorkflowExecution
  const temporal::api::command::v1::Command* closing = nullptr;
  UpdateReplies* updates = nullptr;  ///< the messages beside the commands
  std::vector<Crossing> crossings = {};
  std::set<std::string> children = {};  ///< workflow ids of those that this task initiates
};

/// C19: closing commands last, known types only.
std::optional<PortStatus> check_sequence(
    const google::protobuf::RepeatedPtrField<temporal::api::command::v1::Command>& commands);
bool is_closing(enums::CommandType type);

/// One command. Closing commands are only checked and noted: the caller writes their event (retry may give a
/// successor).
std::optional<CommandError> run_command(Draft& draft, const temporal::api::command::v1::Command& command,
                                        CommandContext& context);

}  // namespace callimport::engine
