#pragma once
// Updates for suites of the embedded service: a client that asks, and the messages of a hand-made worker.
#include <string>
#include <vector>

#include "temporal/api/protocol/v1/message.pb.h"
#include "temporal/api/update/v1/message.pb.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {

using ProtocolMessage = temporal::api::protocol::v1::Message;
using UpdateAnswer = Pending<api::UpdateWorkflowExecutionResponse>;
using UpdatePollAnswer = Pending<api::PollWorkflowExecutionUpdateResponse>;

inline constexpr auto kUnspecified = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED;
inline constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
inline constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
inline constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

/// Update `upd` with argument "in" of workflow W.
api::UpdateWorkflowExecutionRequest update_request(const std::string& update_id);
UpdateAnswer update(ServiceWorld& world, const std::string& update_id,
                    enums::UpdateWorkflowExecutionLifecycleStage wanted = kUnspecified);
UpdatePollAnswer poll_update(ServiceWorld& world, const std::string& update_id,
                             enums::UpdateWorkflowExecutionLifecycleStage wanted = kUnspecified);

ProtocolMessage accept(const std::string& update_id, std::int64_t sequencing_event_id = 5);
ProtocolMessage reject(const std::string& update_id);
ProtocolMessage respond(const std::string& update_id, const std::string& json = "\"out\"");
Command protocol_message(const std::string& message_id);  ///< a PROTOCOL_MESSAGE command

/// The command and the message for each of "accept u1", "complete u1" and "reject u1" (no command), in order.
api::RespondWorkflowTaskCompletedRequest update_completion(ServiceWorld& world, const WorkflowTask& task,
                                                           const std::vector<std::string>& words);
Answer<api::RespondWorkflowTaskCompletedResponse> respond_updates(ServiceWorld& world, const WorkflowTask& task,
                                                                  const std::vector<std::string>& words);

/// "u1/request u2/request": the messages of a task, in order.
std::string messages_of(const WorkflowTask& task);
/// "accepted", "completed out", "completed failure: text", "NOT_FOUND: text", "waits".
template <class Response>
std::string news_of(const Pending<Response>& answer);

/// Events 1 to 4 of E1.
void begin_idle(ServiceWorld& world);

}  // namespace callimport::engine::testing_world
