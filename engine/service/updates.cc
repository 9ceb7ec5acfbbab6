#include "engine/service/updates.h"

#include <algorithm>
#include <utility>

#include "engine/nesting.h"
#include "engine/service/port_errors.h"
#include "engine/service/utf8_text.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace callimport::engine {
namespace {

namespace update = ::temporal::api::update::v1;
using Bad = std::optional<CommandError>;

constexpr auto kBadMessage = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;
constexpr std::size_t kIdBytesMax = 1000;
constexpr std::int64_t kEventsDroppedMax = 10;  // C24 [live]: beyond it the task is kept
constexpr const char* kProtocol = "temporal.api.update.v1";

/// temporal.api.update.v1.Acceptance of type.googleapis.com/temporal.api.update.v1.Acceptance.
std::string type_of(const google::protobuf::Any& body) {
  const std::string& url = body.type_url();
  return url.substr(url.rfind('/') + 1);
}

UpdateOutcome server_failure(const char* message, const char* type) {
  UpdateOutcome out;
  auto* failure = out.mutable_failure();
  failure->set_message(message);
  failure->set_source("Server");
  failure->mutable_application_failure_info()->set_type(type);
  failure->mutable_application_failure_info()->set_non_retryable(true);
  return out;
}

UpdateReached completed(UpdateOutcome outcome) {
  UpdateReached out;
  out.stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
  out.outcome = std::move(outcome);
  return out;
}

}  // namespace

UpdateOutcome abandoned_outcome() {
  return server_failure("Workflow Update failed because the Workflow completed before the Update completed.",
                        "AcceptedUpdateCompletedWorkflow");
}

void send_updates(AdmittedUpdates& updates, bool again, std::int64_t started_event_id, ProtocolMessages* out) {
  std::vector<std::pair<std::uint64_t, const std::string*>> order;
  for (const auto& [id, admitted] : updates) {
    if (again || !admitted.sent) order.emplace_back(admitted.order, &id);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [place, id] : order) {
    AdmittedUpdate& admitted = updates.at(*id);
    admitted.sent = true;
    auto* message = out->Add();
    message->set_id(*id + "/request");
    message->set_protocol_instance_id(*id);
    message->set_event_id(started_event_id - 1);
    message->mutable_body()->PackFrom(admitted.request);
  }
}

std::optional<PortStatus> check_update_request(const api::UpdateWorkflowExecutionRequest& request) {
  const UpdateRequest& asked = request.request();
  if (!asked.has_meta()) return errors::invalid("Update meta is not set on request.");
  if (asked.meta().update_id().size() > kIdBytesMax) return errors::invalid("UpdateId length exceeds limit.");
  if (!asked.has_input()) return errors::invalid("Update input is not set on request.");
  if (asked.input().name().empty()) return errors::invalid("Update name is not set on request.");
  if (!is_utf8(asked.meta().update_id()) || !is_utf8(asked.meta().identity()) || !is_utf8(asked.input().name())) {
    return errors::invalid("Update id, identity and name must be UTF-8.");
  }
  if (request.wait_policy().lifecycle_stage() == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED) {
    return errors::permission_denied(
        "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.");
  }
  return std::nullopt;
}

UpdateReplies::UpdateReplies(const ProtocolMessages& messages, const AdmittedUpdates& admitted,
                             const EmbeddedOptions& options)
    : messages_(messages), admitted_(admitted), options_(options), taken_(static_cast<std::size_t>(messages.size())) {}

Bad UpdateReplies::take(Draft& draft, const std::string& message_id) {
  for (int i = 0; i < messages_.size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (taken_[place] || messages_[i].id() != message_id) continue;
    taken_[place] = true;
    return handle(draft, messages_[i]);
  }
  return CommandError::fail_task(kBadMessage, "ProtocolMessageCommand referenced absent message ID " + message_id);
}

Bad UpdateReplies::take_rest(Draft& draft, bool closing) {
  for (int i = 0; i < messages_.size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (taken_[place]) continue;
    taken_[place] = true;
    if (closing && !messages_[i].body().Is<update::Rejection>()) continue;
    if (Bad wrong = handle(draft, messages_[i])) return wrong;
  }
  return std::nullopt;
}

