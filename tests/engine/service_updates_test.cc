// Updates on the embedded service (conformance C.8, C17, C19, C20, C23, C24; transcripts E12, E13, E19).
#include <gtest/gtest.h>

#include "engine/service/port_errors.h"
#include "tests/engine/update_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A completion that brings a sticky queue SQ.
api::RespondWorkflowTaskCompletedRequest with_sticky(api::RespondWorkflowTaskCompletedRequest request) {
  request.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("SQ");
  *request.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = testing_world::seconds(10);
  return request;
}

TEST(Transcript, E12UpdateAcceptedAndCompletedInOneTask) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  EXPECT_EQ(world.history().events_size(), 4) << "a speculative task is not written";
  const WorkflowTask task = world.poll();
  EXPECT_EQ(world.history().events_size(), 4);
  ASSERT_EQ(task.history().events_size(), 6);
  EXPECT_EQ(task.history().events(5).event_id(), 6);
  EXPECT_EQ(task.started_event_id(), 6);
  EXPECT_EQ(task.previous_started_event_id(), 3);
  ASSERT_EQ(task.messages_size(), 1);
  EXPECT_EQ(task.messages(0).id(), "u1/request");
  EXPECT_EQ(task.messages(0).protocol_instance_id(), "u1");
  EXPECT_EQ(task.messages(0).event_id(), 5);
  EXPECT_EQ(task.messages(0).body().type_url(), "type.googleapis.com/temporal.api.update.v1.Request");
  EXPECT_EQ(news_of(answer), "waits");
  EXPECT_TRUE(respond_updates(world, task, {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(answer), "completed \"out\"");
  EXPECT_EQ(answer->reply.update_ref().update_id(), "u1");
  EXPECT_EQ(answer->reply.update_ref().workflow_execution().workflow_id(), "W");
  EXPECT_EQ(answer->reply.update_ref().workflow_execution().run_id(), task.workflow_execution().run_id());
  EXPECT_EQ(world.transcript("W", "", 4),
            "[4 WorkflowTaskCompleted scheduled=2 started=3\n"
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskCompleted scheduled=5 started=6\n"
            " 8 WorkflowExecutionUpdateAccepted instance=u1 message=u1/request sequencing=5 "
            "accepted_request={meta={update_id=u1} input={name=upd args=[\"in\"]}}\n"
            " 9 WorkflowExecutionUpdateCompleted meta={update_id=u1} outcome={success=[\"out\"]} accepted=8\n");
}

TEST(Transcript, E13UpdateRejected) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  const auto done = respond_updates(world, world.poll(), {"reject u1"});
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done.reply.reset_history_event_id(), 3);
  EXPECT_EQ(news_of(answer), "completed, failure: no");
  EXPECT_EQ(world.history().events_size(), 4);
  const auto again = update(world, "u1");  // a rejected id is forgotten; the ids are used again
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.started_event_id(), 6);
  EXPECT_EQ(messages_of(task), "u1/request");
  EXPECT_EQ(news_of(again), "waits");
}

TEST(Transcript, E13UpdateRejectedOnAnOrdinaryTask) {
  ServiceWorld world;
  begin_idle(world);
  world.signal("s");
  const auto answer = update(world, "u1");
  const auto done = respond_updates(world, world.poll(), {"reject u1"});
  EXPECT_EQ(done.reply.reset_history_event_id(), 0);
  EXPECT_EQ(news_of(answer), "completed, failure: no");
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowTaskScheduled attempt=1\n"
            "[7 WorkflowTaskStarted scheduled=6\n"
            "[8 WorkflowTaskCompleted scheduled=6 started=7\n");
}

TEST(Transcript, E19SpeculativeTaskNobodyPolls) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  world.advance(milliseconds{4999});
  EXPECT_EQ(world.history().events_size(), 4);
  world.advance(milliseconds{1});
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskTimedOut scheduled=5 timeout_type=SCHEDULE_TO_START\n"
            " 7 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(messages_of(world.poll()), "u1/request") << "C17: still admitted, delivered with the next task";
  EXPECT_EQ(news_of(answer), "waits");
}

// What makes a speculative task real (C.8, C17, C24).

TEST(Speculative, SignalWhileItIsScheduled) {
  ServiceWorld world;
  begin_idle(world);
  update(world, "u1");
  world.signal("s");
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowExecutionSignaled signal_name=s\n");
  world.advance(seconds{6});
  EXPECT_EQ(world.history().events_size(), 6) << "an ordinary task has no schedule-to-start limit";
  const WorkflowTask task = world.poll();
  EXPECT_EQ(messages_of(task), "u1/request");
  EXPECT_EQ(task.messages(0).event_id(), 6);
}

