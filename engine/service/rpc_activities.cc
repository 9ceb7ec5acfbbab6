// Heartbeats and answers of activities, by token and by id (conformance C28, C29).
#include <utility>

#include "engine/service/activities.h"
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/retry.h"
#include "engine/service/uuid_text.h"

namespace callimport::engine {
namespace {

constexpr const char* kHeartbeatTooLarge = "Heartbeat details exceed size limit.";

/// What becomes of an attempt whose words the history would not hold.
FailureProto too_large(const char* what) { return server_failure(what, Retryable::kNo); }

bool is_started(const OpenRun& run, std::int64_t scheduled) {
  return run.activities.at(scheduled).state.started_ns() != 0;
}

}  // namespace

OpenRun* Service::activity_by_token(const std::string& bytes, std::int64_t* scheduled, PortStatus* error) {
  pb::TaskToken token;
  if (auto wrong = parse_token(bytes, pb::TaskToken::ACTIVITY, &token)) {
    *error = std::move(*wrong);
    return nullptr;
  }
  const Found found = find_id(token.run_id());
  if (found.open == nullptr) {
    *error = found ? errors::already_completed() : errors::workflow_not_found(token.workflow_id());
    return nullptr;
  }
  const auto activity = found.open->activities.find(token.scheduled_event_id());
  if (activity == found.open->activities.end() || activity->second.state.attempt() != token.attempt() ||
      activity->second.state.started_ns() != token.started_ns()) {
    *error = errors::activity_not_found();
    return nullptr;
  }
  *scheduled = token.scheduled_event_id();
  return found.open;
}

OpenRun* Service::activity_by_name(const std::string& name_space, const std::string& workflow_id,
                                   const std::string& run_id, const std::string& activity_id, std::int64_t* scheduled,
                                   PortStatus* error) {
  if (auto wrong = gate(name_space)) {
    *error = std::move(*wrong);
    return nullptr;
  }
  if (!workflow_id.empty() && activity_id.empty()) {
    *error = errors::invalid("ActivityId is not set on request.");
    return nullptr;
  }
  if (!run_id.empty() && !is_uuid(run_id)) {
    *error = errors::invalid("RunId is not valid UUID.");
    return nullptr;
  }
  const Found found = find_run(name_space, workflow_id, run_id, error);
  if (!found) return nullptr;
  if (found.open == nullptr) {
    *error = errors::already_completed();
    return nullptr;
  }
  const auto id = found.open->activity_ids.find(activity_id);
  if (id == found.open->activity_ids.end()) {
    *error = errors::not_found("cannot find pending activity with ActivityID " + activity_id +
                               ", check workflow execution history for more details");
    return nullptr;
  }
  *scheduled = id->second;
  return found.open;
}

/// A token names the attempt that was handed out; an id names what is pending, and may do so before it was.
template <class Request>
OpenRun* Service::activity_of(const Request& request, std::int64_t* scheduled, PortStatus* error) {
  if constexpr (requires { request.task_token(); }) {
    pb::TaskToken token;
    token.set_name_space(request.namespace_());
    if (auto wrong = parse_token(request.task_token(), pb::TaskToken::ACTIVITY, &token)) {
      *error = std::move(*wrong);
      return nullptr;
    }
    return activity_by_token(request.task_token(), scheduled, error);
  } else {
    return activity_by_name(request.namespace_(), request.workflow_id(), request.run_id(), request.activity_id(),
                            scheduled, error);
  }
}

/// Hands `act` the call, the run and the activity's scheduled event, or refuses.
template <class Request, class Response, class Act>
void Service::on_activity(const Request& request, CallContext context, Reply<Response> reply, Act act) {
  auto call = enter(context, std::move(reply));
  PortStatus error;
  std::int64_t scheduled = 0;
  OpenRun* run = activity_of(request, &scheduled, &error);
  if (run == nullptr) return refuse(std::move(call), std::move(error));
  act(std::move(call), *run, scheduled);
}

template <class Request, class Response>
void Service::beat(const Request& request, CallContext context, Reply<Response> reply) {
  on_activity(request, context, std::move(reply), [&](Call<Response> call, OpenRun& run, std::int64_t scheduled) {
    if (!is_started(run, scheduled)) return refuse(std::move(call), errors::activity_not_found());
    Response out;
    Draft draft(run, clock_.now());
    if (request.details().ByteSizeLong() > options_.blob_bytes_max) {
      fail_activity(draft, scheduled, too_large(kHeartbeatTooLarge), request.identity(), nullptr);
      if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
      out.set_cancel_requested(true);
      return answer(std::move(call), std::move(out));
    }
    heartbeat_activity(draft, scheduled, request.has_details() ? &request.details() : nullptr);
    if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
    const pb::ActivityState& state = run.activities.at(scheduled).state;  // C28
    out.set_cancel_requested(state.cancel_requested_event_id() != 0);
    out.set_activity_paused(state.paused_ns() != 0 || run.paused());
    out.set_activity_reset(state.was_reset());
    answer(std::move(call), std::move(out));
  });
}

template <class Request, class Response>
void Service::complete(const Request& request, CallContext context, Reply<Response> reply) {
  on_activity(request, context, std::move(reply), [&](Call<Response> call, OpenRun& run, std::int64_t scheduled) {
    const PayloadsProto* result = request.has_result() ? &request.result() : nullptr;
    Draft draft(run, clock_.now());
    if (result != nullptr && result->ByteSizeLong() > options_.blob_bytes_max) {
      // An oversized result fails the activity for good instead (there is nothing to retry).
      fail_activity(draft, scheduled, too_large("Complete result exceeds size limit."), request.identity(), nullptr);
    } else {
      complete_activity(draft, scheduled, result, request.identity());
    }
    if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
    answer(std::move(call), Response());
  });
}

template <class Request, class Response>
void Service::fail_attempt(const Request& request, CallContext context, Reply<Response> reply) {
  on_activity(request, context, std::move(reply), [&](Call<Response> call, OpenRun& run, std::int64_t scheduled) {
    if (!is_started(run, scheduled)) return refuse(std::move(call), errors::activity_not_found());
    const PayloadsProto* heartbeat = request.has_last_heartbeat_details() ? &request.last_heartbeat_details() : nullptr;
    Response out;
    if (heartbeat != nullptr && heartbeat->ByteSizeLong() > options_.blob_bytes_max) {
      heartbeat = nullptr;
      *out.add_failures() = too_large(kHeartbeatTooLarge);
    }
    const FailureProto failure =
        within(request.failure(), options_.blob_bytes_max, options_.blob_bytes_warn, Retryable::kNo);
    if (request.failure().ByteSizeLong() > options_.blob_bytes_max) *out.add_failures() = failure;
    Draft draft(run, clock_.now());
    fail_activity(draft, scheduled, failure, request.identity(), heartbeat);
    if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
    answer(std::move(call), std::move(out));
  });
}

template <class Request, class Response>
void Service::cancel_attempt(const Request& request, CallContext context, Reply<Response> reply) {
  on_activity(request, context, std::move(reply), [&](Call<Response> call, OpenRun& run, std::int64_t scheduled) {
    const bool fits = request.details().ByteSizeLong() <= options_.blob_bytes_max;
    if (fits && run.activities.at(scheduled).state.cancel_requested_event_id() == 0) {
      return refuse(std::move(call), errors::invalid("unable to mark activity as canceled without activity being "
                                                     "request canceled first"));
    }
    Draft draft(run, clock_.now());
    if (fits) {
      cancel_activity(draft, scheduled, request.has_details() ? &request.details() : nullptr, request.identity());
    } else {
      fail_activity(draft, scheduled, too_large("Cancel details exceed size limit."), request.identity(), nullptr);
    }
    if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
    answer(std::move(call), Response());
  });
}

void Service::RecordActivityTaskHeartbeat(const api::RecordActivityTaskHeartbeatRequest& request, CallContext context,
                                          Reply<api::RecordActivityTaskHeartbeatResponse> reply) {
  beat(request, context, std::move(reply));
}
void Service::RecordActivityTaskHeartbeatById(const api::RecordActivityTaskHeartbeatByIdRequest& request,
                                              CallContext context,
                                              Reply<api::RecordActivityTaskHeartbeatByIdResponse> reply) {
  beat(request, context, std::move(reply));
}

void Service::RespondActivityTaskCompleted(const api::RespondActivityTaskCompletedRequest& request, CallContext context,
                                           Reply<api::RespondActivityTaskCompletedResponse> reply) {
  complete(request, context, std::move(reply));
}
void Service::RespondActivityTaskCompletedById(const api::RespondActivityTaskCompletedByIdRequest& request,
                                               CallContext context,
                                               Reply<api::RespondActivityTaskCompletedByIdResponse> reply) {
  complete(request, context, std::move(reply));
}

void Service::RespondActivityTaskFailed(const api::RespondActivityTaskFailedRequest& request, CallContext context,
                                        Reply<api::RespondActivityTaskFailedResponse> reply) {
  if (request.has_failure() && !request.failure().has_application_failure_info()) {
    return refuse(enter(context, std::move(reply)), errors::invalid("Failure must have ApplicationFailureInfo."));
  }
  fail_attempt(request, context, std::move(reply));
}
void Service::RespondActivityTaskFailedById(const api::RespondActivityTaskFailedByIdRequest& request,
                                            CallContext context,
                                            Reply<api::RespondActivityTaskFailedByIdResponse> reply) {
  fail_attempt(request, context, std::move(reply));
}

void Service::RespondActivityTaskCanceled(const api::RespondActivityTaskCanceledRequest& request, CallContext context,
                                          Reply<api::RespondActivityTaskCanceledResponse> reply) {
  cancel_attempt(request, context, std::move(reply));
}
void Service::RespondActivityTaskCanceledById(const api::RespondActivityTaskCanceledByIdRequest& request,
                                              CallContext context,
                                              Reply<api::RespondActivityTaskCanceledByIdResponse> reply) {
  cancel_attempt(request, context, std::move(reply));
}

}  // namespace callimport::engine
