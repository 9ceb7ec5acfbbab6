#pragma once
// The two state machines of conformance B.4 that this worker speaks: pure tables of (state, event), no I/O inside. Each
// legal pair is one row of a list; every other pair is nondeterminism or a bug of the server.
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/model/result.h"

namespace callimport::engine::worker {

enum class TimerState : std::uint8_t { CommandQueued, Running, CancelQueued, Closed };
/// `CancelWanted` comes from workflow code, all others are history events.
enum class TimerEvent : std::uint8_t { TimerStarted, TimerFired, TimerCanceled, CancelWanted };

enum class ActivityState : std::uint8_t { CommandQueued, Scheduled, Started, CancelQueued, CancelRequested, Closed };
/// `CancelWanted` comes from workflow code (not for abandoned activities), all others are history events.
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

template <class State, class Event>
struct Row {
  State from;
  Event event;
  State to;
};
std::span<const Row<TimerState, TimerEvent>> timer_rows();
std::span<const Row<ActivityState, ActivityEvent>> activity_rows();

std::string_view name(TimerState state);
std::string_view name(TimerEvent event);
std::string_view name(ActivityState state);
std::string_view name(ActivityEvent event);

/// @error kNondeterministic  the pair is not in the table; the text names both.
Result<TimerState> advance(TimerState state, TimerEvent event);
Result<ActivityState> advance(ActivityState state, ActivityEvent event);

}  // namespace callimport::engine::worker