Bad UpdateReplies::handle(Draft& draft, const Message& message) {
  const std::string type = type_of(message.body());
  if (type.empty()) return CommandError::refuse(errors::invalid("nil message body"));
  if (message.body().ByteSizeLong() > options_.blob_bytes_max) {
    return CommandError::terminate(kBadMessage, "Message type " + type + " exceeds size limit.");
  }
  if (message.body().Is<update::Acceptance>()) return accept(draft, message);
  if (message.body().Is<update::Rejection>()) return reject(draft, message);
  if (message.body().Is<update::Response>()) return complete(draft, message);
  const std::string protocol = type.substr(0, type.rfind('.'));
  if (protocol != kProtocol) return CommandError::fail_task(kBadMessage, "unsupported protocol type " + protocol);
  return CommandError::fail_task(kBadMessage,
                                 "Message type *update." + type.substr(protocol.size() + 1) + " not supported");
}

const AdmittedUpdate* UpdateReplies::waiting(const std::string& id) const {
  const auto it = admitted_.find(id);
  return it == admitted_.end() || news_.contains(id) ? nullptr : &it->second;
}

/// An update nobody knows is one that was admitted before a restart: the worker's message carries the request.
Bad UpdateReplies::accept(Draft& draft, const Message& message) {
  const std::string& id = message.protocol_instance_id();
  update::Acceptance acceptance;
  if (!parse_request(message.body().value(), &acceptance))
    return CommandError::refuse(errors::invalid("malformed Acceptance"));
  const AdmittedUpdate* admitted = waiting(id);
  const pb::UpdateState* known = draft.update(id);
  const bool by_event = known != nullptr && known->accepted_event_id() == 0;
  if (known != nullptr && !by_event) return misplaced(draft, id, "Acceptance");
  if (admitted == nullptr && !by_event) {
    if (news_.contains(id)) return misplaced(draft, id, "Acceptance");
    if (!acceptance.has_accepted_request()) return CommandError::fail_task(kBadMessage, unknown_update_text(id));
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
  auto* out = event.mutable_workflow_execution_update_accepted_event_attributes();
  out->set_protocol_instance_id(id);
  out->set_accepted_request_message_id(id + "/request");
  out->set_accepted_request_sequencing_event_id(acceptance.accepted_request_sequencing_event_id());
  if (!by_event) {
    *out->mutable_accepted_request() = admitted != nullptr ? admitted->request : acceptance.accepted_request();
  }
  draft.edit_update(id).set_accepted_event_id(event.event_id());
  news_[id].stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
  return std::nullopt;
}

Bad UpdateReplies::reject(Draft& draft, const Message& message) {
  const std::string& id = message.protocol_instance_id();
  update::Rejection rejection;
  if (!parse_request(message.body().value(), &rejection))
    return CommandError::refuse(errors::invalid("malformed Rejection"));
  const pb::UpdateState* known = draft.update(id);
  const bool by_event = known != nullptr && known->accepted_event_id() == 0;
  if (known != nullptr && !by_event) return misplaced(draft, id, "Rejection");
  if (waiting(id) == nullptr && !by_event) {
    if (news_.contains(id)) return misplaced(draft, id, "Rejection");
    if (!rejection.has_rejected_request()) return CommandError::fail_task(kBadMessage, unknown_update_text(id));
  }
  if (by_event) draft.remove_update(id);
  UpdateOutcome outcome;
  *outcome.mutable_failure() = rejection.failure();
  news_[id] = completed(std::move(outcome));
  return std::nullopt;
}

Bad UpdateReplies::complete(Draft& draft, const Message& message) {
  const std::string& id = message.protocol_instance_id();
  update::Response response;
  if (!parse_request(message.body().value(), &response))
    return CommandError::refuse(errors::invalid("malformed Response"));
  const pb::UpdateState* known = draft.update(id);
  if (known == nullptr && waiting(id) == nullptr && !news_.contains(id)) {
    return CommandError::fail_task(kBadMessage, unknown_update_text(id));
  }
  const bool accepted = known != nullptr && known->accepted_event_id() != 0 && known->completed_event_id() == 0;
  if (!accepted) return misplaced(draft, id, "Response");
  const auto missing = [](const char* what) {
    return CommandError::fail_task(kBadMessage, std::string("invalid *update.Response: ") + what);
  };
  if (!response.has_meta()) return missing("meta is not set");
  if (response.meta().update_id().empty()) return missing("meta.update_id is not set");
  if (response.meta().update_id() != id) return missing(("meta.update_id != " + id).c_str());
  if (!response.has_outcome()) return missing("outcome is not set");
  const std::int64_t accepted_event = known->accepted_event_id();
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED);
  auto* out = event.mutable_workflow_execution_update_completed_event_attributes();
  *out->mutable_meta() = response.meta();
  *out->mutable_outcome() = response.outcome();
  out->set_accepted_event_id(accepted_event);
  draft.edit_update(id).set_completed_event_id(event.event_id());
  news_[id] = completed(std::move(*response.mutable_outcome()));
  return std::nullopt;
}

