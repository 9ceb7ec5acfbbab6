// Somebody sets the machine's clock, forward or back: nothing ends the service, no run is lost, and what was due at a
// time is done when the clock says so.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct Jump {
  const char* name;
  Nanos by;
  bool restarts;  ///< the process ends and begins at the wrong time
};
void PrintTo(const Jump& row, std::ostream* out) { *out << row.name; }

constexpr auto kYears = hours{24 * 365 * 10};

class ClockJumps : public testing::TestWithParam<Jump> {
 protected:
  ServiceWorld world_;
  void jump() {
    world_.loop.set_clock(world_.loop.now() + GetParam().by);
    if (GetParam().restarts) world_.restart();
    world_.loop.run_idle();
  }
  void set_right() { world_.loop.set_clock(world_.loop.now() - GetParam().by); }
};
INSTANTIATE_TEST_SUITE_P(Table, ClockJumps,
                         testing::Values(Jump{"Forward", minutes{30}, false}, Jump{"Back", -minutes{30}, false},
                                         Jump{"YearsForward", kYears, false}, Jump{"YearsBack", -kYears, false},
                                         Jump{"ForwardAndRestarted", hours{1}, true},
                                         Jump{"BackAndRestarted", -hours{1}, true},
                                         Jump{"YearsBackAndRestarted", -kYears, true}),
                         [](const auto& test) { return std::string(test.param.name); });

bool holds(const History& history, enums::EventType type) {
  for (const auto& event : history.events()) {
    if (event.event_type() == type) return true;
  }
  return false;
}

/// Answers every task there is; the workflow is complete once its timer fired and its activity was done.
void work(ServiceWorld& world) {
  for (auto task = world.poll_later(); task->done && !task->reply.task_token().empty(); task = world.poll_later()) {
    const History history = world.history();
    const bool over =
        holds(history, enums::EVENT_TYPE_TIMER_FIRED) && holds(history, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    std::vector<Command> commands;
    if (over) commands.push_back(complete_workflow());
    EXPECT_TRUE(world.complete(task->reply, commands).ok());
  }
}

TEST_P(ClockJumps, ARunGoesOn) {
  world_.start();
  auto activity = schedule_activity("a");
  activity.mutable_schedule_activity_task_command_attributes()->mutable_retry_policy()->set_maximum_attempts(0);
  EXPECT_TRUE(world_.complete(world_.poll(), {start_timer("t", 60), activity}).ok());
  const ActivityTask attempt = world_.poll_activity();
  jump();
  EXPECT_TRUE(world_.signal("still there?").ok());
  work(world_);
  EXPECT_TRUE(holds(world_.history(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED));
  if (!world_.complete_activity(attempt).ok()) {  // timed out by the clock: another attempt
    world_.advance(minutes{2});
    EXPECT_TRUE(world_.complete_activity(world_.poll_activity()).ok());
  }
  set_right();
  world_.advance(minutes{5});
  work(world_);
  EXPECT_EQ(world_.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  const std::string seen = world_.everything();
  world_.restart();
  EXPECT_EQ(world_.everything(), seen);
}

TEST_P(ClockJumps, AWaitingPollEndsOrTakesTheNextTask) {
  auto poll = world_.poll_later();
  jump();
  const bool due = GetParam().by > Nanos{0} && !GetParam().restarts;
  EXPECT_EQ(poll->done, due) << "its deadline is a time of the clock; a process that ends answers nobody";
  world_.start();
  if (!poll->done) world_.loop.run_idle();
  if (poll->reply.task_token().empty()) poll = world_.poll_later();
  EXPECT_EQ(poll->reply.workflow_execution().workflow_id(), "W");
}

TEST_P(ClockJumps, ACronRunsOnceAtATime) {
  auto request = world_.start_request();
  request.set_cron_schedule("0 * * * *");
  ASSERT_TRUE(world_.call(&WorkflowService::StartWorkflowExecution, request).ok());
  const std::uint64_t steps = world_.loop.steps();
  jump();
  world_.advance(hours{2});
  EXPECT_LT(world_.loop.steps(), steps + 10'000) << "the years between are not lived through";
  set_right();
  world_.advance(hours{2});
  const auto task = world_.poll_later();
  ASSERT_FALSE(task->reply.task_token().empty()) << "its first run is due by any of these clocks";
  EXPECT_TRUE(world_.complete(task->reply, {complete_workflow()}).ok());
  world_.advance(kYears + hours{2});
  const auto next = world_.poll_later();
  EXPECT_NE(next->reply.workflow_execution().run_id(), task->reply.workflow_execution().run_id());
  EXPECT_EQ(next->reply.workflow_execution().workflow_id(), "W");
}

TEST_P(ClockJumps, AClosedRunStaysForItsRetention) {
  world_.start();
  jump();
  EXPECT_TRUE(world_.terminate("x").ok());
  EXPECT_EQ(world_.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  world_.advance(hours{23});
  EXPECT_EQ(world_.history().events_size(), 3);
  world_.advance(hours{2});
  EXPECT_EQ(world_.signal("s").message, "workflow not found for ID: W");
}

}  // namespace
}  // namespace callimport::engine::testing_world
