// Workflow tasks and activities in all their endings (conformance C.3, C.4, C.12's external calls).
#include <gtest/gtest.h>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;

api::RespondWorkflowTaskFailedRequest failing(const WorkflowTask& task) {
  api::RespondWorkflowTaskFailedRequest request;
  request.set_task_token(task.task_token());
  request.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
  request.mutable_failure()->set_message("nd");
  request.set_identity("wk");
  return request;
}
void fail_task(ServiceWorld& world, const WorkflowTask& task) {
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, failing(task)).ok());
}
api::RespondWorkflowTaskCompletedRequest sticky(const ServiceWorld& world, const WorkflowTask& task,
                                                const std::vector<Command>& commands = {}) {
  auto request = world.completion(task, commands);
  request.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("SQ");
  *request.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = seconds(5);
  return request;
}

TEST(TransientTask, ASignalWhileStartedMakesItReal) {  // C13
  ServiceWorld world;
  world.start();
  fail_task(world, world.poll());
  const WorkflowTask second = world.poll();
  EXPECT_EQ(second.attempt(), 2);
  EXPECT_TRUE(world.signal("s").ok());
  fail_task(world, second);
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=NON_DETERMINISTIC_ERROR failure={message=nd}\n"
            "[5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowTaskScheduled attempt=1\n");
}

TEST(TransientTask, ASignalWhileScheduledIsAppendedAlone) {  // C13
  ServiceWorld world;
  world.start();
  fail_task(world, world.poll());
  EXPECT_TRUE(world.signal("s").ok());
  EXPECT_EQ(world.history().events_size(), 5) << "no Scheduled beside it";
  const WorkflowTask next = world.poll();
  EXPECT_EQ(next.attempt(), 1) << "overtaken: a real attempt 1";
  EXPECT_TRUE(world.complete(next).ok());
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowExecutionSignaled signal_name=s\n"
            "[6 WorkflowTaskScheduled attempt=1\n"
            " 7 WorkflowTaskStarted scheduled=6\n"
            "[8 WorkflowTaskCompleted scheduled=6 started=7\n");
}

TEST(TransientTask, PatienceGrows) {  // C14
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_task_timeout() = seconds(1);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  for (int attempt = 1; attempt <= 6; ++attempt) {
    const WorkflowTask task = world.poll();
    ASSERT_EQ(task.attempt(), attempt);
    const auto& scheduled =
        task.history().events(task.history().events_size() - 2).workflow_task_scheduled_event_attributes();
    const double st2c = static_cast<double>(scheduled.start_to_close_timeout().seconds()) +
                        static_cast<double>(scheduled.start_to_close_timeout().nanos()) / 1e9;
    const double extra = attempt <= 3 ? 0 : 5.0 * (1 << (attempt - 4));
    EXPECT_GE(st2c, 1 + 0.8 * extra);
    EXPECT_LE(st2c, 1 + extra);
    fail_task(world, task);
  }
}

TEST(FailedTask, TellsWhatTheWorkerTold) {  // C15
  ServiceWorld world;
  world.start();
  const WorkflowTask task = world.poll();
  api::RespondWorkflowTaskFailedRequest request;
  request.set_namespace_("default");
  request.set_task_token(task.task_token());
  request.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
  request.mutable_failure()->set_message("m");
  request.mutable_failure()->mutable_application_failure_info()->set_type("E");
  request.set_identity("wk2");
  request.set_binary_checksum("sum");
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, request).ok());
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskFailed scheduled=2 started=3 cause=NON_DETERMINISTIC_ERROR failure={message=m "
            "app={type=E}} identity=wk2 binary_checksum=sum\n");
  EXPECT_EQ(world.describe().pending_workflow_task().attempt(), 2);
}

TEST(StickyTask, FailureClearsItAndWritesTheNext) {  // C13
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, sticky(world, world.poll())).ok());
  auto waiting = world.poll_later("SQ", "W");
  EXPECT_TRUE(world.signal("s").ok());
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.history().events(0).event_id(), 4) << "B4: only what comes after the last started";
  EXPECT_EQ(waiting->reply.previous_started_event_id(), 3);
  EXPECT_EQ(waiting->reply.workflow_execution_task_queue().kind(), enums::TASK_QUEUE_KIND_NORMAL);
  fail_task(world, waiting->reply);
  EXPECT_EQ(world.transcript("W", "", 8),
            "[8 WorkflowTaskFailed scheduled=6 started=7 cause=NON_DETERMINISTIC_ERROR failure={message=nd}\n"
            " 9 WorkflowTaskScheduled attempt=1\n");
}