void UpdateReplies::reject_unanswered() {
  for (const auto& [id, admitted] : admitted_) {
    if (!admitted.sent || news_.contains(id)) continue;
    news_[id] =
        completed(server_failure("Workflow Update is rejected because it wasn't processed by worker. "
                                 "Probably, Workflow Update is not supported by the worker.",
                                 "UnprocessedUpdate"));
  }
}

void UpdateReplies::abort_sent() {
  news_.clear();
  for (const auto& [id, admitted] : admitted_) {
    if (!admitted.sent) continue;
    news_[id].error =
        errors::not_ready("Unable to perform workflow execution update due to unexpected workflow task failure.");
  }
}

bool UpdateReplies::any_left() const {
  return std::any_of(admitted_.begin(), admitted_.end(),
                     [this](const auto& entry) { return !news_.contains(entry.first); });
}

std::string UpdateReplies::unknown_update_text(const std::string& id) {
  return "update " + id +
         " wasn't found on the server. This is most likely a transient error which will be resolved automatically by "
         "retries";
}

/// The states have Temporal's names: people search for these texts.
std::string UpdateReplies::state_name(const Draft& draft, const std::string& id) const {
  const bool now = news_.contains(id);
  const pb::UpdateState* known = draft.update(id);
  if (known != nullptr && known->completed_event_id() != 0) return now ? "ProvisionallyCompleted" : "Completed";
  if (known != nullptr && known->accepted_event_id() != 0) return now ? "ProvisionallyAccepted" : "Accepted";
  if (now) return "ProvisionallyCompleted";
  const AdmittedUpdate* admitted = waiting(id);
  return admitted != nullptr && admitted->sent ? "Sent" : "Admitted";
}

CommandError UpdateReplies::misplaced(const Draft& draft, const std::string& id, const char* message_type) const {
  return CommandError::fail_task(kBadMessage, "invalid state transition attempted for Update " + id +
                                                  ": received *update." + message_type + " message while in state " +
                                                  state_name(draft, id));
}

bool leaves_no_trace(const Run& run, const api::RespondWorkflowTaskCompletedRequest& request) {
  if (!run.task.speculative() || !request.commands().empty() || request.force_create_new_workflow_task()) return false;
  const bool only_rejections =
      std::all_of(request.messages().begin(), request.messages().end(),
                  [](const auto& message) { return message.body().template Is<update::Rejection>(); });
  if (!only_rejections) return false;
  // The last completed task's Started and Completed, then what this one brought, which the next will bring again.
  const std::int64_t brought = run.history.next_event_id() - (run.progress.previous_started_event_id() + 2);
  const bool may_have_events = request.capabilities().discard_speculative_workflow_task_with_events();
  return brought <= (may_have_events ? kEventsDroppedMax : 0);
}

}  // namespace callimport::engine
