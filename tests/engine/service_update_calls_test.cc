// The calls around updates: stages, waiting, limits, errors, closing runs (conformance C.8), bad messages (C20, C23),
// and update-with-start (C.9).
#include <gtest/gtest.h>

#include "engine/service/port_errors.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "tests/engine/update_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(UpdateStages, AcceptedThenCompleted) {
  ServiceWorld world;
  begin_idle(world);
  const auto accepted = update(world, "u1", kAccepted);
  const auto completed = update(world, "u1");  // the same update, another wait
  EXPECT_EQ(news_of(poll_update(world, "u1")), "admitted") << "no wait policy: as it is";
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1"}).ok());
  EXPECT_EQ(news_of(accepted), "accepted");
  EXPECT_EQ(news_of(completed), "waits");
  EXPECT_EQ(news_of(poll_update(world, "u1")), "accepted");
  EXPECT_EQ(news_of(poll_update(world, "u1", kAccepted)), "accepted");
  const auto polled = poll_update(world, "u1", kCompleted);
  EXPECT_EQ(news_of(polled), "waits");
  world.signal("s");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"complete u1"}).ok());
  EXPECT_EQ(news_of(completed), "completed \"out\"");
  EXPECT_EQ(news_of(polled), "completed \"out\"");
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
  EXPECT_EQ(news_of(update(world, "u1", kAccepted)), "completed \"out\"");
  EXPECT_FALSE(world.describe().has_pending_workflow_task()) << "a known update makes no task";
}

TEST(UpdateStages, WaitingForAcceptedTellsOfCompletedInTheSameTask) {
  ServiceWorld world;
  begin_idle(world);
  const auto accepted = update(world, "u1", kAccepted);
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(accepted), "completed \"out\"");
}

TEST(UpdateStages, TheServicesPatienceIsTwentySeconds) {
  ServiceWorld world;
  begin_idle(world);
  const auto waiting = update(world, "u1");
  world.advance(milliseconds{19'999});
  EXPECT_EQ(news_of(waiting), "waits");
  world.advance(milliseconds{1});
  EXPECT_EQ(news_of(waiting), "admitted");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1"}).ok());
  const auto polled = poll_update(world, "u1", kCompleted);
  world.advance(seconds{20});
  EXPECT_EQ(news_of(polled), "accepted");
}

TEST(UpdateStages, TheCallersPatienceMayBeShorter) {
  ServiceWorld world;
  begin_idle(world);
  const auto waiting =
      world.send(&WorkflowService::UpdateWorkflowExecution, update_request("u1"), world.within(seconds{3}));
  world.advance(seconds{3});
  ASSERT_TRUE(waiting->done);
  EXPECT_EQ(waiting->status.code, errors::kDeadlineExceeded);
  EXPECT_EQ(messages_of(world.poll()), "u1/request") << "the update goes on without its caller";
}

TEST(UpdateStages, CancelledCallIsForgotten) {
  ServiceWorld world;
  begin_idle(world);
  const auto waiting =
      world.send(&WorkflowService::UpdateWorkflowExecution, update_request("u1"), world.within(seconds{30}, 77));
  world.service().cancel(77);
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  world.advance(seconds{40});
  EXPECT_FALSE(waiting->done);
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
}

TEST(UpdateStages, OrderOfAdmissionIsTheOrderOfMessages) {
  ServiceWorld world;
  begin_idle(world);
  for (const char* id : {"u3", "u1", "u2"}) update(world, id);
  EXPECT_EQ(messages_of(world.poll()), "u3/request u1/request u2/request");
}

TEST(UpdateStages, SignalsComeBeforeUpdatesOfTheirTask) {
  ServiceWorld world;
  begin_idle(world);
  const WorkflowTask first = [&world] {
    world.signal("s1");
    return world.poll();
  }();
  world.signal("s2");  // buffered
  update(world, "u1");
  EXPECT_TRUE(world.complete(first, {start_timer("1", 60)}).ok());
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.messages(0).event_id(), task.started_event_id() - 1);
  const auto& events = task.history().events();
  const auto signal = std::find_if(events.begin(), events.end(), [](const auto& event) {
    return event.workflow_execution_signaled_event_attributes().signal_name() == "s2";
  });
  ASSERT_NE(signal, events.end());
  EXPECT_LT(signal->event_id(), task.messages(0).event_id());
}

TEST(UpdateStages, CompletedOnesAreReadBackFromEvictedHistories) {
  EmbeddedOptions options;
  options.history_cache_bytes_max = 0;
  ServiceWorld world(options);
  begin_idle(world);
  update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
}

// C23.

TEST(UpdateReplies, WhatTheWorkerIgnoresIsRejected) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  const auto done = world.complete(world.poll());
  EXPECT_EQ(done.reply.reset_history_event_id(), 3);
  EXPECT_EQ(news_of(answer),
            "completed, failure: Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow "
            "Update is not supported by the worker.");
  const auto& failure = answer->reply.outcome().failure();
  EXPECT_EQ(failure.source(), "Server");
  EXPECT_EQ(failure.application_failure_info().type(), "UnprocessedUpdate");
  EXPECT_TRUE(failure.application_failure_info().non_retryable());
}

