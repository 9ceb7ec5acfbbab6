#pragma once
// Updates as protocol messages (conformance B18): what a worker is asked, and the three things it can say to that.
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/protocol/v1/message.pb.h>
#include <temporal/api/update/v1/message.pb.h>

#include <cstdint>
#include <string>

#include "engine/workflow.h"
#include "storage/model/result.h"

namespace callimport::engine::worker {

using ProtocolMessage = ::temporal::api::protocol::v1::Message;
using ProtocolMessages = google::protobuf::RepeatedPtrField<ProtocolMessage>;
using UpdateRequest = ::temporal::api::update::v1::Request;

/// An update for one workflow task: asked for by a message or an UpdateAdmitted event, or known from the UpdateAccepted
/// event that its task wrote.
struct IncomingUpdate {
  std::string id;
  std::int64_t after = 0;  ///< the event it comes after: events up to there are seen by its handler
  UpdateRequest request;
  bool accepted = false;  ///< in history: it is not asked again whether it is valid
};

/// @error kCorrupt  no request, or no event id to come after.
Result<IncomingUpdate> update_of(const ProtocolMessage& message);
IncomingUpdate update_of(const ::temporal::api::history::v1::WorkflowExecutionUpdateAcceptedEventAttributes& event);

ProtocolMessage acceptance(const IncomingUpdate& update);
ProtocolMessage rejection(const IncomingUpdate& update, const Failure& why);
ProtocolMessage completion(const std::string& id, const Outcome<std::string>& outcome);

}  // namespace callimport::engine::worker
