// Golden transcripts of conformance E: the same steps, the same history, in the same notation.
#include <gtest/gtest.h>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Events 1 to 4 of E1, with the commands of the first task.
WorkflowTask begin(ServiceWorld& world, const std::vector<Command>& commands) {
  world.start();
  const WorkflowTask task = world.poll();
  EXPECT_TRUE(world.complete(task, commands).ok());
  return task;
}

TEST(Transcript, E1OneActivity) {
  ServiceWorld world;
  begin(world, {schedule_activity("a")});
  EXPECT_TRUE(world.complete_activity(world.poll_activity()).ok());
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow("\"ok\"")}).ok());
  EXPECT_EQ(world.transcript(),
            "[1 WorkflowExecutionStarted original_run=R1 first_run=R1 attempt=1 backoff=0s\n"
            " 2 WorkflowTaskScheduled attempt=1\n"
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            " 5 ActivityTaskScheduled activity_id=a wtc=4\n"
            "[6 ActivityTaskStarted scheduled=5 attempt=1\n"
            " 7 ActivityTaskCompleted result=[\"r\"] scheduled=5 started=6\n"
            " 8 WorkflowTaskScheduled attempt=1\n"
            "[9 WorkflowTaskStarted scheduled=8\n"
            "[10 WorkflowTaskCompleted scheduled=8 started=9\n"
            " 11 WorkflowExecutionCompleted result=[\"ok\"] wtc=10\n");
}

TEST(Transcript, E1AllFields) {
  ServiceWorld world;
  begin(world, {schedule_activity("a")});
  const History history = world.history();
  const auto& started = history.events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.workflow_type().name(), "T");
  EXPECT_EQ(started.task_queue().name(), "W");
  EXPECT_EQ(started.task_queue().kind(), enums::TASK_QUEUE_KIND_NORMAL);
  EXPECT_EQ(started.workflow_task_timeout().seconds(), 10);
  EXPECT_EQ(started.identity(), "cli");
  EXPECT_EQ(started.workflow_id(), "W");
  EXPECT_TRUE(started.has_first_workflow_task_backoff());
  EXPECT_FALSE(started.has_workflow_run_timeout());
  EXPECT_FALSE(started.has_workflow_execution_timeout());
  EXPECT_FALSE(started.has_retry_policy());
  EXPECT_FALSE(started.has_memo());
  EXPECT_EQ(history.events(0).task_id(), 1048587);
  const auto& task = history.events(2).workflow_task_started_event_attributes();
  EXPECT_EQ(task.request_id().size(), 36u);
  EXPECT_GT(task.history_size_bytes(), 100);
  EXPECT_LT(task.history_size_bytes(), 300);
  const auto& activity = history.events(4).activity_task_scheduled_event_attributes();
  EXPECT_TRUE(activity.has_schedule_to_close_timeout());  // C.4.2: set, though zero
  EXPECT_TRUE(activity.has_schedule_to_start_timeout());
  EXPECT_TRUE(activity.has_heartbeat_timeout());
  EXPECT_EQ(activity.start_to_close_timeout().seconds(), 10);
  EXPECT_EQ(activity.retry_policy().initial_interval().seconds(), 1);
  EXPECT_EQ(activity.retry_policy().maximum_interval().seconds(), 100);
  EXPECT_EQ(activity.retry_policy().backoff_coefficient(), 2.0);
}

TEST(Transcript, E2ActivityRetriedTwice) {
  ServiceWorld world;
  Command command = schedule_activity("a");
  auto* retry = command.mutable_schedule_activity_task_command_attributes()->mutable_retry_policy();
  *retry->mutable_initial_interval() = testing_world::seconds(0.2);
  retry->set_maximum_attempts(3);
  begin(world, {command});
  EXPECT_TRUE(world.fail_activity(world.poll_activity(), "f1").ok());
  world.advance(milliseconds{200});
  EXPECT_TRUE(world.fail_activity(world.poll_activity(), "f2").ok());
  world.advance(milliseconds{400});
  EXPECT_TRUE(world.complete_activity(world.poll_activity()).ok());
  EXPECT_EQ(world.transcript("W", "", 5),
            " 5 ActivityTaskScheduled activity_id=a wtc=4 retry_policy={initial=0.2s coef=2 max=20s max_attempts=3}\n"
            "[6 ActivityTaskStarted scheduled=5 attempt=3 last_failure={message=f2 app={type=E}}\n"
            " 7 ActivityTaskCompleted result=[\"r\"] scheduled=5 started=6\n"
            " 8 WorkflowTaskScheduled attempt=1\n");
}