TEST(Heartbeat, CompletesAndGoesOnUntilItsLimit) {  // C18
  ServiceWorld world;
  auto start = world.start_request();
  *start.mutable_workflow_task_timeout() = seconds(120);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start).ok());
  WorkflowTask task = world.poll();
  const auto first = world.describe().pending_workflow_task().original_scheduled_time();
  for (int i = 0; i < 18; ++i) {
    world.advance(std::chrono::seconds{100});
    auto request = world.completion(task, {});
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
    const auto answer = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
    ASSERT_TRUE(answer.ok()) << answer.status.message;
    task = answer.reply.workflow_task();
    const auto& started =
        task.history().events(task.history().events_size() - 1).workflow_task_started_event_attributes();
    EXPECT_EQ(started.request_id(), "request-from-RespondWorkflowTaskCompleted");
  }
  EXPECT_EQ(world.describe().pending_workflow_task().original_scheduled_time().seconds(), first.seconds());
  world.advance(std::chrono::seconds{100});
  auto request = world.completion(task, {});
  request.set_force_create_new_workflow_task(true);
  const auto refused = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(refused.status.code, 5);
  EXPECT_EQ(refused.status.message, "workflow task heartbeat timeout");
  EXPECT_EQ(world.describe().pending_workflow_task().attempt(), 2);
}

TEST(ReturnedTask, OnlyWhenOneIsDue) {  // C22
  ServiceWorld world;
  world.start();
  auto request = world.completion(world.poll(), {});
  request.set_return_new_workflow_task(true);
  EXPECT_FALSE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).reply.has_workflow_task());
  EXPECT_TRUE(world.signal("s").ok());
  const WorkflowTask task = world.poll();
  EXPECT_TRUE(world.signal("s2").ok());
  request = world.completion(task, {});
  request.set_return_new_workflow_task(true);
  const auto answer = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  ASSERT_TRUE(answer.reply.has_workflow_task());
  const auto& next = answer.reply.workflow_task();
  EXPECT_EQ(next.history().events(0).event_id(), task.started_event_id() + 1) << "as if from the sticky queue";
  EXPECT_TRUE(world.complete(next).ok());
  (void)world.transcript();
}

TEST(Task, ATimerOfZeroFiresAtOnce) {  // C20
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {start_timer("1", 0)}).ok());
  EXPECT_EQ(world.transcript("W", "", 5),
            " 5 TimerStarted timer_id=1 start_to_fire_timeout=0s wtc=4\n"
            "[6 TimerFired timer_id=1 started=5\n"
            " 7 WorkflowTaskScheduled attempt=1\n");
}

// Activities: one command, one way to end, one last event.
Command timed(double s2c, double s2s, double st2c, double hb, int attempts = 1) {
  Command out = schedule_activity("a", "AQ", st2c);
  auto* a = out.mutable_schedule_activity_task_command_attributes();
  if (st2c == 0) a->clear_start_to_close_timeout();
  if (s2c > 0) *a->mutable_schedule_to_close_timeout() = seconds(s2c);
  if (s2s > 0) *a->mutable_schedule_to_start_timeout() = seconds(s2s);
  if (hb > 0) *a->mutable_heartbeat_timeout() = seconds(hb);
  a->mutable_retry_policy()->set_maximum_attempts(attempts);
  return out;
}
struct TimeoutRow {
  const char* name;
  Command command;
  bool started;
  double after;  ///< s
  const char* events;
};
void PrintTo(const TimeoutRow& row, std::ostream* out) { *out << row.name; }
class ActivityTimeout : public testing::TestWithParam<TimeoutRow> {};
TEST_P(ActivityTimeout, EndsIt) {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {GetParam().command}).ok());
  if (GetParam().started) (void)world.poll_activity("AQ");
  const auto after = std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(GetParam().after));
  world.advance(after - milliseconds{1});
  EXPECT_EQ(world.history().events_size(), 5);
  world.advance(milliseconds{1});
  EXPECT_EQ(world.transcript("W", "", 6), GetParam().events);
  world.restart();
  EXPECT_EQ(world.describe().pending_activities_size(), 0);
}
INSTANTIATE_TEST_SUITE_P(
    Table, ActivityTimeout,
    testing::Values(
        TimeoutRow{"StartToClose", timed(0, 0, 3, 0), true, 3,
                   "[6 ActivityTaskStarted scheduled=5 attempt=1\n"
                   " 7 ActivityTaskTimedOut failure={message=activity StartToClose timeout source=Server "
                   "timeout={timeout_type=START_TO_CLOSE}} scheduled=5 started=6 retry_state=MAXIMUM_ATTEMPTS_REACHED\n"
                   " 8 WorkflowTaskScheduled attempt=1\n"},
        TimeoutRow{"ScheduleToStart", timed(0, 2, 3, 0, 5), false, 2,
                   "[6 ActivityTaskTimedOut failure={message=activity ScheduleToStart timeout source=Server "
                   "timeout={timeout_type=SCHEDULE_TO_START}} scheduled=5 retry_state=NON_RETRYABLE_FAILURE\n"
                   " 7 WorkflowTaskScheduled attempt=1\n"},
        TimeoutRow{"ScheduleToClose", timed(4, 0, 0, 0, 5), false, 4,
                   "[6 ActivityTaskTimedOut failure={message=activity ScheduleToClose timeout source=Server "
                   "timeout={timeout_type=SCHEDULE_TO_CLOSE}} scheduled=5 retry_state=NON_RETRYABLE_FAILURE\n"
                   " 7 WorkflowTaskScheduled attempt=1\n"},
        TimeoutRow{"Heartbeat", timed(0, 0, 10, 1), true, 1,
                   "[6 ActivityTaskStarted scheduled=5 attempt=1\n"
                   " 7 ActivityTaskTimedOut failure={message=activity Heartbeat timeout source=Server "
                   "timeout={timeout_type=HEARTBEAT}} scheduled=5 started=6 retry_state=MAXIMUM_ATTEMPTS_REACHED\n"
                   " 8 WorkflowTaskScheduled attempt=1\n"}),
    [](const auto& test) { return test.param.name; });