TEST(UpdateReplies, HeartbeatKeepsThem) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  auto request = world.completion(world.poll(), {});
  request.set_force_create_new_workflow_task(true);
  request.set_return_new_workflow_task(true);
  const auto beat = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(messages_of(beat.reply.workflow_task()), "") << "the worker has it";
  EXPECT_EQ(beat.reply.workflow_task().started_event_id(), 9) << "a heartbeat is written";
  EXPECT_TRUE(respond_updates(world, beat.reply.workflow_task(), {"accept u1", "complete u1"}).ok());
  EXPECT_EQ(news_of(answer), "completed \"out\"");
}

TEST(UpdateReplies, MessagesWithoutCommandsComeAfterTheCommands) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "u1");
  const WorkflowTask task = world.poll();
  auto request = world.completion(task, {start_timer("1", 60)});
  *request.add_messages() = accept("u1");
  *request.add_messages() = respond("u1");
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  EXPECT_EQ(news_of(answer), "completed \"out\"");
  EXPECT_EQ(world.history().events(7).event_type(), enums::EVENT_TYPE_TIMER_STARTED);
  EXPECT_EQ(world.history().events(8).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
}

TEST(UpdateReplies, SeveralOnOneTask) {
  ServiceWorld world;
  begin_idle(world);
  const auto a = update(world, "a"), b = update(world, "b"), c = update(world, "c");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept a", "reject b", "accept c", "complete c"}).ok());
  EXPECT_EQ(news_of(a), "waits");
  EXPECT_EQ(news_of(b), "completed, failure: no");
  EXPECT_EQ(news_of(c), "completed \"out\"");
}

struct BadMessage {
  const char* name;
  std::vector<std::string> before;  ///< words of an earlier task about u1
  std::function<void(api::RespondWorkflowTaskCompletedRequest&)> edit;
  const char* text;
  bool fails_task = true;
};
void PrintTo(const BadMessage& row, std::ostream* out) { *out << row.name; }
class BadUpdateMessage : public testing::TestWithParam<BadMessage> {};

TEST_P(BadUpdateMessage, FailsTheTask) {
  ServiceWorld world;
  begin_idle(world);
  if (!GetParam().before.empty()) {
    update(world, "u1");
    EXPECT_TRUE(respond_updates(world, world.poll(), GetParam().before).ok());
  }
  const auto sent = update(world, GetParam().before.empty() ? "u1" : "other");
  auto request = world.completion(world.poll(), {});
  GetParam().edit(request);
  const auto late = update(world, "late");
  const int before = world.history().events_size();
  const auto done = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(done.status.code, errors::kInvalidArgument);
  EXPECT_EQ(done.status.message, GetParam().text);
  EXPECT_EQ(done.status.detail_type, "");
  if (!GetParam().fails_task) {
    EXPECT_EQ(world.history().events_size(), before);
    EXPECT_EQ(news_of(sent), "waits");
    return;
  }
  const History history = world.history();
  const auto& failed = history.events(history.events_size() - 1).workflow_task_failed_event_attributes();
  EXPECT_EQ(failed.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE);
  EXPECT_EQ(failed.failure().message(), GetParam().text);
  EXPECT_EQ(news_of(sent), "9: Unable to perform workflow execution update due to unexpected workflow task failure.");
  EXPECT_EQ(sent->status.detail_type, "temporal.api.errordetails.v1.WorkflowNotReadyFailure");
  EXPECT_EQ(news_of(late), "waits");
  EXPECT_EQ(messages_of(world.poll()), "late/request");
}