TEST(Transcript, E3ActivityHeartbeatTimeout) {
  ServiceWorld world;
  Command command = schedule_activity("a");
  auto* asked = command.mutable_schedule_activity_task_command_attributes();
  *asked->mutable_heartbeat_timeout() = testing_world::seconds(1);
  asked->mutable_retry_policy()->set_maximum_attempts(1);
  begin(world, {command});
  const ActivityTask task = world.poll_activity();
  api::RecordActivityTaskHeartbeatRequest beat;
  beat.set_namespace_("default");
  beat.set_task_token(task.task_token());
  *beat.mutable_details() = payloads("\"D\"");
  EXPECT_TRUE(world.call(&WorkflowService::RecordActivityTaskHeartbeat, beat).ok());
  world.advance(milliseconds{999});
  EXPECT_EQ(world.history().events_size(), 5);
  world.advance(milliseconds{1});
  EXPECT_EQ(
      world.transcript("W", "", 5),
      " 5 ActivityTaskScheduled activity_id=a hb=1s wtc=4 retry_policy={initial=1s coef=2 max=100s max_attempts=1}\n"
      "[6 ActivityTaskStarted scheduled=5 attempt=1\n"
      " 7 ActivityTaskTimedOut failure={message=activity Heartbeat timeout source=Server "
      "timeout={timeout_type=HEARTBEAT "
      "last_heartbeat_details=[\"D\"]}} scheduled=5 started=6 retry_state=MAXIMUM_ATTEMPTS_REACHED\n"
      " 8 WorkflowTaskScheduled attempt=1\n");
}

TEST(Transcript, E4SignalWhileATaskIsStarted) {
  ServiceWorld world;
  begin(world, {});
  world.signal("s1");
  const WorkflowTask task = world.poll();
  world.signal("s2");
  EXPECT_EQ(world.history().events_size(), 7) << "what is buffered does not show";
  EXPECT_TRUE(world.complete(task, {start_timer("1", 60)}).ok());
  EXPECT_EQ(world.transcript("W", "", 8),
            "[8 WorkflowTaskCompleted scheduled=6 started=7\n"
            " 9 TimerStarted timer_id=1 start_to_fire_timeout=60s wtc=8\n"
            " 10 WorkflowExecutionSignaled signal_name=s2\n"
            " 11 WorkflowTaskScheduled attempt=1\n");
}

TEST(Transcript, E5CompletionsMoveBehindTheSignal) {
  ServiceWorld world;
  begin(world, {schedule_activity("a", "AQ"), schedule_activity("b", "AQ")});
  const ActivityTask a = world.poll_activity("AQ");
  const ActivityTask b = world.poll_activity("AQ");
  world.signal("s1");
  const WorkflowTask task = world.poll();
  EXPECT_TRUE(world.complete_activity(b).ok());
  EXPECT_TRUE(world.complete_activity(a).ok());
  world.signal("s2");
  EXPECT_TRUE(world.complete(task, {start_timer("1", 60)}).ok());
  EXPECT_EQ(world.transcript("W", "", 5),
            " 5 ActivityTaskScheduled activity_id=a queue=AQ wtc=4\n"
            " 6 ActivityTaskScheduled activity_id=b queue=AQ wtc=4\n"
            "[7 WorkflowExecutionSignaled signal_name=s1\n"
            " 8 WorkflowTaskScheduled attempt=1\n"
            "[9 WorkflowTaskStarted scheduled=8\n"
            "[10 WorkflowTaskCompleted scheduled=8 started=9\n"
            " 11 TimerStarted timer_id=1 start_to_fire_timeout=60s wtc=10\n"
            " 12 ActivityTaskStarted scheduled=6 attempt=1\n"
            " 13 ActivityTaskStarted scheduled=5 attempt=1\n"
            " 14 WorkflowExecutionSignaled signal_name=s2\n"
            " 15 ActivityTaskCompleted result=[\"r\"] scheduled=6 started=12\n"
            " 16 ActivityTaskCompleted result=[\"r\"] scheduled=5 started=13\n"
            " 17 WorkflowTaskScheduled attempt=1\n");
}