TEST(ActivityRetry, StoppedByScheduleToCloseChangesTheTimeout) {  // C27
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {timed(3.5, 0, 3, 0, 0)}).ok());
  (void)world.poll_activity("AQ");
  world.advance(std::chrono::seconds{3});
  EXPECT_EQ(world.transcript("W", "", 6),
            "[6 ActivityTaskStarted scheduled=5 attempt=1\n"
            " 7 ActivityTaskTimedOut failure={message=activity ScheduleToClose timeout source=Server "
            "timeout={timeout_type=SCHEDULE_TO_CLOSE}} scheduled=5 started=6 retry_state=TIMEOUT\n"
            " 8 WorkflowTaskScheduled attempt=1\n");
}

TEST(ActivityRetry, AFailureStoppedThatWayStaysItself) {  // C27
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {timed(0.5, 0, 0, 0, 0)}).ok());
  EXPECT_TRUE(world.fail_activity(world.poll_activity("AQ"), "f").ok());
  EXPECT_EQ(world.transcript("W", "", 7),
            " 7 ActivityTaskFailed failure={message=f app={type=E}} scheduled=5 started=6 retry_state=TIMEOUT\n"
            " 8 WorkflowTaskScheduled attempt=1\n");
}

TEST(ActivityRetry, HeartbeatDetailsComeBackAndTheLastFailureIsTheCause) {  // C28, C27
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {timed(0, 0, 3, 0, 2)}).ok());
  const ActivityTask first = world.poll_activity("AQ");
  api::RespondActivityTaskFailedRequest failed;
  failed.set_task_token(first.task_token());
  failed.mutable_failure()->set_message("f1");
  failed.mutable_failure()->mutable_application_failure_info()->set_type("E");
  *failed.mutable_last_heartbeat_details() = payloads("\"at 7\"");
  EXPECT_TRUE(world.call(&WorkflowService::RespondActivityTaskFailed, failed).ok());
  world.advance(std::chrono::seconds{1});
  const ActivityTask second = world.poll_activity("AQ");
  EXPECT_EQ(second.attempt(), 2);
  EXPECT_EQ(second.heartbeat_details().payloads(0).data(), "\"at 7\"");
  EXPECT_LT(second.scheduled_time().seconds(), second.current_attempt_scheduled_time().seconds());
  EXPECT_EQ(world.complete_activity(first).message,
            "invalid activityID or activity already timed out or invoking workflow is completed");
  world.advance(std::chrono::seconds{3});
  const History history = world.history();
  const auto& failure = history.events(6).activity_task_timed_out_event_attributes().failure();
  EXPECT_EQ(failure.cause().message(), "f1");
  EXPECT_EQ(failure.timeout_failure_info().last_heartbeat_details().payloads(0).data(), "\"at 7\"");
  EXPECT_EQ(history.events(5).activity_task_started_event_attributes().attempt(), 2);
}

