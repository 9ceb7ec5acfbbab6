// What was acknowledged survives: the process may end after any commit, the disk may be full at any append.
#include <gtest/gtest.h>

#include <set>

#include "engine/history/history_rules.h"
#include "engine/service/run_state.h"
#include "tests/engine/recovery_loops.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;

/// A worker, and a client that wants three things done; each can be asked at any time what to do next. Workflow S runs
/// activity a (its first attempt fails), waits for a timer and a signal, continues as new, and completes.
class Driver {
 public:
  /// What the client was told was done: it does not ask for that again.
  struct Told {
    bool started = false, signalled = false;
  };
  Driver(ServiceWorld& world, Told told) : world_(world), told_(told) {}
  Told told() const { return told_; }

  /// One round of everything; true once the second run of S is closed.
  bool round() {
    client();
    worker();
    activities();
    world_.advance(milliseconds{500});
    return finished();
  }
  /// The process ended: what was in hands then is gone.
  void forget() {
    task_.reset();
    activity_.reset();
  }

 private:
  void client() {
    if (!told_.started) {
      auto request = world_.start_request("S");
      request.set_request_id("start-once");
      const auto answer = world_.send(&WorkflowService::StartWorkflowExecution, request);
      told_.started = answer->ok();
    }
    if (told_.started && !told_.signalled)
      told_.signalled = world_.send(&WorkflowService::SignalWorkflowExecution, the_signal())->ok();
  }
  static api::SignalWorkflowExecutionRequest the_signal() {
    api::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id("S");
    request.set_signal_name("go");
    request.set_request_id("signal-once");
    return request;
  }

  void worker() {
    if (!task_ || task_->done) {
      if (task_ && task_->ok() && !task_->reply.task_token().empty()) answer(task_->reply);
      task_ = world_.poll_later("W");
    }
  }
  void answer(const WorkflowTask& task) {
    std::set<std::string> seen;
    const auto& events = task.history().events();
    for (const auto& event : events) seen.insert(enums::EventType_Name(event.event_type()));
    const auto saw = [&seen](const std::string& type) { return seen.contains("EVENT_TYPE_" + type); };
    std::vector<Command> commands;
    if (!events[0].workflow_execution_started_event_attributes().continued_execution_run_id().empty()) {
      commands.push_back(complete_workflow("\"done\""));
    } else if (!saw("ACTIVITY_TASK_SCHEDULED")) {
      commands = {schedule_activity("a"), start_timer("t", 3), marker("m")};
    } else if (saw("ACTIVITY_TASK_COMPLETED") && saw("TIMER_FIRED") && saw("WORKFLOW_EXECUTION_SIGNALED")) {
      commands.push_back(continue_as_new("\"next\""));
    }
    (void)world_.send(&WorkflowService::RespondWorkflowTaskCompleted, world_.completion(task, commands));
  }

  void activities() {
    api::PollActivityTaskQueueRequest poll;
    poll.set_namespace_("default");
    poll.mutable_task_queue()->set_name("W");
    if (!activity_ || activity_->done) {
      if (activity_ && activity_->ok() && !activity_->reply.task_token().empty()) work(activity_->reply);
      activity_ = world_.send(&WorkflowService::PollActivityTaskQueue, poll, world_.within(std::chrono::seconds{70}));
    }
  }
  void work(const ActivityTask& task) {
    if (task.attempt() == 1) {
      api::RespondActivityTaskFailedRequest failed;
      failed.set_task_token(task.task_token());
      failed.mutable_failure()->mutable_application_failure_info()->set_type("E");
      (void)world_.send(&WorkflowService::RespondActivityTaskFailed, failed);
      return;
    }
    api::RespondActivityTaskCompletedRequest done;
    done.set_task_token(task.task_token());
    *done.mutable_result() = payloads("\"r\"");
    (void)world_.send(&WorkflowService::RespondActivityTaskCompleted, done);
  }

  bool finished() {
    api::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id("S");
    const auto answer = world_.send(&WorkflowService::DescribeWorkflowExecution, request);
    return answer->ok() &&
           answer->reply.workflow_execution_info().status() == enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
  }

  ServiceWorld& world_;
  Told told_;
  Pending<WorkflowTask> task_;
  Pending<ActivityTask> activity_;
};

/// Each of these once, however often the process ended.
void expect_exactly_once(ServiceWorld& world, const std::string& when) {
  api::ListWorkflowExecutionsRequest list;
  list.set_namespace_("default");
  const auto rows = world.call(&WorkflowService::ListWorkflowExecutions, list).reply;
  ASSERT_EQ(rows.executions_size(), 2) << when;
  std::map<std::string, int> times;
  for (const auto& row : rows.executions()) {
    const History history = world.history("S", row.execution().run_id());
    for (const auto& sentence : broken_rules(history)) ADD_FAILURE() << when << ": " << sentence;
    for (const auto& event : history.events()) ++times[enums::EventType_Name(event.event_type())];
  }
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_ACTIVITY_TASK_COMPLETED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_TIMER_FIRED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_MARKER_RECORDED"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"], 1) << when;
  EXPECT_EQ(times["EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"], 1) << when;
}