using Edited = api::RespondWorkflowTaskCompletedRequest;
void add(Edited& request, const ProtocolMessage& message) {
  *request.add_commands() = protocol_message(message.id());
  *request.add_messages() = message;
}
ProtocolMessage about(const google::protobuf::Message& body) {
  ProtocolMessage out;
  out.set_id("m");
  out.set_protocol_instance_id("u1");
  out.mutable_body()->PackFrom(body);
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    C20, BadUpdateMessage,
    testing::Values(
        BadMessage{"AbsentMessage",
                   {},
                   [](Edited& request) { *request.add_commands() = protocol_message("zz"); },
                   "BadUpdateWorkflowExecutionMessage: ProtocolMessageCommand referenced absent message ID zz"},
        BadMessage{"NoMessageId",
                   {},
                   [](Edited& request) { *request.add_commands() = protocol_message(""); },
                   "BadUpdateWorkflowExecutionMessage: MessageID is not set on ProtocolMessageCommand."},
        BadMessage{"ResponseWithoutAcceptance",
                   {},
                   [](Edited& request) { add(request, respond("u1")); },
                   "BadUpdateWorkflowExecutionMessage: invalid state transition attempted for Update u1: received "
                   "*update.Response message while in state Sent"},
        BadMessage{"AcceptedTwice",
                   {},
                   [](Edited& request) {
                     add(request, accept("u1"));
                     ProtocolMessage second = accept("u1");
                     second.set_id("second");
                     add(request, second);
                   },
                   "BadUpdateWorkflowExecutionMessage: invalid state transition attempted for Update u1: received "
                   "*update.Acceptance message while in state ProvisionallyAccepted"},
        BadMessage{"AcceptedAfterItsCompletion",
                   {"accept u1", "complete u1"},
                   [](Edited& request) { add(request, accept("u1")); },
                   "BadUpdateWorkflowExecutionMessage: invalid state transition attempted for Update u1: received "
                   "*update.Acceptance message while in state Completed"},
        BadMessage{"RejectedAfterItsAcceptance",
                   {"accept u1"},
                   [](Edited& request) { *request.add_messages() = reject("u1"); },
                   "BadUpdateWorkflowExecutionMessage: invalid state transition attempted for Update u1: received "
                   "*update.Rejection message while in state Accepted"},
        BadMessage{"UnknownUpdate",
                   {},
                   [](Edited& request) { add(request, accept("nope")); },
                   "BadUpdateWorkflowExecutionMessage: update nope wasn't found on the server. This is most likely a "
                   "transient error which will be resolved automatically by retries"},
        BadMessage{"OtherMessageOfTheProtocol",
                   {},
                   [](Edited& request) { add(request, about(temporal::api::update::v1::Meta())); },
                   "BadUpdateWorkflowExecutionMessage: Message type *update.Meta not supported"},
        BadMessage{"OtherProtocol",
                   {},
                   [](Edited& request) { add(request, about(Payloads())); },
                   "BadUpdateWorkflowExecutionMessage: unsupported protocol type temporal.api.common.v1"},
        BadMessage{"ResponseOfAnother",
                   {},
                   [](Edited& request) {
                     add(request, accept("u1"));
                     temporal::api::update::v1::Response response;
                     response.mutable_meta()->set_update_id("x");
                     add(request, about(response));
                   },
                   "BadUpdateWorkflowExecutionMessage: invalid *update.Response: meta.update_id != u1"},
        BadMessage{"NoBody",
                   {},
                   [](Edited& request) { request.add_messages()->set_protocol_instance_id("u1"); },
                   "nil message body",
                   false}),
    [](const auto& test) { return test.param.name; });

// Requests.

struct BadRequest {
  const char* name;
  std::function<void(api::UpdateWorkflowExecutionRequest&)> edit;
  const char* news;
  const char* detail;
};
void PrintTo(const BadRequest& row, std::ostream* out) { *out << row.name; }
class BadUpdateRequest : public testing::TestWithParam<BadRequest> {};