TEST(Speculative, SignalWhileItIsStarted) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  const WorkflowTask task = world.poll();
  world.signal("s");
  EXPECT_EQ(world.history().events_size(), 6) << "Scheduled and Started; the signal is buffered";
  auto request = update_completion(world, task, {"reject u1"});
  request.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(true);
  const auto done = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(done.reply.reset_history_event_id(), 0);
  EXPECT_EQ(news_of(answer), "completed, failure: no");
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskCompleted scheduled=5 started=6\n"
            " 8 WorkflowExecutionSignaled signal_name=s\n"
            " 9 WorkflowTaskScheduled attempt=1\n");
}

TEST(Speculative, FailureWritesItAndTheNextAttemptHasTheMessages) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  const WorkflowTask task = world.poll();
  api::RespondWorkflowTaskFailedRequest failed;
  failed.set_namespace_("default");
  failed.set_task_token(task.task_token());
  failed.set_identity("wk");
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, failed).ok());
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskFailed scheduled=5 started=6\n");
  const WorkflowTask next = world.poll();
  EXPECT_EQ(next.attempt(), 2);
  EXPECT_EQ(next.history().events_size(), 9) << "two of them not stored";
  EXPECT_EQ(messages_of(next), "u1/request");
  EXPECT_EQ(next.messages(0).event_id(), 8);
  EXPECT_EQ(news_of(answer), "waits");
  EXPECT_TRUE(respond_updates(world, next, {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(answer), "completed \"out\"");
}

TEST(Speculative, StartToCloseTimeout) {
  ServiceWorld world;
  begin_idle(world);
  update(world, "u1");
  world.poll();
  world.advance(seconds{10});
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskTimedOut scheduled=5 started=6 timeout_type=START_TO_CLOSE\n");
  EXPECT_EQ(messages_of(world.poll()), "u1/request");
}

TEST(Speculative, CommandsMakeItReal) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  const WorkflowTask task = world.poll();
  auto request = update_completion(world, task, {"reject u1"});
  *request.add_commands() = start_timer("1", 60);
  const auto done = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(done.reply.reset_history_event_id(), 0);
  EXPECT_EQ(news_of(answer), "completed, failure: no");
  EXPECT_EQ(world.history().events_size(), 8);
}

/// `events` more than an idle run has lie between the last task and the speculative one.
struct Drop {
  const char* name;
  int timers;
  bool capable;
  bool dropped;
};
void PrintTo(const Drop& row, std::ostream* out) { *out << row.name; }
class DroppedTask : public testing::TestWithParam<Drop> {};

TEST_P(DroppedTask, IsDroppedOrKept) {
  ServiceWorld world;
  world.start();
  std::vector<Command> commands;
  for (int i = 0; i < GetParam().timers; ++i) commands.push_back(start_timer(std::to_string(i), 600));
  EXPECT_TRUE(world.complete(world.poll(), commands).ok());
  const auto answer = update(world, "u1");
  auto request = update_completion(world, world.poll(), {"reject u1"});
  request.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(GetParam().capable);
  const auto done = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(done.reply.reset_history_event_id(), GetParam().dropped ? 3 : 0);
  EXPECT_EQ(world.history().events_size(), 4 + GetParam().timers + (GetParam().dropped ? 0 : 3));
  EXPECT_EQ(news_of(answer), "completed, failure: no");
}
INSTANTIATE_TEST_SUITE_P(C24, DroppedTask,
                         testing::Values(Drop{"NothingBetween", 0, false, true},
                                         Drop{"EventsWithoutTheCapability", 1, false, false},
                                         Drop{"EventsWithTheCapability", 1, true, true},
                                         Drop{"TenEvents", 10, true, true}, Drop{"ElevenEvents", 11, true, false}),
                         [](const auto& test) { return test.param.name; });

TEST(Speculative, UpdateThatCameMeanwhileIsHandedBack) {
  ServiceWorld world;
  begin_idle(world);
  const auto first = update(world, "u1");
  const WorkflowTask task = world.poll();
  const auto second = update(world, "u2");
  auto request = update_completion(world, task, {"reject u1"});
  request.set_return_new_workflow_task(true);
  const auto done = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(done.reply.reset_history_event_id(), 3);
  const WorkflowTask& next = done.reply.workflow_task();
  EXPECT_EQ(messages_of(next), "u2/request");
  ASSERT_EQ(next.history().events_size(), 3);
  EXPECT_EQ(next.history().events(0).event_id(), 4) << "as if from the sticky queue";
  EXPECT_EQ(next.started_event_id(), 6);
  EXPECT_EQ(world.history().events_size(), 4);
  EXPECT_TRUE(respond_updates(world, next, {"accept u2", "complete u2"}).ok());
  EXPECT_EQ(news_of(second), "completed \"out\"");
}

