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
inline constexpr std::string_view kLocalActivityMarker = "core_local_activity";
inline constexpr std::string_view kChangeVersion = "TemporalChangeVersion";

enum class CommandKind : std::uint8_t {
  ScheduleActivityTask,
  RequestCancelActivityTask,
  StartTimer,
  CancelTimer,
  RecordPatch,
  RecordSideEffect,
  RecordLocalActivity,
  StartChild,
  SignalExternal,
  RequestCancelExternal,
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
struct TimerMachine;

struct ActivityMachine {
  ActivityState state = ActivityState::CommandQueued;
  CancellationType cancellation = CancellationType::kTryCancel;
  std::int64_t scheduled_event_id = 0;
  std::string id, type;
  PendingCommand* command = nullptr;  ///< while CommandQueued
  std::shared_ptr<FutureState<Outcome<std::string>>> future;
};

struct LocalActivityMachine {
  LocalState state = LocalState::Requested;
  std::int64_t number = 0;  ///< the marker's `seq`; another one after a wait that is a timer
  int attempt = 1;
  std::string type, input;
  LocalActivityOptions options;
  Timestamp scheduled{};         ///< the first attempt
  TimerMachine* wait = nullptr;  ///< for the next attempt, while it is running
  std::shared_ptr<FutureState<Outcome<std::string>>> future;
};

struct ChildMachine {
  ChildState state = ChildState::CommandQueued;
  CancellationType cancellation = CancellationType::kWaitCancellationCompleted;
  std::string id, type;
  bool cancel_requested = false;
  PendingCommand* command = nullptr;  ///< while CommandQueued
  std::shared_ptr<FutureState<Outcome<std::string>>> started, result;
};

/// A signal to another workflow or a request to cancel one.
struct ExternalMachine {
  ExternalState state = ExternalState::CommandQueued;
  PendingCommand* command = nullptr;                            ///< while CommandQueued
  std::shared_ptr<FutureState<Outcome<>>> future;               ///< null when it cancels a child
  std::weak_ptr<FutureState<Outcome<std::string>>> told_child;  ///< ends with the request: WaitCancellationRequested
};

struct TimerMachine {
  TimerState state = TimerState::CommandQueued;
  std::int64_t started_event_id = 0;
  std::string id;
  PendingCommand* command = nullptr;               ///< while CommandQueued
  std::shared_ptr<FutureState<Outcome<>>> future;  ///< of timer(); null for until()
  std::weak_ptr<FutureState<bool>> time_limit_of;  ///< of until(); empty for timer()
  std::int64_t local_activity = 0;                 ///< whose next attempt it lets begin; 0: none
};

/// Lives from the call in workflow code until its event came; then the machine in it moves to the run's tables.
struct PendingCommand {
  CommandKind kind;
  std::string id;    ///< activity, timer, patch, update or workflow id; a side effect's or local activity's number
  std::string type;  ///< activity or workflow type; signal name
  std::unique_ptr<ActivityMachine> activity;
  std::unique_ptr<TimerMachine> timer;
  std::unique_ptr<LocalActivityMachine> local;
  std::unique_ptr<ChildMachine> child;
  std::unique_ptr<ExternalMachine> external;
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
/// What the marker of a local activity says (B.6). `failure` when it holds one, else `result`.
struct LocalMark {
  std::int64_t number = 0;  ///< 0: malformed
  int attempt = 1;
  std::string id, type;
  Outcome<std::string> outcome;
  std::optional<Nanos> backoff;  ///< the next attempt comes after this long
};
LocalMark local_mark(const HistoryEvent& event);
/// @param scheduled  the first attempt; `completed`: this one's end.
void set_local_mark(CommandMessage* message, const LocalMark& mark, Timestamp scheduled, Timestamp completed);
bool upserts_change_version(const HistoryEvent& event);

}  // namespace callimport::engine::worker