TEST_P(BadUpdateRequest, IsRefused) {
  ServiceWorld world;
  begin_idle(world);
  auto request = update_request("u1");
  GetParam().edit(request);
  const auto answer = world.send(&WorkflowService::UpdateWorkflowExecution, request);
  EXPECT_EQ(news_of(answer), GetParam().news);
  EXPECT_EQ(answer->status.detail_type, GetParam().detail);
  EXPECT_FALSE(world.describe().has_pending_workflow_task());
}
using UpdateRequestMessage = api::UpdateWorkflowExecutionRequest;
INSTANTIATE_TEST_SUITE_P(
    C8, BadUpdateRequest,
    testing::Values(
        BadRequest{"NoMeta", [](UpdateRequestMessage& r) { r.mutable_request()->clear_meta(); },
                   "3: Update meta is not set on request.", ""},
        BadRequest{"NoInput", [](UpdateRequestMessage& r) { r.mutable_request()->clear_input(); },
                   "3: Update input is not set on request.", ""},
        BadRequest{"NoName", [](UpdateRequestMessage& r) { r.mutable_request()->mutable_input()->clear_name(); },
                   "3: Update name is not set on request.", ""},
        BadRequest{
            "LongId",
            [](UpdateRequestMessage& r) { r.mutable_request()->mutable_meta()->set_update_id(std::string(1001, 'x')); },
            "3: UpdateId length exceeds limit.", ""},
        BadRequest{"WaitForAdmitted",
                   [](UpdateRequestMessage& r) { r.mutable_wait_policy()->set_lifecycle_stage(kAdmitted); },
                   "7: UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.",
                   "temporal.api.errordetails.v1.PermissionDeniedFailure"},
        BadRequest{"NoWorkflowId", [](UpdateRequestMessage& r) { r.mutable_workflow_execution()->clear_workflow_id(); },
                   "3: WorkflowId is not set on request.", ""},
        BadRequest{"UnknownWorkflow",
                   [](UpdateRequestMessage& r) { r.mutable_workflow_execution()->set_workflow_id("nope"); },
                   "5: workflow not found for ID: nope", "temporal.api.errordetails.v1.NotFoundFailure"},
        BadRequest{"OtherChain", [](UpdateRequestMessage& r) { r.set_first_execution_run_id("x"); },
                   "5: workflow execution not found", "temporal.api.errordetails.v1.NotFoundFailure"}),
    [](const auto& test) { return test.param.name; });

TEST(UpdateCalls, AnEmptyIdIsMadeUp) {
  ServiceWorld world;
  begin_idle(world);
  const auto answer = update(world, "");
  const WorkflowTask task = world.poll();
  const std::string id = task.messages(0).protocol_instance_id();
  EXPECT_EQ(id.size(), 36u);
  EXPECT_TRUE(respond_updates(world, task, {"accept " + id, "complete " + id}).ok());
  EXPECT_EQ(answer->reply.update_ref().update_id(), id);
}

TEST(UpdateCalls, InFlightLimit) {
  EmbeddedOptions options;
  options.updates_in_flight_max = 3;
  ServiceWorld world(options);
  begin_idle(world);
  update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1"}).ok());  // accepted is in flight
  update(world, "u2");
  update(world, "u3");
  const auto fourth = update(world, "u4");
  EXPECT_EQ(news_of(fourth), "8: limit on number of concurrent in-flight updates has been reached (3)");
  temporal::api::errordetails::v1::ResourceExhaustedFailure detail;
  ASSERT_TRUE(detail.ParseFromString(fourth->status.detail_bytes));
  EXPECT_EQ(detail.cause(), enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
  EXPECT_EQ(detail.scope(), enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
  EXPECT_EQ(news_of(update(world, "u3")), "waits") << "a known one is no new one";
  EXPECT_TRUE(respond_updates(world, world.poll(), {"reject u2", "reject u3"}).ok());
  EXPECT_EQ(news_of(update(world, "u4")), "waits");
}

TEST(UpdateCalls, TotalLimitAndTheSuggestionBeforeIt) {
  EmbeddedOptions options;
  options.updates_max = 10;
  ServiceWorld world(options);
  begin_idle(world);
  for (int i = 1; i <= 10; ++i) {
    const std::string id = "u" + std::to_string(i);
    update(world, id);
    const WorkflowTask task = world.poll();
    const auto& started = task.history().events(task.history().events_size() - 1);
    EXPECT_EQ(started.workflow_task_started_event_attributes().suggest_continue_as_new(), i >= 9) << "C11: " << i;
    EXPECT_TRUE(respond_updates(world, task, {"accept " + id, "complete " + id}).ok());
  }
  const auto beyond = update(world, "u11");
  EXPECT_EQ(beyond->status.code, errors::kFailedPrecondition);
  EXPECT_EQ(beyond->status.detail_type, "");
  EXPECT_EQ(beyond->status.message.substr(0, 94),
            "The limit on the total number of distinct updates in this workflow has been reached (10). Make");
  EXPECT_EQ(news_of(update(world, "u10")), "completed \"out\"");
}

TEST(UpdateCalls, NotWhileTheTaskKeepsFailing) {
  ServiceWorld world;
  begin_idle(world);
  world.signal("s");
  for (int i = 0; i < 2; ++i) {
    api::RespondWorkflowTaskFailedRequest failed;
    failed.set_namespace_("default");
    failed.set_task_token(world.poll().task_token());
    EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, failed).ok());
  }
  const auto answer = update(world, "u1");
  EXPECT_EQ(news_of(answer), "9: Unable to perform workflow execution update due to Workflow Task in failed state.");
  EXPECT_EQ(answer->status.detail_type, "temporal.api.errordetails.v1.WorkflowNotReadyFailure");
}

