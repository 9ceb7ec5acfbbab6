#pragma once
// The life of a workflow task (conformance C.3): scheduled, started, completed, failed, timed out; transient attempts,
// stickiness and the buffer. Each function is a step of a decision on a Draft.
#include <cstdint>
#include <string>

#include "engine/embedded.h"
#include "engine/service/draft.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

namespace temporal::api::failure::v1 {
class Failure;
}

namespace callimport::engine {

inline constexpr std::string_view kHistoryService = "history-service";
inline constexpr std::int64_t kHeartbeatLimitNs = 30LL * 60 * 1'000'000'000;  ///< C18
inline constexpr std::size_t kSuggestUpdateTenths = 9;                        ///< of updates_max (C11)
inline constexpr std::int64_t kSpeculativeScheduleToStartNs = 5'000'000'000;  ///< on the normal queue (C17)

/// A real WorkflowTaskScheduled, attempt 1. No task is pending. @param original_ns  first of a heartbeat chain; 0: now.
void schedule_task(Draft& draft, std::int64_t original_ns = 0);
/// For updates alone (C.8): not written until an event joins it. No task is pending.
void schedule_speculative_task(Draft& draft);
/// A real one, unless a task is pending, started, or the first backoff still runs. Ends nothing.
void schedule_task_if_idle(Draft& draft);

struct TaskStart {
  std::string identity, request_id;
  std::size_t updates = 0;  ///< the run had so far
};
/// C11, C13: writes Started, or nothing for a transient attempt or a speculative task; an attempt overtaken by events
/// becomes a real attempt 1.
void start_task(Draft& draft, const TaskStart& start, const EmbeddedOptions& options);

/// Before WorkflowTaskCompleted: a transient attempt's Scheduled and Started get written now (E15).
void write_transient(Draft& draft);

struct TaskFailure {
  enums::WorkflowTaskFailedCause cause;
  const temporal::api::failure::v1::Failure* failure = nullptr;
  std::string_view identity;
  std::string_view binary_checksum{};
  const temporal::api::common::v1::WorkerVersionStamp* worker_version = nullptr;
};
/// The started task failed: event on attempt 1, stickiness cleared, buffer flushed, next attempt scheduled (C13).
void fail_task(Draft& draft, const TaskFailure& failure);
void time_out_task(Draft& draft);            ///< start-to-close
void time_out_scheduled_task(Draft& draft);  ///< schedule-to-start: of sticky (C16) and of speculative tasks (C17)
/// More is buffered than allowed: the started task is failed by the service, which flushes (C.2).
void fail_task_for_buffer(Draft& draft);

/// The run is about to be closed from outside: a started task fails with FORCE_CLOSE_COMMAND, the buffer is written
/// (E8).
void force_close_task(Draft& draft);
/// After the closing event: status, close time; the task ends.
void close_run(Draft& draft, enums::WorkflowExecutionStatus status);
void terminate_run(Draft& draft, const std::string& reason, const temporal::api::common::v1::Payloads* details,
                   std::string_view identity);

}  // namespace callimport::engine