TEST(Speculative, UpdateThatCameMeanwhileGetsAnOrdinaryTask) {
  ServiceWorld world;
  begin_idle(world);
  update(world, "u1");
  const WorkflowTask task = world.poll();
  update(world, "u2");
  EXPECT_EQ(respond_updates(world, task, {"reject u1"}).reply.reset_history_event_id(), 3);
  EXPECT_EQ(world.transcript("W", "", 5), "[5 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(messages_of(world.poll()), "u2/request");
}

TEST(Speculative, RefusedCompletionGivesAnotherTaskOnTheNormalQueue) {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(
      world.call(&WorkflowService::RespondWorkflowTaskCompleted, with_sticky(world.completion(world.poll(), {}))).ok());
  auto polled = world.poll_later("SQ", "W");
  const auto answer = update(world, "u1");
  ASSERT_TRUE(polled->ok());
  const WorkflowTask task = polled->reply;
  ASSERT_EQ(task.history().events_size(), 3) << "4, 5 and 6: what the worker has not seen";
  EXPECT_EQ(task.history().events(1).workflow_task_scheduled_event_attributes().task_queue().name(), "SQ");
  EXPECT_EQ(world.complete(task, {complete_workflow(), start_timer("1", 1)}).status.code, errors::kInvalidArgument);
  EXPECT_EQ(respond_updates(world, task, {"accept u1"}).status.message, "Workflow task not found.");
  const WorkflowTask next = world.poll();
  EXPECT_EQ(next.history().events_size(), 6) << "C24: it carries everything";
  EXPECT_EQ(messages_of(next), "u1/request");
  EXPECT_EQ(news_of(answer), "waits");
  EXPECT_EQ(world.history().events_size(), 4);
}

TEST(Speculative, StickyTaskNobodyPollsGoesToTheNormalQueue) {
  ServiceWorld world;
  world.start();
  auto polled = world.poll_later("SQ", "W");
  EXPECT_TRUE(
      world.call(&WorkflowService::RespondWorkflowTaskCompleted, with_sticky(world.completion(world.poll(), {}))).ok());
  world.signal("s");
  ASSERT_TRUE(polled->ok());
  EXPECT_TRUE(
      world.call(&WorkflowService::RespondWorkflowTaskCompleted, with_sticky(world.completion(polled->reply, {})))
          .ok());
  update(world, "u1");  // the sticky poller was there a moment ago
  world.advance(seconds{10});
  EXPECT_EQ(world.transcript("W", "", 9),
            "[9 WorkflowTaskScheduled queue=SQ(STICKY of W) attempt=1\n"
            " 10 WorkflowTaskTimedOut scheduled=9 timeout_type=SCHEDULE_TO_START\n"
            " 11 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(messages_of(world.poll()), "u1/request");
}

TEST(Speculative, EndsTheFirstBackoff) {
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_start_delay() = testing_world::seconds(60);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  const auto answer = update(world, "u1");
  EXPECT_EQ(world.history().events_size(), 1);
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.history().events_size(), 3);
  EXPECT_EQ(task.messages(0).event_id(), 2);
  EXPECT_TRUE(respond_updates(world, task, {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(answer), "completed \"out\"");
  world.advance(seconds{61});
  EXPECT_EQ(world.history().events_size(), 6) << "and there is no second first task";
}

TEST(Speculative, BackoffThatEndsUnderItMakesItTheFirstTask) {
  ServiceWorld world;
  auto request = world.start_request();
  *request.mutable_workflow_start_delay() = testing_world::seconds(2);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  update(world, "u1");
  const WorkflowTask task = world.poll();
  world.advance(seconds{2});
  EXPECT_EQ(respond_updates(world, task, {"reject u1"}).reply.reset_history_event_id(), 0);
  EXPECT_EQ(world.history().events_size(), 4);
}

TEST(Speculative, QueryRidesOnIt) {
  ServiceWorld world;
  begin_idle(world);
  update(world, "u1");
  api::QueryWorkflowRequest query;
  query.set_namespace_("default");
  query.mutable_execution()->set_workflow_id("W");
  query.mutable_query()->set_query_type("q");
  const auto answer = world.send(&WorkflowService::QueryWorkflow, query);
  const WorkflowTask task = world.poll();
  ASSERT_EQ(task.queries_size(), 1);
  auto request = update_completion(world, task, {"reject u1"});
  auto& result = (*request.mutable_query_results())[task.queries().begin()->first];
  result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  EXPECT_EQ(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).reply.reset_history_event_id(), 3);
  EXPECT_TRUE(answer->ok());
}

TEST(Speculative, TerminateBeforeItStarts) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  world.terminate("rsn");
  EXPECT_EQ(world.transcript("W", "", 5), "[5 WorkflowExecutionTerminated reason=rsn\n");
  EXPECT_EQ(news_of(answer), "5: workflow update was aborted by closing workflow");
}

TEST(Speculative, TerminateAfterItStarted) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  world.poll();
  world.terminate("rsn");
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskFailed scheduled=5 started=6 cause=FORCE_CLOSE_COMMAND identity=history-service\n"
            " 8 WorkflowExecutionTerminated reason=rsn\n");
  EXPECT_EQ(news_of(answer), "5: workflow update was aborted by closing workflow");
  EXPECT_EQ(answer->status.detail_type, "temporal.api.errordetails.v1.NotFoundFailure");
}