TEST(Transcript, E6CloseWithABufferedSignal) {
  ServiceWorld world;
  world.start();
  const WorkflowTask first = world.poll();
  world.signal("s");
  const auto refused = world.complete(first, {complete_workflow()});
  EXPECT_EQ(refused.status.code, 3);
  EXPECT_EQ(refused.status.message, "UnhandledCommand");
  const WorkflowTask second = world.poll();
  EXPECT_EQ(world.signal("late").code, 8) << "C13: the workflow is closing";
  EXPECT_TRUE(world.complete(second, {complete_workflow()}).ok());
  EXPECT_EQ(world.transcript("W", "", 3),
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=UNHANDLED_COMMAND failure={message=UnhandledCommand "
            "server_failure_info={}}\n"
            " 5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowTaskScheduled attempt=1\n"
            "[7 WorkflowTaskStarted scheduled=6\n"
            "[8 WorkflowTaskCompleted scheduled=6 started=7\n"
            " 9 WorkflowExecutionCompleted wtc=8\n");
}

TEST(Transcript, E7CancelWithAStartedActivity) {
  ServiceWorld world;
  begin(world, {schedule_activity("a", "AQ")});
  const ActivityTask activity = world.poll_activity("AQ");
  world.cancel("why");
  EXPECT_TRUE(world.complete(world.poll(), {cancel_activity(5)}).ok());
  api::RecordActivityTaskHeartbeatRequest beat;
  beat.set_namespace_("default");
  beat.set_task_token(activity.task_token());
  EXPECT_TRUE(world.call(&WorkflowService::RecordActivityTaskHeartbeat, beat).reply.cancel_requested());
  api::RespondActivityTaskCanceledRequest canceled;
  canceled.set_namespace_("default");
  canceled.set_task_token(activity.task_token());
  canceled.set_identity("ak");
  *canceled.mutable_details() = payloads("\"d\"");
  EXPECT_TRUE(world.call(&WorkflowService::RespondActivityTaskCanceled, canceled).ok());
  EXPECT_TRUE(world.complete(world.poll(), {cancel_workflow()}).ok());
  EXPECT_EQ(world.transcript("W", "", 5),
            " 5 ActivityTaskScheduled activity_id=a queue=AQ wtc=4\n"
            "[6 WorkflowExecutionCancelRequested cause=why\n"
            " 7 WorkflowTaskScheduled attempt=1\n"
            "[8 WorkflowTaskStarted scheduled=7\n"
            "[9 WorkflowTaskCompleted scheduled=7 started=8\n"
            " 10 ActivityTaskCancelRequested scheduled=5 wtc=9\n"
            "[11 ActivityTaskStarted scheduled=5 attempt=1\n"
            " 12 ActivityTaskCanceled details=[\"d\"] cancel_requested=10 scheduled=5 started=11\n"
            " 13 WorkflowTaskScheduled attempt=1\n"
            "[14 WorkflowTaskStarted scheduled=13\n"
            "[15 WorkflowTaskCompleted scheduled=13 started=14\n"
            " 16 WorkflowExecutionCanceled wtc=15\n");
}

TEST(Transcript, E7CancelOfAnActivityThatIsNotStarted) {
  ServiceWorld world;
  begin(world, {schedule_activity("a", "AQ")});
  world.cancel("why");
  EXPECT_TRUE(world.complete(world.poll(), {cancel_activity(5)}).ok());
  EXPECT_EQ(world.transcript("W", "", 9),
            "[9 WorkflowTaskCompleted scheduled=7 started=8\n"
            " 10 ActivityTaskCancelRequested scheduled=5 wtc=9\n"
            " 11 ActivityTaskCanceled details=[\"ACTIVITY_ID_NOT_STARTED\"] cancel_requested=10 scheduled=5\n"
            " 12 WorkflowTaskScheduled attempt=1\n");
}

// Seen on server 1.29.1, and what the Go SDK relies on: it counts the events of its commands ahead.
TEST(Transcript, E7ACancelledActivityEndsBehindTheCommandsOfTheTask) {
  ServiceWorld world;
  begin(world, {schedule_activity("a", "AQ")});
  world.signal("go");
  const std::vector<Command> commands = {cancel_activity(5), start_timer("1", 60), schedule_activity("b", "AQ")};
  EXPECT_TRUE(world.complete(world.poll(), commands).ok());
  EXPECT_EQ(world.transcript("W", "", 9),
            "[9 WorkflowTaskCompleted scheduled=7 started=8\n"
            " 10 ActivityTaskCancelRequested scheduled=5 wtc=9\n"
            " 11 TimerStarted timer_id=1 start_to_fire_timeout=60s wtc=9\n"
            " 12 ActivityTaskScheduled activity_id=b queue=AQ wtc=9\n"
            " 13 ActivityTaskCanceled details=[\"ACTIVITY_ID_NOT_STARTED\"] cancel_requested=10 scheduled=5\n"
            " 14 WorkflowTaskScheduled attempt=1\n");
}

TEST(Transcript, E7ACancelledActivityIsNotToldToARunThatEnds) {
  ServiceWorld world;
  begin(world, {schedule_activity("a", "AQ")});
  world.signal("go");
  EXPECT_TRUE(world.complete(world.poll(), {cancel_activity(5), complete_workflow()}).ok());
  EXPECT_EQ(world.transcript("W", "", 9),
            "[9 WorkflowTaskCompleted scheduled=7 started=8\n"
            " 10 ActivityTaskCancelRequested scheduled=5 wtc=9\n"
            " 11 WorkflowExecutionCompleted wtc=9\n");
}

TEST(Transcript, E8TerminateWithAStartedTask) {
  ServiceWorld world;
  world.start();
  (void)world.poll();
  world.signal("s");
  EXPECT_TRUE(world.terminate("rsn").ok());
  EXPECT_EQ(world.transcript("W", "", 3),
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
            " 5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowExecutionTerminated reason=rsn\n");
}

TEST(Transcript, E8RunTimeout) {
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_run_timeout() = testing_world::seconds(5);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  (void)world.poll();
  world.advance(milliseconds{4'999});
  EXPECT_EQ(world.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  world.advance(milliseconds{1});
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
            " 5 WorkflowExecutionTimedOut retry_state=RETRY_POLICY_NOT_SET\n");
}

TEST(Transcript, E9Timers) {
  ServiceWorld world;
  begin(world, {start_timer("1", 1), start_timer("2", 60)});
  world.advance(seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {cancel_timer("2")}).ok());
  world.advance(seconds{100});
  EXPECT_EQ(world.transcript("W", "", 5),
            " 5 TimerStarted timer_id=1 start_to_fire_timeout=1s wtc=4\n"
            " 6 TimerStarted timer_id=2 start_to_fire_timeout=60s wtc=4\n"
            "[7 TimerFired timer_id=1 started=5\n"
            " 8 WorkflowTaskScheduled attempt=1\n"
            "[9 WorkflowTaskStarted scheduled=8\n"
            "[10 WorkflowTaskCompleted scheduled=8 started=9\n"
            " 11 TimerCanceled timer_id=2 started=6 wtc=10\n");
}

TEST(Transcript, E9ATimerThatFiredIntoTheBufferIsCancelled) {
  ServiceWorld world;
  begin(world, {start_timer("1", 1)});
  world.signal("s");
  const WorkflowTask task = world.poll();
  world.advance(seconds{2});
  EXPECT_TRUE(world.complete(task, {cancel_timer("1")}).ok());
  EXPECT_EQ(world.transcript("W", "", 8),
            "[8 WorkflowTaskStarted scheduled=7\n"
            "[9 WorkflowTaskCompleted scheduled=7 started=8\n"
            " 10 TimerCanceled timer_id=1 started=5 wtc=9\n");
}

TEST(Transcript, E11ContinueAsNew) {
  ServiceWorld world;
  const std::string first = world.start();
  const WorkflowTask task = world.poll();
  world.advance(milliseconds{10});
  EXPECT_TRUE(world.complete(task, {continue_as_new("\"n\"")}).ok());
  EXPECT_EQ(world.transcript("W", first, 4),
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            " 5 WorkflowExecutionContinuedAsNew new_run=R2 input=[\"n\"] run_timeout=0s wtc=4\n");
  EXPECT_EQ(world.history().events_size(), 1) << "no task before the backoff is over";
  world.advance(milliseconds{989});
  EXPECT_EQ(world.history().events_size(), 1);
  world.advance(milliseconds{1});
  EXPECT_EQ(
      world.transcript(),
      "[1 WorkflowExecutionStarted input=[\"n\"] run_timeout=0s continued_run=R1 initiator=WORKFLOW original_run=R2 "
      "first_run=R1 attempt=1 backoff=0.99s prev_auto_reset_points\n"
      "[2 WorkflowTaskScheduled attempt=1\n");
}

TEST(Transcript, E15TimeoutThenATransientAttempt) {
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_task_timeout() = testing_world::seconds(1);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  (void)world.poll();
  world.advance(seconds{1});
  const WorkflowTask second = world.poll();
  EXPECT_EQ(second.attempt(), 2);
  EXPECT_EQ(second.previous_started_event_id(), 0);
  EXPECT_EQ(second.started_event_id(), 6);
  ASSERT_EQ(second.history().events_size(), 6);
  EXPECT_EQ(second.history().events(4).workflow_task_scheduled_event_attributes().attempt(), 2);
  EXPECT_EQ(second.history().events(4).task_id(), 0);
  EXPECT_EQ(second.history().events(5).event_id(), 6);
  EXPECT_EQ(world.history().events_size(), 4) << "transient events are not stored";
  EXPECT_TRUE(world.complete(second, {start_timer("1", 60)}).ok());
  EXPECT_EQ(world.transcript("W", "", 3),
            "[3 WorkflowTaskStarted scheduled=2\n"
            "[4 WorkflowTaskTimedOut scheduled=2 started=3 timeout_type=START_TO_CLOSE\n"
            "[5 WorkflowTaskScheduled st2c=1s attempt=2\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskCompleted scheduled=5 started=6\n"
            " 8 TimerStarted timer_id=1 start_to_fire_timeout=60s wtc=7\n");
}

TEST(Transcript, E16AStickyQueueNobodyPollsIsPassedOver) {  // C16
  ServiceWorld world;
  world.start();
  auto request = world.completion(world.poll(), {});
  request.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("SQ");
  *request.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = testing_world::seconds(5);
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  auto seen = world.poll_later("SQ", "W");
  world.advance(seconds{59});  // the poll expired, and it began more than 10 s ago
  EXPECT_TRUE(seen->ok());
  EXPECT_TRUE(seen->reply.task_token().empty());
  world.signal("s");
  EXPECT_EQ(world.history().events_size(), 6);
  auto normal = world.poll_later("W");
  EXPECT_TRUE(normal->done) << "no sticky poller for 10 s: anybody may have it";
  EXPECT_EQ(normal->reply.history().events_size(), 7);
}

TEST(Transcript, E16StickyTimeoutIsWritten) {
  ServiceWorld world;
  world.start();
  auto request = world.completion(world.poll(), {});
  request.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("SQ");
  *request.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = testing_world::seconds(5);
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  api::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("SQ");
  poll.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
  (void)world.send(&WorkflowService::PollWorkflowTaskQueue, poll, world.within(seconds{70}, 9));
  world.service().cancel(9);  // the worker dies, it was seen just now
  world.signal("s");
  auto normal = world.poll_later("W");
  EXPECT_FALSE(normal->done);
  world.advance(seconds{5});
  EXPECT_TRUE(normal->done);
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            "[5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowTaskScheduled queue=SQ(STICKY of W) attempt=1\n"
            "[7 WorkflowTaskTimedOut scheduled=6 timeout_type=SCHEDULE_TO_START\n"
            " 8 WorkflowTaskScheduled attempt=1\n"
            "[9 WorkflowTaskStarted scheduled=8\n");
}

TEST(Transcript, E18RetryChain) {
  ServiceWorld world;
  auto request = world.start_request();
  request.mutable_retry_policy()->set_maximum_attempts(2);
  *request.mutable_input() = payloads("\"in\"");
  const auto started = world.call(&WorkflowService::StartWorkflowExecution, request);
  EXPECT_TRUE(world.complete(world.poll(), {fail_workflow("f1")}).ok());
  EXPECT_EQ(world.transcript("W", started.reply.run_id(), 4),
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            " 5 WorkflowExecutionFailed failure={message=f1 app={type=E}} retry_state=IN_PROGRESS wtc=4 new_run=R2\n");
  world.advance(seconds{1});
  EXPECT_TRUE(world.complete(world.poll(), {fail_workflow("f2")}).ok());
  EXPECT_EQ(
      world.transcript(),
      "[1 WorkflowExecutionStarted input=[\"in\"] continued_run=R1 initiator=RETRY continued_failure={message=f1 "
      "app={type=E}} original_run=R2 first_run=R1 retry_policy={initial=1s coef=2 max=100s max_attempts=2} attempt=2 "
      "backoff=1s prev_auto_reset_points\n"
      "[2 WorkflowTaskScheduled attempt=1\n"
      "[3 WorkflowTaskStarted scheduled=2\n"
      "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
      " 5 WorkflowExecutionFailed failure={message=f2 app={type=E}} retry_state=MAXIMUM_ATTEMPTS_REACHED wtc=4\n");
}

}  // namespace
}  // namespace callimport::engine::testing_world
