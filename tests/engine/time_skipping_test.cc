// Time that jumps when nobody has anything in hand (conformance C.14).
#include <gtest/gtest.h>

#include "storage/runtime/skipping_clock.h"
#include "tests/engine/memory_journal.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// A service whose runs live by a skipping clock, and callers by the loop's.
class SkippingWorld {
 public:
  SkippingWorld() {
    EmbeddedOptions options;
    options.callers_clock = &loop;
    options.settled = [this] { clock.look(); };
    auto opened = EmbeddedService::open(journal, loop, clock, random, options);
    EXPECT_TRUE(opened.has_value());
    service = std::move(*opened);
    clock.set_at_rest([this] { return service->at_rest(); });
  }
  ~SkippingWorld() {
    service.reset();
    loop.drop_all();
  }
  template <class Request, class Response>
  Pending<Response> send(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>),
                         const Request& request, Nanos deadline = seconds{70}) {
    auto answer = std::make_shared<Answer<Response>>();
    (*service.*method)(request, {0, loop.now() + deadline}, [answer](const PortStatus& status, Response* reply) {
      answer->done = true;
      answer->status = status;
      if (reply != nullptr) answer->reply = std::move(*reply);
    });
    loop.run_idle();
    return answer;
  }
  Pending<WorkflowTask> poll() {
    api::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("W");
    return send(&WorkflowService::PollWorkflowTaskQueue, request);
  }
  void complete(const WorkflowTask& task, const std::vector<Command>& commands) {
    api::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(task.task_token());
    for (const auto& command : commands) *request.add_commands() = command;
    EXPECT_TRUE(send(&WorkflowService::RespondWorkflowTaskCompleted, request)->ok());
  }
  void start() {
    api::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id("W");
    request.mutable_workflow_type()->set_name("T");
    request.mutable_task_queue()->set_name("W");
    EXPECT_TRUE(send(&WorkflowService::StartWorkflowExecution, request)->ok());
  }
  Nanos ahead() const { return clock.now() - loop.now(); }

  simulations::SimLoop loop;
  simulations::SeededRandom random{7};
  MemoryJournal journal{loop};
  SkippingClock clock{loop, loop};
  std::unique_ptr<EmbeddedService> service;
};

TEST(TimeSkipping, ATimerOfAMonthTakesNoTime) {
  SkippingWorld world;
  world.start();
  world.complete(world.poll()->reply, {start_timer("t", 30.0 * 24 * 3600)});
  EXPECT_EQ(world.ahead(), Nanos{0}) << "it begins locked";
  EXPECT_TRUE(world.clock.unlock());
  world.loop.run_idle();
  EXPECT_EQ(world.ahead(), hours{30 * 24});
  const auto task = world.poll();
  ASSERT_TRUE(task->ok());
  EXPECT_FALSE(world.clock.unlock()) << "unbalanced";
}

TEST(TimeSkipping, NoJumpWhileSomebodyHasSomethingInHand) {
  SkippingWorld world;
  EXPECT_TRUE(world.clock.unlock());
  world.start();
  world.loop.run_idle();
  EXPECT_EQ(world.ahead(), Nanos{0}) << "a workflow task waits";
  const auto task = world.poll();
  world.loop.run_idle();
  EXPECT_EQ(world.ahead(), Nanos{0}) << "and is under way";
  world.complete(task->reply, {start_timer("t", 3600), schedule_activity("a", "AQ", 100)});
  EXPECT_EQ(world.ahead(), Nanos{0}) << "an activity waits";
  api::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("AQ");
  const auto activity = world.send(&WorkflowService::PollActivityTaskQueue, poll);
  EXPECT_EQ(world.ahead(), Nanos{0}) << "and runs";
  api::RespondActivityTaskFailedRequest failed;
  failed.set_namespace_("default");
  failed.set_task_token(activity->reply.task_token());
  failed.mutable_failure()->mutable_application_failure_info();
  EXPECT_TRUE(world.send(&WorkflowService::RespondActivityTaskFailed, failed)->ok());
  EXPECT_EQ(world.ahead(), seconds{1}) << "its retry is a matter of time";
}

TEST(TimeSkipping, PollsKeepTheirOwnTime) {
  SkippingWorld world;
  world.start();
  world.complete(world.poll()->reply, {start_timer("t", 3600)});
  api::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("AQ");
  const auto waiting = world.send(&WorkflowService::PollActivityTaskQueue, poll);
  EXPECT_TRUE(world.clock.unlock());
  world.loop.run_idle();
  EXPECT_EQ(world.ahead(), hours{1});
  EXPECT_FALSE(waiting->done);
  world.loop.run_for(seconds{60});
  EXPECT_TRUE(waiting->done);
}

TEST(TimeSkipping, ALockStopsItAtTheMomentItIsTaken) {
  SkippingWorld world;
  EXPECT_TRUE(world.clock.unlock());
  bool woke = false;
  world.clock.at(world.clock.now() + hours{5}, [&] {
    woke = true;
    world.clock.lock();
  });
  world.clock.at(world.clock.now() + hours{6}, [] { ADD_FAILURE() << "locked by then"; });
  world.loop.run_idle();
  EXPECT_TRUE(woke);
  EXPECT_EQ(world.ahead(), hours{5});
}

TEST(TimeSkipping, RealTimeGoesOnUnderneath) {
  SkippingWorld world;
  int fired = 0;
  world.clock.at(world.clock.now() + seconds{10}, [&] { ++fired; });
  const auto gone = world.clock.at(world.clock.now() + seconds{5}, [&] { fired += 100; });
  world.clock.cancel(gone);
  world.loop.run_for(seconds{9});
  EXPECT_EQ(fired, 0);
  world.loop.run_for(seconds{1});
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace callimport::engine::testing_world
