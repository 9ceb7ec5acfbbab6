#pragma once
// The state machines of conformance B.4 that have more than one step: pure tables of (state, event), no I/O inside.
// Each legal pair is one row of a list; every other pair is nondeterminism or a bug of the server. `CancelWanted` comes
// from workflow code, all other events but LocalEvent's first two are history events.
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/model/result.h"

namespace callimport::engine::worker {

enum class TimerState : std::uint8_t { CommandQueued, Running, CancelQueued, Closed };
enum class TimerEvent : std::uint8_t { TimerStarted, TimerFired, TimerCanceled, CancelWanted };

enum class ActivityState : std::uint8_t { CommandQueued, Scheduled, Started, CancelQueued, CancelRequested, Closed };
enum class ActivityEvent : std::uint8_t {
  ActivityTaskScheduled,
  ActivityTaskStarted,
  ActivityTaskCompleted,
  ActivityTaskFailed,
  ActivityTaskTimedOut,
  ActivityTaskCancelRequested,
  ActivityTaskCanceled,
  CancelWanted
};

/// Of a child. Its cancellation is an external request of its own, so it moves no state here.
enum class ChildState : std::uint8_t { CommandQueued, Initiated, Started, Closed };
enum class ChildEvent : std::uint8_t {
  StartChildWorkflowExecutionInitiated,
  StartChildWorkflowExecutionFailed,
  ChildWorkflowExecutionStarted,
  ChildWorkflowExecutionCompleted,
  ChildWorkflowExecutionFailed,
  ChildWorkflowExecutionTimedOut,
  ChildWorkflowExecutionCanceled,
  ChildWorkflowExecutionTerminated,
  CancelWanted
};

/// Of a signal to another workflow, and of a request to cancel one.
enum class ExternalState : std::uint8_t { CommandQueued, Initiated, Closed };
enum class ExternalEvent : std::uint8_t { Initiated, PassedOn, Failed, CancelWanted };

/// Of a local activity: live it is taken to be run and has a result, in a replay its marker lies ahead.
enum class LocalState : std::uint8_t { Requested, Running, MarkerQueued, Closed };
enum class LocalEvent : std::uint8_t { Taken, ResultCame, MarkerAhead, MarkerRecorded, CancelWanted };

template <class State, class Event>
struct Row {
  State from;
  Event event;
  State to;
};
std::span<const Row<TimerState, TimerEvent>> timer_rows();
std::span<const Row<ActivityState, ActivityEvent>> activity_rows();

std::span<const Row<ChildState, ChildEvent>> child_rows();
std::span<const Row<ExternalState, ExternalEvent>> external_rows();
std::span<const Row<LocalState, LocalEvent>> local_rows();

std::string_view name(TimerState state);
std::string_view name(TimerEvent event);
std::string_view name(ActivityState state);
std::string_view name(ActivityEvent event);
std::string_view name(ChildState state);
std::string_view name(ChildEvent event);
std::string_view name(ExternalState state);
std::string_view name(ExternalEvent event);
std::string_view name(LocalState state);
std::string_view name(LocalEvent event);

/// @error kNondeterministic  the pair is not in the table; the text names both.
Result<TimerState> advance(TimerState state, TimerEvent event);
Result<ActivityState> advance(ActivityState state, ActivityEvent event);
Result<ChildState> advance(ChildState state, ChildEvent event);
Result<ExternalState> advance(ExternalState state, ExternalEvent event);
Result<LocalState> advance(LocalState state, LocalEvent event);

}  // namespace callimport::engine::worker