TEST(Recovery, TheProcessEndsAfterEachCommit) { end_after_each_commit<Driver>(expect_exactly_once); }

TEST(Recovery, ARestartShowsTheSameStateAtEachStep) { restart_after_each_round<Driver>(); }

TEST(Recovery, EachAppendFailsOnce) { fail_each_append_once<Driver>({}, expect_exactly_once); }
TEST(Recovery, EachAppendFailsOnceWithHistoriesOnDisk) {
  EmbeddedOptions options;
  options.history_cache_bytes_max = 1;  // every history is read back from its rows
  fail_each_append_once<Driver>(options, expect_exactly_once);
}

TEST(Recovery, AFullDiskIsUnavailableAndChangesNothing) {
  ServiceWorld world;
  world.start();
  const std::string before = world.everything();
  world.journal->full = true;
  const PortStatus refused = world.signal("s");
  EXPECT_EQ(refused.code, 14);
  world.advance(std::chrono::seconds{3});
  EXPECT_EQ(world.everything(), before);
  world.journal->full = false;
  EXPECT_TRUE(world.signal("s").ok());
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
}

TEST(Recovery, WhatIsDueWhileTheDiskIsFullIsTriedOnceASecond) {
  ServiceWorld world;
  for (int i = 0; i < 20; ++i) world.start("W" + std::to_string(i));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(world.complete(world.poll(), {start_timer("t", 1)}).ok());
  world.journal->full = true;
  const std::uint64_t before = world.journal->appends;
  world.advance(std::chrono::seconds{60});
  EXPECT_GE(world.journal->appends - before, 50u);
  EXPECT_LE(world.journal->appends - before, 61u);
  world.journal->full = false;
  world.advance(std::chrono::seconds{2});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(world.history("W" + std::to_string(i)).events_size(), 7) << "fired, once";
}

TEST(Recovery, RequestIdsHoldAcrossARestart) {
  ServiceWorld world;
  auto request = world.start_request();
  request.set_request_id("r1");
  const auto first = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_TRUE(world.signal("s", "W", "s1").ok());
  world.restart();
  const auto again = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_TRUE(again.ok());
  EXPECT_TRUE(again.reply.started());
  EXPECT_EQ(again.reply.run_id(), first.reply.run_id());
  EXPECT_TRUE(world.signal("s", "W", "s1").ok());
  EXPECT_EQ(world.history().events_size(), 3);
  EXPECT_TRUE(world.terminate("end").ok());
  world.restart();
  const auto closed = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_EQ(closed.reply.run_id(), first.reply.run_id()) << "C2 holds for a closed run too";
}

TEST(Recovery, TokensHoldAcrossARestart) {
  ServiceWorld world;
  world.start();
  const WorkflowTask task = world.poll();
  world.restart();
  EXPECT_TRUE(world.complete(task, {schedule_activity("a")}).ok());
  const ActivityTask activity = world.poll_activity();
  world.restart();
  EXPECT_TRUE(world.complete_activity(activity).ok());
  EXPECT_EQ(world.complete_activity(activity).code, 5) << "used";
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
}

