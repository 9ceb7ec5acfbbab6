#include "tests/engine/update_world.h"

#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine::testing_world {
namespace {

ProtocolMessage message(const std::string& update_id, const char* what, const google::protobuf::Message& body) {
  ProtocolMessage out;
  out.set_id(update_id + what);
  out.set_protocol_instance_id(update_id);
  out.mutable_body()->PackFrom(body);
  return out;
}

}  // namespace

api::UpdateWorkflowExecutionRequest update_request(const std::string& update_id) {
  api::UpdateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("W");
  auto* asked = request.mutable_request();
  asked->mutable_meta()->set_update_id(update_id);
  asked->mutable_meta()->set_identity("cli");
  asked->mutable_input()->set_name("upd");
  *asked->mutable_input()->mutable_args() = payloads("\"in\"");
  return request;
}

UpdateAnswer update(ServiceWorld& world, const std::string& update_id,
                    enums::UpdateWorkflowExecutionLifecycleStage wanted) {
  auto request = update_request(update_id);
  if (wanted != kUnspecified) request.mutable_wait_policy()->set_lifecycle_stage(wanted);
  return world.send(&WorkflowService::UpdateWorkflowExecution, request);
}

UpdatePollAnswer poll_update(ServiceWorld& world, const std::string& update_id,
                             enums::UpdateWorkflowExecutionLifecycleStage wanted) {
  api::PollWorkflowExecutionUpdateRequest request;
  request.set_namespace_("default");
  request.mutable_update_ref()->mutable_workflow_execution()->set_workflow_id("W");
  request.mutable_update_ref()->set_update_id(update_id);
  if (wanted != kUnspecified) request.mutable_wait_policy()->set_lifecycle_stage(wanted);
  return world.send(&WorkflowService::PollWorkflowExecutionUpdate, request);
}

ProtocolMessage accept(const std::string& update_id, std::int64_t sequencing_event_id) {
  temporal::api::update::v1::Acceptance body;
  body.set_accepted_request_message_id(update_id + "/request");
  body.set_accepted_request_sequencing_event_id(sequencing_event_id);
  return message(update_id, "/accept", body);
}

ProtocolMessage reject(const std::string& update_id) {
  temporal::api::update::v1::Rejection body;
  body.set_rejected_request_message_id(update_id + "/request");
  body.mutable_failure()->set_message("no");
  return message(update_id, "/reject", body);
}

ProtocolMessage respond(const std::string& update_id, const std::string& json) {
  temporal::api::update::v1::Response body;
  body.mutable_meta()->set_update_id(update_id);
  body.mutable_meta()->set_identity("cli");
  *body.mutable_outcome()->mutable_success() = payloads(json);
  return message(update_id, "/complete", body);
}

Command protocol_message(const std::string& message_id) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command.mutable_protocol_message_command_attributes()->set_message_id(message_id);
  return command;
}

api::RespondWorkflowTaskCompletedRequest update_completion(ServiceWorld& world, const WorkflowTask& task,
                                                           const std::vector<std::string>& words) {
  auto request = world.completion(task, {});
  const std::int64_t sequencing = task.started_event_id() - 1;
  for (const auto& word : words) {
    const auto space = word.find(' ');
    const std::string what = word.substr(0, space), id = word.substr(space + 1);
    if (what != "reject") *request.add_commands() = protocol_message(id + "/" + what);
    *request.add_messages() = what == "accept" ? accept(id, sequencing) : what == "reject" ? reject(id) : respond(id);
  }
  return request;
}

Answer<api::RespondWorkflowTaskCompletedResponse> respond_updates(ServiceWorld& world, const WorkflowTask& task,
                                                                  const std::vector<std::string>& words) {
  return world.call(&WorkflowService::RespondWorkflowTaskCompleted, update_completion(world, task, words));
}

std::string messages_of(const WorkflowTask& task) {
  std::string out;
  for (const auto& message : task.messages()) out += (out.empty() ? "" : " ") + message.id();
  return out;
}

template <class Response>
std::string news_of(const Pending<Response>& answer) {
  if (!answer->done) return "waits";
  if (!answer->status.ok()) return std::to_string(answer->status.code) + ": " + answer->status.message;
  const auto& reply = answer->reply;
  if (reply.stage() == kAdmitted) return "admitted";
  if (reply.stage() == kAccepted) return reply.has_outcome() ? "accepted, and an outcome" : "accepted";
  if (!reply.has_outcome()) return "completed without an outcome";
  if (reply.outcome().has_failure()) return "completed, failure: " + reply.outcome().failure().message();
  return "completed " + reply.outcome().success().payloads(0).data();
}
template std::string news_of(const UpdateAnswer&);
template std::string news_of(const UpdatePollAnswer&);

void begin_idle(ServiceWorld& world) {
  world.start();
  EXPECT_TRUE(world.complete(world.poll()).ok());
}

}  // namespace callimport::engine::testing_world
