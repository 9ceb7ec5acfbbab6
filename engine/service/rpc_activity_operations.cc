// PauseActivity, UnpauseActivity, ResetActivity, UpdateActivityOptions (conformance C.4, C29).
#include <algorithm>
#include <utility>

#include "engine/service/activity_operations.h"
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/uuid_text.h"

namespace callimport::engine {
namespace {

constexpr const char* kNoSuchActivity =
    "Can't find pending activity with such ID. Invalid activityID or activity already completed";

bool names_all(const api::UnpauseActivityRequest& request) { return request.unpause_all(); }
bool names_all(const api::ResetActivityRequest& request) { return request.match_all(); }
bool names_all(const api::UpdateActivityOptionsRequest& request) { return request.match_all(); }
bool names_all(const api::PauseActivityRequest&) { return false; }

/// The pending activities a request means, by scheduled event.
template <class Request>
std::vector<std::int64_t> meant(const Run& run, const Request& request) {
  std::vector<std::int64_t> out;
  for (const auto& [id, activity] : run.activities) {
    const bool by_id = request.has_id() && activity.state.activity_id() == request.id();
    const bool by_type = request.has_type() && activity.state.type() == request.type();
    if (by_id || by_type || names_all(request)) out.push_back(id);
  }
  return out;
}

}  // namespace

template <class Request>
OpenRun* Service::activities_for(const Request& request, std::vector<std::int64_t>* ids, PortStatus* error) {
  if (auto wrong = gate(request.namespace_())) {
    *error = std::move(*wrong);
    return nullptr;
  }
  if (request.execution().workflow_id().empty()) {
    *error = errors::invalid("WorkflowId is not set on request.");
    return nullptr;
  }
  if (request.activity_case() == Request::ACTIVITY_NOT_SET) {
    *error = errors::invalid("Either Activity.Id or Activity.Type should be set on request.");
    return nullptr;
  }
  if (!request.execution().run_id().empty() && !is_uuid(request.execution().run_id())) {
    *error = errors::invalid("RunId is not valid UUID.");
    return nullptr;
  }
  const Found found = find_run(request.namespace_(), request.execution(), error);
  if (!found) return nullptr;
  if (found.open == nullptr) {
    *error = errors::already_completed();
    return nullptr;
  }
  *ids = meant(*found.open, request);
  if (ids->empty()) {
    *error = errors::not_found(kNoSuchActivity);
    return nullptr;
  }
  return found.open;
}

/// Now, or up to `jitter` later.
std::int64_t Service::within_jitter(const google::protobuf::Duration& jitter) {
  const std::int64_t most = to_nanos(jitter);
  if (most <= 0) return now_ns();
  return add_nanos(now_ns(), static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(most)));
}

/// One decision for all that are meant. @param change  gets the draft and each activity's scheduled event.
template <class Request, class Response, class Change>
void Service::change_activities(const Request& request, CallContext context, Reply<Response> reply, Change change) {
  auto call = enter(context, std::move(reply));
  PortStatus error;
  std::vector<std::int64_t> ids;
  OpenRun* run = activities_for(request, &ids, &error);
  if (run == nullptr) return refuse(std::move(call), std::move(error));
  Draft draft(*run, clock_.now());
  for (const std::int64_t id : ids) change(draft, id);
  note_pauses(draft);
  commit(*run, std::move(draft));
  answer(std::move(call), Response());
}

void Service::PauseActivity(const api::PauseActivityRequest& request, CallContext context,
                            Reply<api::PauseActivityResponse> reply) {
  change_activities(request, context, std::move(reply), [&request](Draft& draft, std::int64_t id) {
    pause_activity(draft, id, request.identity(), request.reason());
  });
}

void Service::UnpauseActivity(const api::UnpauseActivityRequest& request, CallContext context,
                              Reply<api::UnpauseActivityResponse> reply) {
  change_activities(request, context, std::move(reply), [this, &request](Draft& draft, std::int64_t id) {
    unpause_activity(draft, id, request, within_jitter(request.jitter()));
  });
}

void Service::ResetActivity(const api::ResetActivityRequest& request, CallContext context,
                            Reply<api::ResetActivityResponse> reply) {
  change_activities(request, context, std::move(reply), [this, &request](Draft& draft, std::int64_t id) {
    reset_activity(draft, id, request, within_jitter(request.jitter()));
  });
}

void Service::UpdateActivityOptions(const api::UpdateActivityOptionsRequest& request, CallContext context,
                                    Reply<api::UpdateActivityOptionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.restore_original() && request.update_mask().paths_size() > 0) {
    return refuse(std::move(call), errors::invalid("Both UpdateMask and RestoreOriginal are provided"));
  }
  PortStatus error;
  std::vector<std::int64_t> ids;
  OpenRun* run = activities_for(request, &ids, &error);
  const bool unknown = run == nullptr;
  const bool bare = !request.restore_original() && request.activity_case() != request.ACTIVITY_NOT_SET;
  if (bare && (!unknown || error.message == kNoSuchActivity)) {  // what is asked is looked at before for whom
    if (!request.has_activity_options()) {
      return refuse(std::move(call), errors::invalid("ActivityOptions are not provided"));
    }
    if (!unknown && !request.has_update_mask()) {
      return refuse(std::move(call), errors::invalid("UpdateMask is not provided"));
    }
  }
  if (unknown) return refuse(std::move(call), std::move(error));
  Draft draft(*run, clock_.now());
  api::UpdateActivityOptionsResponse out;
  for (const std::int64_t id : ids) {
    out.clear_activity_options();
    if (auto wrong = update_activity_options(draft, id, request, out.mutable_activity_options())) {
      return refuse(std::move(call), errors::invalid(*wrong));
    }
  }
  commit(*run, std::move(draft));
  answer(std::move(call), std::move(out));
}

}  // namespace callimport::engine
