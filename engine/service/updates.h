#pragma once
// Updates (conformance C.8): what waits in memory for a worker, and what a worker's protocol messages do to it and to
// the run's history. Admitted updates are nobody's promise yet: they are not journaled, and a restart forgets them.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/embedded.h"
#include "engine/service/command_error.h"
#include "engine/service/draft.h"
#include "temporal/api/enums/v1/update.pb.h"
#include "temporal/api/protocol/v1/message.pb.h"
#include "temporal/api/update/v1/message.pb.h"

namespace callimport::engine {

using UpdateRequest = ::temporal::api::update::v1::Request;
using UpdateOutcome = ::temporal::api::update::v1::Outcome;
using UpdateStage = enums::UpdateWorkflowExecutionLifecycleStage;
using ProtocolMessages = google::protobuf::RepeatedPtrField<::temporal::api::protocol::v1::Message>;

/// Asked for, and not yet accepted or rejected.
struct AdmittedUpdate {
  std::uint64_t order = 0;
  UpdateRequest request;
  bool sent = false;  ///< a worker was handed its message
};
using AdmittedUpdates = std::map<std::string, AdmittedUpdate>;  ///< by update id

/// How far an update got, as a caller is told it.
struct UpdateReached {
  PortStatus error;  ///< not ok: the update came to nothing, and the rest is void
  UpdateStage stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
  std::optional<UpdateOutcome> outcome{};
};
using UpdateNews = std::map<std::string, UpdateReached>;  ///< by update id

/// C.8: what is wrong with a request to update, whatever the run.
std::optional<PortStatus> check_update_request(const api::UpdateWorkflowExecutionRequest& request);

/// Accepted by a run that closed without completing it.
UpdateOutcome abandoned_outcome();

/// The messages for a worker that starts a task, in the order of admission; marks them sent.
/// @param again  also those that an earlier attempt was handed.
void send_updates(AdmittedUpdates& updates, bool again, std::int64_t started_event_id, ProtocolMessages* out);

/// The messages of one completion, as steps of the decision on it (C23).
class UpdateReplies {
 public:
  /// All three outlive it.
  UpdateReplies(const ProtocolMessages& messages, const AdmittedUpdates& admitted, const EmbeddedOptions& options);

  /// The one that a PROTOCOL_MESSAGE command names.
  std::optional<CommandError> take(Draft& draft, const std::string& message_id);
  /// All others. @param closing  the run is being closed: nothing but rejections counts any more.
  std::optional<CommandError> take_rest(Draft& draft, bool closing);
  /// What the worker was sent and did not answer is rejected for it.
  void reject_unanswered();
  /// The commands are void: whoever waits for an update the worker has seen is told.
  void abort_sent();

  /// An update is still to be handed to a worker.
  bool any_left() const;
  UpdateNews take_news() { return std::move(news_); }

 private:
  using Message = ::temporal::api::protocol::v1::Message;
  std::optional<CommandError> handle(Draft& draft, const Message& message);
  std::optional<CommandError> accept(Draft& draft, const Message& message);
  std::optional<CommandError> reject(Draft& draft, const Message& message);
  std::optional<CommandError> complete(Draft& draft, const Message& message);
  static std::string unknown_update_text(const std::string& id);
  std::string state_name(const Draft& draft, const std::string& id) const;
  CommandError misplaced(const Draft& draft, const std::string& id, const char* message_type) const;
  const AdmittedUpdate* waiting(const std::string& id) const;  ///< admitted, and not answered by an earlier message

  const ProtocolMessages& messages_;
  const AdmittedUpdates& admitted_;
  const EmbeddedOptions& options_;
  std::vector<bool> taken_;
  UpdateNews news_;
};

/// Whether a completed speculative task leaves no trace (C24): nothing was accepted and nothing else happened.
bool leaves_no_trace(const Run& run, const api::RespondWorkflowTaskCompletedRequest& request);

}  // namespace callimport::engine
