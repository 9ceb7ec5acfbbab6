#pragma once
// What operators do to pending activities (conformance C.4, A.8 tier 2): pause, unpause, reset, other options. No
// events: only state changes. Each function is a step of a decision on a Draft; the activity is pending.
#include <cstdint>
#include <optional>
#include <string>

#include "engine/service/draft.h"
#include "engine/workflow_service.h"

namespace temporal::api::activity::v1 {
class ActivityOptions;
}

namespace callimport::engine {

namespace api = ::temporal::api::workflowservice::v1;
using ActivityOptionsProto = ::temporal::api::activity::v1::ActivityOptions;

/// No attempt begins while it is paused; one under way goes on, and its worker is told with the next heartbeat.
void pause_activity(Draft& draft, std::int64_t scheduled_event_id, const std::string& identity,
                    const std::string& reason);
/// @param begins_ns  when the next attempt may begin, unless one is under way.
void unpause_activity(Draft& draft, std::int64_t scheduled_event_id, const api::UnpauseActivityRequest& request,
                      std::int64_t begins_ns);
/// Attempt 1 again, at `begins_ns`. One under way goes on; as attempt 1 its answer still counts.
void reset_activity(Draft& draft, std::int64_t scheduled_event_id, const api::ResetActivityRequest& request,
                    std::int64_t begins_ns);
/// Merges the fields of the request's mask, or the options of the scheduled event with restore_original.
/// @param out  the options now.  @return what is wrong with them; nothing is changed then.
std::optional<std::string> update_activity_options(Draft& draft, std::int64_t scheduled_event_id,
                                                   const api::UpdateActivityOptionsRequest& request,
                                                   ActivityOptionsProto* out);
/// After pauses changed: the search attribute TemporalPauseInfo, one entry a type of activity that is paused.
void note_pauses(Draft& draft);

}  // namespace callimport::engine