TEST(ActivityRetry, NextDelayOverridesThePolicy) {  // C26
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {timed(0, 0, 3, 0, 0)}).ok());
  api::RespondActivityTaskFailedRequest failed;
  failed.set_task_token(world.poll_activity("AQ").task_token());
  auto* info = failed.mutable_failure()->mutable_application_failure_info();
  *info->mutable_next_retry_delay() = seconds(50);
  EXPECT_TRUE(world.call(&WorkflowService::RespondActivityTaskFailed, failed).ok());
  api::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("AQ");
  auto waiting = world.send(&WorkflowService::PollActivityTaskQueue, poll, world.within(std::chrono::seconds{70}));
  world.advance(milliseconds{49'999});
  EXPECT_FALSE(waiting->done);
  world.restart();  // the backoff is durable
  waiting = world.send(&WorkflowService::PollActivityTaskQueue, poll, world.within(std::chrono::seconds{70}));
  EXPECT_FALSE(waiting->done);
  world.advance(milliseconds{1});
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.attempt(), 2);
}

TEST(ActivityRetry, StopsOnNonRetryable) {  // C26
  for (const bool listed : {false, true}) {
    ServiceWorld world;
    world.start();
    Command command = timed(0, 0, 3, 0, 0);
    if (listed)
      command.mutable_schedule_activity_task_command_attributes()
          ->mutable_retry_policy()
          ->add_non_retryable_error_types("E");
    EXPECT_TRUE(world.complete(world.poll(), {command}).ok());
    api::RespondActivityTaskFailedRequest failed;
    failed.set_task_token(world.poll_activity("AQ").task_token());
    failed.mutable_failure()->mutable_application_failure_info()->set_type("E");
    failed.mutable_failure()->mutable_application_failure_info()->set_non_retryable(!listed);
    EXPECT_TRUE(world.call(&WorkflowService::RespondActivityTaskFailed, failed).ok());
    EXPECT_EQ(world.history().events(6).activity_task_failed_event_attributes().retry_state(),
              enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  }
}

TEST(ActivityRetry, ALargeFailureIsCutInStateAndWholeInTheEvent) {  // C30
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {timed(0, 0, 3, 0, 2)}).ok());
  const std::string large(10'000, 'x');
  EXPECT_TRUE(world.fail_activity(world.poll_activity("AQ"), large).ok());
  const auto pending = world.describe().pending_activities(0).last_failure();
  EXPECT_TRUE(pending.has_server_failure_info());
  EXPECT_LE(pending.ByteSizeLong(), 4'200u);
  EXPECT_EQ(pending.cause().application_failure_info().type(), "E");
  world.advance(std::chrono::seconds{1});
  EXPECT_TRUE(world.fail_activity(world.poll_activity("AQ"), large).ok());
  EXPECT_EQ(world.history().events(6).activity_task_failed_event_attributes().failure().message().size(), 10'000u);
}

TEST(ActivityById, AnswersWithoutAToken) {  // C29
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a", "AQ")}).ok());
  api::RespondActivityTaskCompletedByIdRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("W");
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskCompletedById, request).status.message,
            "ActivityId is not set on request.");
  request.set_activity_id("zz");
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskCompletedById, request).status.message,
            "cannot find pending activity with ActivityID zz, check workflow execution history for more details");
  request.set_activity_id("a");
  EXPECT_TRUE(world.call(&WorkflowService::RespondActivityTaskCompletedById, request).ok())
      << "though it was never started";
  EXPECT_EQ(world.transcript("W", "", 6),
            "[6 ActivityTaskStarted scheduled=5 attempt=1\n"
            " 7 ActivityTaskCompleted scheduled=5 started=6\n"
            " 8 WorkflowTaskScheduled attempt=1\n");
}

TEST(Activity, RefusedAnswers) {  // C29
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a", "AQ")}).ok());
  const ActivityTask task = world.poll_activity("AQ");
  api::RespondActivityTaskCanceledRequest canceled;
  canceled.set_task_token(task.task_token());
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskCanceled, canceled).status.message,
            "unable to mark activity as canceled without activity being request canceled first");
  api::RespondActivityTaskFailedRequest failed;
  failed.set_task_token(task.task_token());
  failed.mutable_failure()->set_message("no info");
  EXPECT_EQ(world.call(&WorkflowService::RespondActivityTaskFailed, failed).status.message,
            "Failure must have ApplicationFailureInfo.");
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(world.complete_activity(task).message, "workflow execution already completed");
}

