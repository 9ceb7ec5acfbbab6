// Each legal pair of state and event moves as the table says, every other pair is refused with both named.
#include "engine/worker/machines.h"

#include <gtest/gtest.h>

namespace callimport::engine::worker {
namespace {

template <class State, class Event>
void check_all(std::span<const Row<State, Event>> rows, int states, int events) {
  for (int s = 0; s < states; ++s) {
    for (int e = 0; e < events; ++e) {
      const auto state = static_cast<State>(s);
      const auto event = static_cast<Event>(e);
      SCOPED_TRACE(std::string(name(state)) + " + " + std::string(name(event)));
      const auto next = advance(state, event);
      const Row<State, Event>* legal = nullptr;
      for (const auto& row : rows) {
        if (row.from == state && row.event == event) legal = &row;
      }
      ASSERT_EQ(legal != nullptr, next.has_value());
      if (legal != nullptr) {
        EXPECT_EQ(legal->to, *next);
      } else {
        EXPECT_EQ(Code::kNondeterministic, next.error().code);
        EXPECT_EQ(std::string(name(event)) + " is not possible in state " + std::string(name(state)),
                  next.error().message);
      }
    }
  }
}

TEST(Machines, TimerTable) { check_all(timer_rows(), 4, 4); }
TEST(Machines, ActivityTable) { check_all(activity_rows(), 6, 8); }

TEST(Machines, ChildTable) { check_all(child_rows(), 4, 9); }          // B.4
TEST(Machines, ExternalTable) { check_all(external_rows(), 3, 4); }    // B.4
TEST(Machines, LocalActivityTable) { check_all(local_rows(), 4, 5); }  // B.4

TEST(Machines, WhatWasNotSentIsDroppedByACancellation) {  // B13
  EXPECT_EQ(TimerState::Closed, advance(TimerState::CommandQueued, TimerEvent::CancelWanted));
  EXPECT_EQ(ActivityState::Closed, advance(ActivityState::CommandQueued, ActivityEvent::CancelWanted));
  EXPECT_EQ(ChildState::Closed, advance(ChildState::CommandQueued, ChildEvent::CancelWanted));
  EXPECT_EQ(ExternalState::Closed, advance(ExternalState::CommandQueued, ExternalEvent::CancelWanted));
  EXPECT_EQ(LocalState::Closed, advance(LocalState::Requested, LocalEvent::CancelWanted));
}

TEST(Machines, WhatIsClosedTakesNoEventOfTheHistory) {
  for (const auto& row : activity_rows()) {
    if (row.from == ActivityState::Closed) EXPECT_EQ(ActivityEvent::CancelWanted, row.event);
  }
  for (const auto& row : timer_rows()) {
    if (row.from == TimerState::Closed) EXPECT_EQ(TimerEvent::CancelWanted, row.event);
  }
  for (const auto& row : child_rows()) {
    if (row.from == ChildState::Closed) EXPECT_EQ(ChildEvent::CancelWanted, row.event);
  }
}

TEST(Machines, AChildEndsOnlyOnceItStarted) {
  EXPECT_FALSE(advance(ChildState::Initiated, ChildEvent::ChildWorkflowExecutionCompleted).has_value());
  EXPECT_FALSE(advance(ChildState::Started, ChildEvent::StartChildWorkflowExecutionFailed).has_value());
}

TEST(Machines, AnActivityMayTimeOutBeforeItStartsButNotCompleteBeforeIt) {
  EXPECT_TRUE(advance(ActivityState::Scheduled, ActivityEvent::ActivityTaskTimedOut).has_value());
  EXPECT_FALSE(advance(ActivityState::Scheduled, ActivityEvent::ActivityTaskCompleted).has_value());
  EXPECT_FALSE(advance(ActivityState::Started, ActivityEvent::ActivityTaskCanceled).has_value());
}

}  // namespace
}  // namespace callimport::engine::worker
