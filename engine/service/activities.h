#pragma once
// The life of an activity (conformance C.4): scheduled by a command, started as state only, retried as state only,
// closed by a pair of events. Each function is a step of a decision on a Draft.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/embedded.h"
#include "engine/service/command_error.h"
#include "engine/service/draft.h"
#include "engine/service/workflow_tasks.h"

namespace temporal::api::command::v1 {
class Command;
class ScheduleActivityTaskCommandAttributes;
}  // namespace temporal::api::command::v1

namespace callimport::engine {

using PayloadsProto = ::temporal::api::common::v1::Payloads;

/// @param completed_id  the WorkflowTaskCompleted event the command came with.
std::optional<CommandError> schedule_activity(Draft& draft, const temporal::api::command::v1::Command& command,
                                              std::int64_t completed_id, const EmbeddedOptions& options);
/// C21: one that was not started is cancelled on the spot. @param canceled_now  set then: a new workflow task is due.
std::optional<CommandError> request_cancel_activity(Draft& draft, const temporal::api::command::v1::Command& command,
                                                    std::int64_t completed_id, const std::string& identity,
                                                    bool* canceled_now);

/// The state of one just scheduled, as its event tells it; the ids are the caller's.
void fill_activity(const temporal::api::history::v1::ActivityTaskScheduledEventAttributes& scheduled,
                   std::int64_t now_ns, pb::ActivityState* state);

/// C25: what is missing follows from what is there; nothing outlives the run. 0: unlimited.
struct ActivityTimeouts {
  std::int64_t schedule_to_close, schedule_to_start, start_to_close, heartbeat;
};
using ScheduleActivity = ::temporal::api::command::v1::ScheduleActivityTaskCommandAttributes;
ActivityTimeouts settle_timeouts(const ScheduleActivity& asked, std::int64_t run_timeout_ns);
/// What is wrong with the timeouts as they were asked for.
std::optional<std::string> activity_durations_error(const ScheduleActivity& asked);

/// The next attempt takes over: marks that were for the one before are gone.
void begin_attempt(pb::ActivityState* activity);

void start_activity(Draft& draft, std::int64_t scheduled_event_id, const TaskStart& start);
void complete_activity(Draft& draft, std::int64_t scheduled_event_id, const PayloadsProto* result,
                       const std::string& identity);
/// Retries when the policy says so (state only), else closes. @param heartbeat  last details sent with the failure, or
/// null.
void fail_activity(Draft& draft, std::int64_t scheduled_event_id, const temporal::api::failure::v1::Failure& failure,
                   const std::string& identity, const PayloadsProto* heartbeat);
void cancel_activity(Draft& draft, std::int64_t scheduled_event_id, const PayloadsProto* details,
                     const std::string& identity);
void time_out_activity(Draft& draft, std::int64_t scheduled_event_id, enums::TimeoutType type);
void heartbeat_activity(Draft& draft, std::int64_t scheduled_event_id, const PayloadsProto* details);

/// What ends next for this activity, and when (unix ns); nullopt: nothing does.
struct ActivityDeadline {
  std::int64_t when_ns;
  enums::TimeoutType type;
};
std::optional<ActivityDeadline> next_deadline(const pb::ActivityState& activity);

}  // namespace callimport::engine