TEST(Activity, TimeoutsAreFilledAndCapped) {  // C25
  ServiceWorld world;
  auto start = world.start_request();
  *start.mutable_workflow_run_timeout() = seconds(100);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start).ok());
  Command wide = timed(0, 0, 500, 600);
  Command narrow = timed(20, 0, 0, 0);
  narrow.mutable_schedule_activity_task_command_attributes()->set_activity_id("b");
  EXPECT_TRUE(world.complete(world.poll(), {wide, narrow}).ok());
  const History history = world.history();
  const auto& a = history.events(4).activity_task_scheduled_event_attributes();
  EXPECT_EQ(a.schedule_to_close_timeout().seconds(), 100);
  EXPECT_EQ(a.schedule_to_start_timeout().seconds(), 100);
  EXPECT_EQ(a.start_to_close_timeout().seconds(), 100);
  EXPECT_EQ(a.heartbeat_timeout().seconds(), 100);
  const auto& b = history.events(5).activity_task_scheduled_event_attributes();
  EXPECT_EQ(b.schedule_to_start_timeout().seconds(), 20);
  EXPECT_EQ(b.start_to_close_timeout().seconds(), 20);
}

Command eagerly(Command schedule) {
  schedule.mutable_schedule_activity_task_command_attributes()->set_request_eager_execution(true);
  return schedule;
}

TEST(EagerActivity, ComesBackWithTheAnswer) {  // B24
  ServiceWorld world;
  world.start();
  api::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("W");
  auto waiting = world.send(&WorkflowService::PollActivityTaskQueue, poll, world.within(std::chrono::seconds(30)));
  const auto done = world.complete(world.poll(), {eagerly(schedule_activity("a")), schedule_activity("b")});
  ASSERT_EQ(done.reply.activity_tasks_size(), 1);
  const ActivityTask& task = done.reply.activity_tasks(0);
  EXPECT_EQ(task.activity_id(), "a");
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_FALSE(task.has_retry_policy());
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.activity_id(), "b") << "who polls gets what nobody kept a slot for, and nothing twice";
  world.restart();
  EXPECT_TRUE(world.complete_activity(task).ok()) << "started durably";
  const History history = world.history();
  EXPECT_EQ(history.events(6).event_type(), enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  EXPECT_EQ(history.events(6).activity_task_started_event_attributes().identity(),
            history.events(2).workflow_task_started_event_attributes().identity())
      << "the workflow task's worker has it";
}

TEST(EagerActivity, IsRetriedThroughTheQueue) {  // B24, C26
  ServiceWorld world;
  world.start();
  const auto done = world.complete(world.poll(), {eagerly(schedule_activity("a", "W", 10))});
  ASSERT_EQ(done.reply.activity_tasks_size(), 1);
  world.advance(std::chrono::seconds(10));  // nobody answers: start to close
  world.advance(std::chrono::seconds(1));
  const ActivityTask again = world.poll_activity();
  EXPECT_EQ(again.activity_id(), "a");
  EXPECT_EQ(again.attempt(), 2);
}

TEST(EagerActivity, IsDroppedWithARunThatCloses) {
  ServiceWorld world;
  world.start();
  const auto done = world.complete(world.poll(), {eagerly(schedule_activity("a")), complete_workflow()});
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(done.reply.activity_tasks_size(), 0);
}

TEST(External, SignalAndCancelReachAnotherRun) {  // C.12
  ServiceWorld world;
  world.start("W");
  auto request = world.start_request("C");
  request.mutable_task_queue()->set_name("C");
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  Command signal;
  signal.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto* a = signal.mutable_signal_external_workflow_execution_command_attributes();
  a->mutable_execution()->set_workflow_id("C");
  a->set_signal_name("s");
  Command cancel;
  cancel.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
  cancel.mutable_request_cancel_external_workflow_execution_command_attributes()->set_workflow_id("C");
  Command nowhere = signal;
  nowhere.mutable_signal_external_workflow_execution_command_attributes()->mutable_execution()->set_workflow_id("nope");
  EXPECT_TRUE(world.complete(world.poll(), {signal, cancel, nowhere}).ok());
  const History history = world.history("W");
  std::vector<std::string> types;
  for (const auto& event : history.events()) types.push_back(enums::EventType_Name(event.event_type()).substr(11));
  EXPECT_EQ(types,
            (std::vector<std::string>{
                "WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED",
                "WORKFLOW_TASK_COMPLETED", "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
                "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED", "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
                "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED",
                "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED", "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"}));
  const History target = world.history("C");
  ASSERT_EQ(target.events_size(), 4);
  const auto& signaled = target.events(2).workflow_execution_signaled_event_attributes();
  EXPECT_EQ(signaled.identity(), "history-service");
  EXPECT_EQ(signaled.external_workflow_execution().workflow_id(), "W");
  const auto& cancelled = target.events(3).workflow_execution_cancel_requested_event_attributes();
  EXPECT_EQ(cancelled.external_initiated_event_id(), 6);
}

}  // namespace
}  // namespace callimport::engine::testing_world
