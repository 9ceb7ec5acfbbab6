#include "engine/worker/updates.h"

#include <utility>

#include "engine/worker/payloads.h"

namespace callimport::engine::worker {

namespace update = ::temporal::api::update::v1;

namespace {

ProtocolMessage message(const std::string& update_id, const char* what, const google::protobuf::Message& body) {
  ProtocolMessage out;
  out.set_id(update_id + what);
  out.set_protocol_instance_id(update_id);
  out.mutable_body()->PackFrom(body);
  return out;
}

}  // namespace

Result<IncomingUpdate> update_of(const ProtocolMessage& message) {
  IncomingUpdate out;
  out.id = message.protocol_instance_id();
  if (!message.body().UnpackTo(&out.request)) {
    return fail(Code::kCorrupt, "message " + message.id() + " holds no update request: " + message.body().type_url());
  }
  if (message.sequencing_id_case() != ProtocolMessage::kEventId) {
    return fail(Code::kCorrupt, "message " + message.id() + " does not say after which event it comes");
  }
  out.after = message.event_id();
  return out;
}

IncomingUpdate update_of(const proto::history::v1::WorkflowExecutionUpdateAcceptedEventAttributes& event) {
  IncomingUpdate out;
  out.id = event.protocol_instance_id();
  out.after = event.accepted_request_sequencing_event_id();
  out.request = event.accepted_request();
  out.accepted = true;
  return out;
}

ProtocolMessage acceptance(const IncomingUpdate& update) {
  update::Acceptance body;
  body.set_accepted_request_message_id(update.id + "/request");
  body.set_accepted_request_sequencing_event_id(update.after);
  *body.mutable_accepted_request() = update.request;
  return message(update.id, "/accept", body);
}

ProtocolMessage rejection(const IncomingUpdate& update, const Failure& why) {
  update::Rejection body;
  body.set_rejected_request_message_id(update.id + "/request");
  body.set_rejected_request_sequencing_event_id(update.after);
  *body.mutable_rejected_request() = update.request;
  set_failure(body.mutable_failure(), why);
  return message(update.id, "/reject", body);
}

ProtocolMessage completion(const std::string& id, const Outcome<std::string>& outcome) {
  update::Response body;
  body.mutable_meta()->set_update_id(id);
  if (outcome) {
    set_json(body.mutable_outcome()->mutable_success(), *outcome);
  } else {
    set_failure(body.mutable_outcome()->mutable_failure(), outcome.error());
  }
  return message(id, "/complete", body);
}

}  // namespace callimport::engine::worker