// A worker of our own process dies with it: its attempts come again at once. Another's keep their time (C12).
TEST(Recovery, WorkOfOurOwnDeadWorkerComesAgainAtOnce) {
  for (const std::string own : {"ak", ""}) {
    EmbeddedOptions options;
    options.own_workers = own;
    ServiceWorld world(options);
    world.start();
    (void)world.complete(world.poll(), {schedule_activity("a", "AQ", 60)});
    const ActivityTask held = world.poll_activity("AQ");
    ASSERT_EQ(held.attempt(), 1);
    world.restart();
    world.advance(milliseconds{1'500});  // the retry's backoff is a second
    const auto pending = world.describe().pending_activities();
    ASSERT_EQ(pending.size(), 1);
    EXPECT_EQ(pending[0].attempt(), own.empty() ? 1 : 2) << "own workers: '" << own << "'";
    if (own.empty()) {
      EXPECT_TRUE(world.complete_activity(held).ok());
    } else {
      EXPECT_EQ(world.poll_activity("AQ").attempt(), 2);
    }
  }
}

TEST(Recovery, AWorkflowTaskOfOurOwnDeadWorkerComesAgainAtOnce) {
  EmbeddedOptions options;
  options.own_workers = "wk";
  ServiceWorld world(options);
  world.start();
  const WorkflowTask held = world.poll();
  world.restart();
  const WorkflowTask again = world.poll();
  EXPECT_EQ(again.attempt(), 2);
  EXPECT_EQ(world.complete(held, {complete_workflow()}).status.code, 5) << "the lost task's token is stale";
  EXPECT_TRUE(world.complete(again, {complete_workflow()}).ok());
}

TEST(Recovery, SnapshotsCarryTheWholeState) {
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {schedule_activity("a"), start_timer("t", 1'000)});
  const ActivityTask activity = world.poll_activity();
  for (int i = 0; i < 200; ++i) {  // past several snapshots
    EXPECT_TRUE(world.signal("s" + std::to_string(i), "W", "id" + std::to_string(i)).ok());
  }
  ASSERT_FALSE(world.journal->durable().snapshots.empty());
  const std::string before = world.everything();
  world.restart();
  EXPECT_EQ(world.everything(), before);
  EXPECT_TRUE(world.signal("s0", "W", "id0").ok());
  EXPECT_EQ(world.everything(), before) << "the signal was known";
  EXPECT_TRUE(world.complete_activity(activity).ok());
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.history().events_size(), 6 + 200 + 4) << "the whole history, read back from its rows";
  EXPECT_TRUE(world.complete(task, {complete_workflow()}).ok());
  EXPECT_EQ(world.history().events_size(), 6 + 200 + 6);
}

TEST(Recovery, SnapshotsOfAnotherVersionAreReadFromTheRowsAgain) {
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {schedule_activity("a"), start_timer("t", 1'000)});
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(world.signal("s" + std::to_string(i), "W", "id" + std::to_string(i)).ok());
  Durable durable = world.journal->durable();
  ASSERT_FALSE(durable.snapshots.empty());
  for (auto& [run, snapshot] : durable.snapshots) {
    snapshot.version = kSnapshotVersion + 1;
    snapshot.body = "who knows";
  }
  ServiceWorld next({}, std::move(durable), world.loop.now());
  EXPECT_EQ(next.everything(), world.everything());
  EXPECT_TRUE(next.signal("s0", "W", "id0").ok());
  EXPECT_EQ(next.everything(), world.everything()) << "the signal was known";
}

TEST(Recovery, HistoriesBeyondTheCacheAreReadBack) {
  EmbeddedOptions options;
  options.history_cache_bytes_max = 600;  // about one run's first task
  ServiceWorld world(options);
  for (int i = 0; i < 10; ++i) world.start("W" + std::to_string(i));
  for (int i = 0; i < 10; ++i) {
    const WorkflowTask task = world.poll();
    EXPECT_EQ(task.history().events_size(), 3);
    EXPECT_TRUE(world.complete(task, {start_timer("1", 5)}).ok());
  }
  EXPECT_EQ(world.history("W3").events_size(), 5);
  world.advance(std::chrono::seconds{5});
  for (int i = 0; i < 10; ++i) {
    const WorkflowTask task = world.poll();
    EXPECT_EQ(task.history().events_size(), 8);
    EXPECT_TRUE(world.complete(task, {complete_workflow()}).ok());
  }
  world.restart();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(world.history("W" + std::to_string(i)).events_size(), 10);
}

TEST(Recovery, TextThatIsNoTextIsMadeReadable) {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a")}).ok());
  EXPECT_TRUE(
      world.fail_activity(world.poll_activity(), "caf\xe9 \xf0\x9f").ok());  // Latin-1, and a character cut in two
  world.restart();
  EXPECT_EQ(world.describe().pending_activities(0).last_failure().message(),
            "caf\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(world.signal("\xff").message, "SignalName must be UTF-8.");
  auto request = world.start_request("\xc3\x28");
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, request).status.code, 3);
}

TEST(Recovery, ARunThatClosesWithItsHistoryOnDiskIsStored) {
  EmbeddedOptions options;
  options.history_cache_bytes_max = 1;
  ServiceWorld world(options);
  const std::string run = world.start();
  EXPECT_TRUE(world.complete(world.poll(), {continue_as_new("1")}).ok());
  world.advance(std::chrono::seconds{2});
  EXPECT_EQ(world.history("W", run).events_size(), 5);
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
  world.start("other");  // the next commit carries what was read back
  EXPECT_EQ(world.journal->durable().closed.size(), 2u);
  world.restart();
  EXPECT_EQ(world.history("W", run).events_size(), 5);
  EXPECT_EQ(world.history("W").events_size(), 5);
}

TEST(Recovery, RetentionForgetsClosedRuns) {
  EmbeddedOptions options;
  options.retention = std::chrono::hours{1};
  ServiceWorld world(options);
  world.start();
  EXPECT_TRUE(world.terminate("x").ok());
  world.advance(std::chrono::minutes{59});
  world.restart();
  EXPECT_EQ(world.history().events_size(), 3);
  world.advance(std::chrono::minutes{2});
  EXPECT_EQ(world.signal("s").message, "workflow not found for ID: W");
  EXPECT_TRUE(world.journal->durable().closed.empty());
}

}  // namespace
}  // namespace callimport::engine::testing_world
