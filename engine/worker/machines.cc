#include "engine/worker/machines.h"

#include <array>
#include <string>

namespace callimport::engine::worker {
namespace {

using T = TimerState;
using TE = TimerEvent;
constexpr std::array kTimerRows{
    Row<T, TE>{T::CommandQueued, TE::TimerStarted, T::Running},
    Row<T, TE>{T::CommandQueued, TE::CancelWanted, T::Closed},  // the command is dropped: no event ever (B13)
    Row<T, TE>{T::Running, TE::TimerFired, T::Closed},
    Row<T, TE>{T::Running, TE::CancelWanted, T::CancelQueued},
    Row<T, TE>{T::CancelQueued, TE::TimerCanceled, T::Closed},
    Row<T, TE>{T::CancelQueued, TE::CancelWanted, T::CancelQueued},
    Row<T, TE>{T::Closed, TE::CancelWanted, T::Closed},
};

using A = ActivityState;
using AE = ActivityEvent;
constexpr std::array kActivityRows{
    Row<A, AE>{A::CommandQueued, AE::ActivityTaskScheduled, A::Scheduled},
    Row<A, AE>{A::CommandQueued, AE::CancelWanted, A::Closed},  // dropped (B13)
    Row<A, AE>{A::Scheduled, AE::ActivityTaskStarted, A::Started},
    Row<A, AE>{A::Scheduled, AE::ActivityTaskTimedOut, A::Closed},
    Row<A, AE>{A::Scheduled, AE::CancelWanted, A::CancelQueued},
    Row<A, AE>{A::Started, AE::ActivityTaskCompleted, A::Closed},
    Row<A, AE>{A::Started, AE::ActivityTaskFailed, A::Closed},
    Row<A, AE>{A::Started, AE::ActivityTaskTimedOut, A::Closed},
    Row<A, AE>{A::Started, AE::CancelWanted, A::CancelQueued},
    Row<A, AE>{A::CancelQueued, AE::ActivityTaskCancelRequested, A::CancelRequested},
    Row<A, AE>{A::CancelQueued, AE::CancelWanted, A::CancelQueued},
    Row<A, AE>{A::CancelRequested, AE::ActivityTaskStarted, A::CancelRequested},
    Row<A, AE>{A::CancelRequested, AE::ActivityTaskCanceled, A::Closed},
    Row<A, AE>{A::CancelRequested, AE::ActivityTaskCompleted, A::Closed},
    Row<A, AE>{A::CancelRequested, AE::ActivityTaskFailed, A::Closed},
    Row<A, AE>{A::CancelRequested, AE::ActivityTaskTimedOut, A::Closed},
    Row<A, AE>{A::CancelRequested, AE::CancelWanted, A::CancelRequested},
    Row<A, AE>{A::Closed, AE::CancelWanted, A::Closed},
};

using C = ChildState;
using CE = ChildEvent;
constexpr std::array kChildRows{
    Row<C, CE>{C::CommandQueued, CE::StartChildWorkflowExecutionInitiated, C::Initiated},
    Row<C, CE>{C::CommandQueued, CE::CancelWanted, C::Closed},  // dropped (B13)
    Row<C, CE>{C::Initiated, CE::StartChildWorkflowExecutionFailed, C::Closed},
    Row<C, CE>{C::Initiated, CE::ChildWorkflowExecutionStarted, C::Started},
    Row<C, CE>{C::Initiated, CE::CancelWanted, C::Initiated},
    Row<C, CE>{C::Started, CE::ChildWorkflowExecutionCompleted, C::Closed},
    Row<C, CE>{C::Started, CE::ChildWorkflowExecutionFailed, C::Closed},
    Row<C, CE>{C::Started, CE::ChildWorkflowExecutionTimedOut, C::Closed},
    Row<C, CE>{C::Started, CE::ChildWorkflowExecutionCanceled, C::Closed},
    Row<C, CE>{C::Started, CE::ChildWorkflowExecutionTerminated, C::Closed},
    Row<C, CE>{C::Started, CE::CancelWanted, C::Started},
    Row<C, CE>{C::Closed, CE::CancelWanted, C::Closed},
};

using X = ExternalState;
using XE = ExternalEvent;
constexpr std::array kExternalRows{
    Row<X, XE>{X::CommandQueued, XE::Initiated, X::Initiated},
    Row<X, XE>{X::CommandQueued, XE::CancelWanted, X::Closed},  // dropped (B13)
    Row<X, XE>{X::Initiated, XE::PassedOn, X::Closed},
    Row<X, XE>{X::Initiated, XE::Failed, X::Closed},
    Row<X, XE>{X::Initiated, XE::CancelWanted, X::Initiated},  // it is on its way, nothing calls it back
    Row<X, XE>{X::Closed, XE::CancelWanted, X::Closed},
};

using L = LocalState;
using LE = LocalEvent;
constexpr std::array kLocalRows{
    Row<L, LE>{L::Requested, LE::Taken, L::Running},
    Row<L, LE>{L::Requested, LE::MarkerAhead, L::MarkerQueued},
    Row<L, LE>{L::Requested, LE::CancelWanted, L::Closed},
    Row<L, LE>{L::Running, LE::ResultCame, L::MarkerQueued},
    Row<L, LE>{L::Running, LE::CancelWanted, L::Closed},
    Row<L, LE>{L::MarkerQueued, LE::MarkerRecorded, L::Closed},
    Row<L, LE>{L::MarkerQueued, LE::CancelWanted, L::MarkerQueued},
    Row<L, LE>{L::Closed, LE::CancelWanted, L::Closed},
};

template <class State, class Event, std::size_t N>
Result<State> look_up(const std::array<Row<State, Event>, N>& rows, State state, Event event) {
  for (const auto& row : rows) {
    if (row.from == state && row.event == event) return row.to;
  }
  return fail(Code::kNondeterministic,
              std::string(name(event)) + " is not possible in state " + std::string(name(state)));
}

}  // namespace

std::span<const Row<TimerState, TimerEvent>> timer_rows() { return kTimerRows; }
std::span<const Row<ActivityState, ActivityEvent>> activity_rows() { return kActivityRows; }
std::span<const Row<ChildState, ChildEvent>> child_rows() { return kChildRows; }
std::span<const Row<ExternalState, ExternalEvent>> external_rows() { return kExternalRows; }
std::span<const Row<LocalState, LocalEvent>> local_rows() { return kLocalRows; }

std::string_view name(TimerState state) {
  static constexpr std::array<std::string_view, 4> kNames{"CommandQueued", "Running", "CancelQueued", "Closed"};
  return kNames[static_cast<std::size_t>(state)];
}
std::string_view name(TimerEvent event) {
  static constexpr std::array<std::string_view, 4> kNames{"TimerStarted", "TimerFired", "TimerCanceled",
                                                          "CancelWanted"};
  return kNames[static_cast<std::size_t>(event)];
}
std::string_view name(ActivityState state) {
  static constexpr std::array<std::string_view, 6> kNames{"CommandQueued", "Scheduled",       "Started",
                                                          "CancelQueued",  "CancelRequested", "Closed"};
  return kNames[static_cast<std::size_t>(state)];
}
std::string_view name(ActivityEvent event) {
  static constexpr std::array<std::string_view, 8> kNames{
      "ActivityTaskScheduled", "ActivityTaskStarted",         "ActivityTaskCompleted", "ActivityTaskFailed",
      "ActivityTaskTimedOut",  "ActivityTaskCancelRequested", "ActivityTaskCanceled",  "CancelWanted"};
  return kNames[static_cast<std::size_t>(event)];
}
std::string_view name(ChildState state) {
  static constexpr std::array<std::string_view, 4> kNames{"CommandQueued", "Initiated", "Started", "Closed"};
  return kNames[static_cast<std::size_t>(state)];
}
std::string_view name(ChildEvent event) {
  static constexpr std::array<std::string_view, 9> kNames{
      "StartChildWorkflowExecutionInitiated", "StartChildWorkflowExecutionFailed", "ChildWorkflowExecutionStarted",
      "ChildWorkflowExecutionCompleted",      "ChildWorkflowExecutionFailed",      "ChildWorkflowExecutionTimedOut",
      "ChildWorkflowExecutionCanceled",       "ChildWorkflowExecutionTerminated",  "CancelWanted"};
  return kNames[static_cast<std::size_t>(event)];
}
std::string_view name(ExternalState state) {
  static constexpr std::array<std::string_view, 3> kNames{"CommandQueued", "Initiated", "Closed"};
  return kNames[static_cast<std::size_t>(state)];
}
std::string_view name(ExternalEvent event) {
  static constexpr std::array<std::string_view, 4> kNames{"Initiated", "PassedOn", "Failed", "CancelWanted"};
  return kNames[static_cast<std::size_t>(event)];
}
std::string_view name(LocalState state) {
  static constexpr std::array<std::string_view, 4> kNames{"Requested", "Running", "MarkerQueued", "Closed"};
  return kNames[static_cast<std::size_t>(state)];
}
std::string_view name(LocalEvent event) {
  static constexpr std::array<std::string_view, 5> kNames{"Taken", "ResultCame", "MarkerAhead", "MarkerRecorded",
                                                          "CancelWanted"};
  return kNames[static_cast<std::size_t>(event)];
}

Result<TimerState> advance(TimerState state, TimerEvent event) { return look_up(kTimerRows, state, event); }
Result<ActivityState> advance(ActivityState state, ActivityEvent event) { return look_up(kActivityRows, state, event); }
Result<ChildState> advance(ChildState state, ChildEvent event) { return look_up(kChildRows, state, event); }
Result<ExternalState> advance(ExternalState state, ExternalEvent event) { return look_up(kExternalRows, state, event); }
Result<LocalState> advance(LocalState state, LocalEvent event) { return look_up(kLocalRows, state, event); }

}  // namespace callimport::engine::worker