// Closing runs.

TEST(UpdateClosing, AcceptedButNotCompleted) {
  ServiceWorld world;
  begin_idle(world);
  const auto waiting = update(world, "u1");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1"}).ok());
  world.terminate("r");
  const std::string failed =
      "completed, failure: Workflow Update failed because the Workflow completed before the Update completed.";
  EXPECT_EQ(news_of(waiting), failed);
  EXPECT_EQ(waiting->reply.outcome().failure().application_failure_info().type(), "AcceptedUpdateCompletedWorkflow");
  EXPECT_EQ(news_of(poll_update(world, "u1")), failed);
  EXPECT_EQ(news_of(update(world, "u1", kAccepted)), failed);
  world.restart();
  EXPECT_EQ(news_of(poll_update(world, "u1", kCompleted)), failed);
}

TEST(UpdateClosing, CompletedOnesKeepTheirOutcome) {
  ServiceWorld world;
  begin_idle(world);
  update(world, "u1");
  auto request = update_completion(world, world.poll(), {"accept u1", "complete u1"});
  *request.add_commands() = complete_workflow();
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
  EXPECT_EQ(news_of(update(world, "u1")), "completed \"out\"");
  EXPECT_EQ(news_of(update(world, "u2")), "5: workflow execution already completed");
  EXPECT_EQ(news_of(poll_update(world, "u2")), "5: update \"u2\" not found");
  world.restart();
  EXPECT_EQ(news_of(poll_update(world, "u1")), "completed \"out\"");
}

TEST(UpdateClosing, WaitingToBeDeliveredDoesNotBlock) {
  ServiceWorld world;
  begin_idle(world);
  world.signal("s");
  const WorkflowTask task = world.poll();
  const auto waiting = update(world, "u1");
  EXPECT_TRUE(world.complete(task, {complete_workflow()}).ok()) << "C19";
  EXPECT_EQ(news_of(waiting), "5: workflow update was aborted by closing workflow");
}

TEST(UpdateClosing, RejectedByTheTaskThatCloses) {
  ServiceWorld world;
  begin_idle(world);
  const auto rejected = update(world, "u1"), ignored = update(world, "u2");
  auto request = update_completion(world, world.poll(), {"reject u1"});
  *request.add_commands() = complete_workflow();
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  EXPECT_EQ(news_of(rejected), "completed, failure: no");
  EXPECT_EQ(news_of(ignored), "5: workflow update was aborted by closing workflow");
}

TEST(UpdateClosing, ContinuedRunIsToBeAskedAgain) {
  ServiceWorld world;
  begin_idle(world);
  world.signal("s");
  const WorkflowTask task = world.poll();
  const auto waiting = update(world, "u1");
  EXPECT_TRUE(world.complete(task, {continue_as_new("1")}).ok());
  EXPECT_EQ(news_of(waiting), "8: workflow operation can not be applied because workflow is closing");
  temporal::api::errordetails::v1::ResourceExhaustedFailure detail;
  ASSERT_TRUE(detail.ParseFromString(waiting->status.detail_bytes));
  EXPECT_EQ(detail.cause(), enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
  EXPECT_EQ(news_of(update(world, "u1")), "waits") << "the new run takes it";
}

TEST(UpdateClosing, UnhandledCommandIsHardOnUpdatesTheWorkerHas) {
  ServiceWorld world;
  begin_idle(world);
  const auto sent = update(world, "u1");
  const WorkflowTask task = world.poll();
  world.signal("s");
  auto request = update_completion(world, task, {"accept u1"});
  *request.add_commands() = complete_workflow();
  const auto done = world.call(&WorkflowService::RespondWorkflowTaskCompleted, request);
  EXPECT_EQ(done.status.message, "UnhandledCommand");
  EXPECT_EQ(news_of(sent), "9: Unable to perform workflow execution update due to unexpected workflow task failure.");
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowTaskScheduled attempt=1\n"
            " 6 WorkflowTaskStarted scheduled=5\n"
            "[7 WorkflowTaskFailed scheduled=5 started=6 cause=UNHANDLED_COMMAND failure={message=UnhandledCommand "
            "server_failure_info={}}\n"
            " 8 WorkflowExecutionSignaled signal_name=s\n"
            " 9 WorkflowTaskScheduled attempt=1\n");
  EXPECT_EQ(messages_of(world.poll()), "");
  EXPECT_EQ(news_of(update(world, "u2")), "8: workflow operation can not be applied because workflow is closing")
      << "C13";
}

}  // namespace
}  // namespace callimport::engine::testing_world