// Durable facts.

TEST(UpdateRecovery, AcceptedUpdateIsCompletedAfterARestart) {
  ServiceWorld world;
  begin_idle(world);
  const auto lost = update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1"}).ok());
  world.restart();
  const auto again = update(world, "u1");  // the client tries again, and is not a second update
  const auto polled = poll_update(world, "u1", kCompleted);
  EXPECT_EQ(news_of(update(world, "u1", kAccepted)), "accepted");
  world.signal("s");
  const WorkflowTask task = world.poll();
  EXPECT_EQ(messages_of(task), "");
  EXPECT_TRUE(respond_updates(world, task, {"complete u1"}).ok());
  EXPECT_EQ(news_of(again), "completed \"out\"");
  EXPECT_EQ(news_of(polled), "completed \"out\"");
  const History history = world.history();
  const auto& done = history.events(history.events_size() - 1);
  EXPECT_EQ(done.workflow_execution_update_completed_event_attributes().accepted_event_id(), 8);
  world.restart();
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
}

TEST(UpdateRecovery, SnapshotsCarryUpdates) {
  ServiceWorld world;
  begin_idle(world);
  update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1"}).ok());
  update(world, "u2");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u2", "complete u2"}).ok());
  for (int i = 0; i < 40; ++i) world.signal("s" + std::to_string(i));
  ASSERT_FALSE(world.journal->durable().snapshots.empty());
  const auto pending = update(world, "u3");  // a speculative task is on its way when the snapshot is read back
  world.restart();
  EXPECT_EQ(news_of(poll_update(world, "u1")), "accepted");
  EXPECT_EQ(news_of(poll_update(world, "u2")), "completed \"out\"");
  EXPECT_EQ(news_of(poll_update(world, "u3")), "5: update \"u3\" not found");
}

TEST(UpdateRecovery, AdmittedUpdateIsForgotten) {
  ServiceWorld world;
  begin_idle(world);
  const auto lost = update(world, "u1");
  const WorkflowTask task = world.poll();
  world.restart();
  EXPECT_FALSE(lost->done);
  EXPECT_EQ(world.history().events_size(), 4);
  EXPECT_FALSE(world.describe().has_pending_workflow_task());
  EXPECT_EQ(news_of(poll_update(world, "u1")), "5: update \"u1\" not found");
  EXPECT_EQ(respond_updates(world, task, {"accept u1"}).status.message, "Workflow task not found.");
  const auto again = update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(again), "completed \"out\"");
}

/// The task outlived the restart, the update did not: the worker's acceptance brings the request along.
TEST(UpdateRecovery, AcceptanceThatCarriesItsRequestBringsAnUpdateBack) {
  ServiceWorld world;
  begin_idle(world);
  world.signal("s");
  update(world, "u1");
  const WorkflowTask task = world.poll();
  world.restart();
  temporal::api::update::v1::Acceptance acceptance;
  *acceptance.mutable_accepted_request() = update_request("u1").request();
  auto request = update_completion(world, task, {"accept u1", "complete u1"});
  request.mutable_messages(0)->mutable_body()->PackFrom(acceptance);
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
  EXPECT_EQ(
      world.history().events(8).workflow_execution_update_accepted_event_attributes().accepted_request().input().name(),
      "upd");
}

TEST(UpdateRecovery, WaitersAreToldOfAFailedWrite) {
  ServiceWorld world;
  begin_idle(world);
  world.journal->full = true;
  const auto answer = update(world, "u1");
  EXPECT_EQ(news_of(answer), "waits") << "an update writes nothing";
  world.signal("s");
  ASSERT_TRUE(answer->done);
  EXPECT_EQ(answer->status.code, errors::kUnavailable);
  world.journal->full = false;
  world.advance(seconds{5});
  const auto again = update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(again), "completed \"out\"");
}

}  // namespace
}  // namespace callimport::engine::testing_world
