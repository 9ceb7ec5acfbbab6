#pragma once
// What workflow code asked for and the history has not yet confirmed, in order; and the comparison of one with the
// other.
#include <temporal/api/command/v1/message.pb.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/worker/machines.h"
#include "engine/worker/task_split.h"
#include "engine/workflow.h"

namespace callimport::engine::worker {

using CommandMessage = ::temporal::api::command::v1::Command;

inline constexpr std::string_view kPatchMarker = "core_patch";
inline constexpr std::string_view kSideEffectMarker = "SideEffect";  ///< details `side-effect-id` (JSON number), `data`
inline constexpr std::string_view kChangeVersion = "TemporalChangeVersion";

enum class CommandKind : std::uint8_t {
  ScheduleActivityTask,
  RequestCancelActivityTask,
  StartTimer,
  CancelTimer,
  RecordPatch,
  RecordSideEffect,
  UpsertSearchAttributes,
  ModifyProperties,
  AcceptUpdate,
  CompleteUpdate,
  CompleteWorkflow,
  FailWorkflow,
  CancelWorkflow,
  ContinueAsNew
};

struct PendingCommand;

struct ActivityMachine {
  ActivityState state = ActivityState::CommandQueued;
  CancellationType cancellation = CancellationType::kTryCancel;
  std::int64_t scheduled_event_id = 0;
  std::string id, type;
  PendingCommand* command = nullptr;  ///< while CommandQueued
  std::shared_ptr<FutureState<Outcome<std::string>>> future;
};

struct TimerMachine {
  TimerState state = TimerState::CommandQueued;
  std::int64_t started_event_id = 0;
  std::string id;
  PendingCommand* command = nullptr;               ///< while CommandQueued
  std::shared_ptr<FutureState<Outcome<>>> future;  ///< of timer(); null for until()
  std::weak_ptr<FutureState<bool>> time_limit_of;  ///< of until(); empty for timer()
};

/// Lives from the call in workflow code until its event came; then the machine in it moves to the run's tables.
struct PendingCommand {
  CommandKind kind;
  std::string id;    ///< activity, timer, patch or update id; the side effect's number
  std::string type;  ///< activity type
  std::unique_ptr<ActivityMachine> activity;
  std::unique_ptr<TimerMachine> timer;
  ActivityMachine* cancelled_activity = nullptr;  ///< in the run's table at least until its cancel event
  TimerMachine* cancelled_timer = nullptr;
  std::unique_ptr<CommandMessage> message, second;  ///< absent while replaying; `second`: the upsert beside a patch
  bool dropped = false;                             ///< cancelled before it was sent: no event (B13)
};

/// `ScheduleActivityTask 3 of type fetch`.
std::string describe(const PendingCommand& command);
/// `ActivityTaskScheduled 3 of type fetch`.
std::string describe(const HistoryEvent& event);
/// Kind, then id and type where they are checked (B12, B14). Patch markers are the caller's.
bool matches(const PendingCommand& command, const HistoryEvent& event);

struct PatchMark {
  std::string id;
  bool deprecated = false;
};
/// Both forms of the patch marker's details (B.6); empty id when they hold none.
PatchMark patch_mark(const HistoryEvent& event);
bool is_marker(const HistoryEvent& event, std::string_view marker_name);
/// The number and the JSON text of a side effect's marker; number 0 when malformed.
struct SideEffectMark {
  std::int64_t number = 0;
  std::string data;
};
SideEffectMark side_effect_mark(const HistoryEvent& event);
bool upserts_change_version(const HistoryEvent& event);

}  // namespace callimport::engine::worker
