// History reads, queries, lists and describes over the port (conformance C.7, C.10, C.13).
#include <gtest/gtest.h>

#include <limits>

#include "engine/nesting.h"
#include "engine/service/transition.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

namespace pb = ::callimport::engine::v1;
using std::chrono::milliseconds;

api::GetWorkflowExecutionHistoryRequest read_request(const std::string& run_id = "") {
  api::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("W");
  request.mutable_execution()->set_run_id(run_id);
  return request;
}

TEST(HistoryRead, PagesCountBatches) {  // C31
  ServiceWorld world;
  const std::string run = world.start();
  (void)world.complete(world.poll(), {start_timer("1", 60)});
  auto request = read_request();
  request.set_maximum_page_size(2);
  const auto first = world.call(&WorkflowService::GetWorkflowExecutionHistory, request).reply;
  EXPECT_EQ(first.history().events_size(), 3) << "two batches: 1 and 2, 3";
  EXPECT_FALSE(first.archived());
  request.set_next_page_token(first.next_page_token());
  const auto second = world.call(&WorkflowService::GetWorkflowExecutionHistory, request).reply;
  EXPECT_EQ(second.history().events_size(), 2);
  EXPECT_TRUE(second.next_page_token().empty());
  for (const int size : {0, -1, 100'000}) {
    request = read_request();
    request.set_maximum_page_size(size);
    EXPECT_EQ(world.call(&WorkflowService::GetWorkflowExecutionHistory, request).reply.history().events_size(), 5);
  }
  request = read_request("00000000-0000-4000-8000-000000000000");
  request.set_next_page_token(first.next_page_token());
  EXPECT_EQ(world.call(&WorkflowService::GetWorkflowExecutionHistory, request).status.message,
            "RunId in the request does not match the NextPageToken.");
  request.set_next_page_token("junk");
  EXPECT_EQ(world.call(&WorkflowService::GetWorkflowExecutionHistory, request).status.message,
            "Invalid NextPageToken.");
  request = read_request();
  request.mutable_execution()->set_workflow_id("other");
  request.set_next_page_token(first.next_page_token());
  EXPECT_EQ(world.call(&WorkflowService::GetWorkflowExecutionHistory, request).reply.history().events_size(), 2)
      << "the token's run wins";
}

TEST(HistoryRead, LongPollWaitsForNews) {  // C32
  ServiceWorld world;
  world.start();
  auto request = read_request();
  request.set_wait_new_event(true);
  auto answer = world.call(&WorkflowService::GetWorkflowExecutionHistory, request);
  EXPECT_EQ(answer.reply.history().events_size(), 2);
  ASSERT_FALSE(answer.reply.next_page_token().empty());
  request.set_next_page_token(answer.reply.next_page_token());
  auto waiting =
      world.send(&WorkflowService::GetWorkflowExecutionHistory, request, world.within(std::chrono::seconds{60}));
  EXPECT_FALSE(waiting->done);
  world.advance(milliseconds{19'999});
  EXPECT_FALSE(waiting->done);
  world.advance(milliseconds{1});
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.history().events_size(), 0);
  EXPECT_FALSE(waiting->reply.next_page_token().empty());
  waiting = world.send(&WorkflowService::GetWorkflowExecutionHistory, request, world.within(std::chrono::seconds{60}));
  EXPECT_TRUE(world.signal("s").ok());
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.history().events(0).event_id(), 3);
  request.set_next_page_token(waiting->reply.next_page_token());
  waiting = world.send(&WorkflowService::GetWorkflowExecutionHistory, request);
  EXPECT_TRUE(world.terminate("x").ok());
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.history().events_size(), 1);
  EXPECT_TRUE(waiting->reply.next_page_token().empty()) << "closed: events and no token";
}

TEST(HistoryRead, CloseEvent) {  // C33, A10
  ServiceWorld world;
  const std::string first = world.start();
  auto request = read_request();
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  auto impatient =
      world.send(&WorkflowService::GetWorkflowExecutionHistory, request, world.within(std::chrono::seconds{10}));
  world.advance(milliseconds{8'999});
  EXPECT_FALSE(impatient->done);
  world.advance(milliseconds{1});
  ASSERT_TRUE(impatient->ok());
  EXPECT_TRUE(impatient->reply.next_page_token().empty()) << "without wait there is nothing to come back for";
  request.set_wait_new_event(true);
  auto waiting = world.send(&WorkflowService::GetWorkflowExecutionHistory, request);
  world.advance(std::chrono::seconds{20});
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.history().events_size(), 0);
  ASSERT_FALSE(waiting->reply.next_page_token().empty()) << "A10: an open one always carries a token";
  request.set_next_page_token(waiting->reply.next_page_token());
  waiting = world.send(&WorkflowService::GetWorkflowExecutionHistory, request);
  (void)world.complete(world.poll(), {continue_as_new("1")});
  ASSERT_TRUE(waiting->ok());
  ASSERT_EQ(waiting->reply.history().events_size(), 1);
  EXPECT_EQ(waiting->reply.history().events(0).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
  EXPECT_TRUE(waiting->reply.next_page_token().empty());
  request = read_request(first);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  const auto closed = world.call(&WorkflowService::GetWorkflowExecutionHistory, request).reply;
  ASSERT_EQ(closed.history().events_size(), 1);
  EXPECT_EQ(closed.history().events(0).event_id(), 5);
}

/// Clients that do not look for the run that follows are told of it in the words they know, waiting or not.
TEST(HistoryRead, CloseEventOfARunThatGoesOnNamesTheNextOne) {
  ServiceWorld world;
  auto start = world.start_request();
  start.mutable_retry_policy()->set_maximum_attempts(2);
  const auto first = world.call(&WorkflowService::StartWorkflowExecution, start).reply.run_id();
  auto request = read_request(first);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  request.set_wait_new_event(true);
  CallContext simple = world.within(std::chrono::seconds{60});
  simple.follows_runs = false;
  const auto waiting = world.send(&WorkflowService::GetWorkflowExecutionHistory, request, simple);
  (void)world.complete(world.poll(), {fail_workflow("once more")});
  ASSERT_TRUE(waiting->ok());
  const auto read = [&](const CallContext& context) {
    return world.call(&WorkflowService::GetWorkflowExecutionHistory, request, context).reply.history().events(0);
  };
  for (const auto& told : {waiting->reply.history().events(0), read(simple)}) {
    EXPECT_EQ(told.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
    EXPECT_EQ(told.event_id(), 5);
    EXPECT_FALSE(told.workflow_execution_continued_as_new_event_attributes().new_execution_run_id().empty());
  }
  EXPECT_EQ(read({}).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
  request = read_request();
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  const auto last = world.send(&WorkflowService::GetWorkflowExecutionHistory, request, simple);
  world.advance(std::chrono::seconds{2});
  (void)world.complete(world.poll(), {fail_workflow("enough")});
  ASSERT_TRUE(last->ok());
  EXPECT_EQ(last->reply.history().events(0).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
}

/// As deep as a request may nest, and the service's own levels around it: written, recovered and read.
TEST(HistoryRead, FailuresAsDeepAsTheyMayBe) {
  ServiceWorld world;
  world.start();
  auto command = schedule_activity("a");
  command.mutable_schedule_activity_task_command_attributes()->mutable_retry_policy()->set_maximum_attempts(2);
  (void)world.complete(world.poll(), {command});
  api::RespondActivityTaskFailedRequest failed;
  failed.set_namespace_("default");
  auto* failure = failed.mutable_failure();
  failure->mutable_application_failure_info();  // the outermost must say whose it is
  for (int depth = 1; depth < kNestingMax; ++depth) failure = failure->mutable_cause();
  failure->set_message("the root");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    failed.set_task_token(world.poll_activity().task_token());
    api::RespondActivityTaskFailedRequest again;
    ASSERT_TRUE(parse_request(failed.SerializeAsString(), &again));
    ASSERT_TRUE(world.call(&WorkflowService::RespondActivityTaskFailed, again).ok());
    world.restart();
    EXPECT_EQ(world.describe().pending_activities_size(), 2 - attempt);
    world.advance(std::chrono::seconds{2});
  }
  const auto told = world.poll().history().events(6).activity_task_failed_event_attributes().failure();
  EXPECT_EQ(told.SerializeAsString(), failed.failure().SerializeAsString());
  failure->mutable_cause();
  EXPECT_FALSE(parse_request(failed.SerializeAsString(), &failed));
}

TEST(HistoryRead, ReverseIsNewestFirst) {  // C35
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {complete_workflow()});
  api::GetWorkflowExecutionHistoryReverseRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("W");
  request.set_maximum_page_size(2);
  const auto first = world.call(&WorkflowService::GetWorkflowExecutionHistoryReverse, request).reply;
  ASSERT_EQ(first.history().events_size(), 3);
  EXPECT_EQ(first.history().events(0).event_id(), 5);
  EXPECT_EQ(first.history().events(2).event_id(), 3);
  request.set_next_page_token(first.next_page_token());
  const auto second = world.call(&WorkflowService::GetWorkflowExecutionHistoryReverse, request).reply;
  ASSERT_EQ(second.history().events_size(), 2);
  EXPECT_EQ(second.history().events(0).event_id(), 2);
  EXPECT_TRUE(second.next_page_token().empty());
}

/// Tokens are only as true as whoever sends them back.
TEST(HistoryRead, TokensOfPlacesThatAreNotThere) {  // C31
  ServiceWorld world;
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(), kMost = -(kLeast + 1);
  for (const bool closed : {false, true}) {
    const std::string id = closed ? "closed" : "open", run = world.start(id);
    if (closed) EXPECT_TRUE(world.terminate("x", id).ok());
    const int events = world.history(id).events_size();
    for (const std::int64_t place :
         {kLeast, std::int64_t{-1}, std::int64_t{events + 1}, std::int64_t{events + 2}, kMost}) {
      pb::HistoryToken token;
      token.set_run_id(run);
      token.set_next_event_id(place);
      api::GetWorkflowExecutionHistoryRequest request;
      request.set_namespace_("default");
      request.mutable_execution()->set_workflow_id(id);
      for (const std::int64_t end : {std::int64_t{0}, kLeast, kMost}) {
        token.set_end_event_id(end);
        request.set_next_page_token(token.SerializeAsString());
        const auto forward = world.call(&WorkflowService::GetWorkflowExecutionHistory, request);
        EXPECT_TRUE(forward.ok()) << forward.status.message;
        EXPECT_EQ(forward.reply.history().events_size(), place < 1 && end != kLeast ? events : 0)
            << place << " " << end;
      }
      token.set_reverse(true);
      api::GetWorkflowExecutionHistoryReverseRequest back;
      back.set_namespace_("default");
      back.mutable_execution()->set_workflow_id(id);
      back.set_next_page_token(token.SerializeAsString());
      const auto reverse = world.call(&WorkflowService::GetWorkflowExecutionHistoryReverse, back);
      EXPECT_TRUE(reverse.ok()) << reverse.status.message;
      EXPECT_EQ(reverse.reply.history().events_size(), place < 1 ? 0 : events) << place;
    }
  }
}

TEST(HistoryRead, TransientEventsEndThePagesOfATask) {  // C34
  ServiceWorld world;
  world.start();
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(world.signal("s").ok());
  api::RespondWorkflowTaskFailedRequest failed;
  failed.set_task_token(world.poll().task_token());
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, failed).ok());
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.attempt(), 2);
  ASSERT_FALSE(task.next_page_token().empty());
  EXPECT_EQ(task.history().events_size(), 257) << "256 batches, the first of two events";
  auto request = read_request();
  request.set_next_page_token(task.next_page_token());
  const auto rest = world.call(&WorkflowService::GetWorkflowExecutionHistory, request).reply;
  const auto& last = rest.history().events(rest.history().events_size() - 1);
  EXPECT_EQ(last.event_type(), enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  EXPECT_EQ(last.event_id(), task.started_event_id());
  EXPECT_EQ(world.history().events_size(), 304) << "a plain read never shows them";
}

// Queries.
api::QueryWorkflowRequest query_request(const std::string& type = "q") {
  api::QueryWorkflowRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("W");
  request.mutable_query()->set_query_type(type);
  return request;
}
Pending<api::QueryWorkflowResponse> ask(ServiceWorld& world, const std::string& type = "q") {
  return world.send(&WorkflowService::QueryWorkflow, query_request(type), world.within(std::chrono::seconds{10}));
}
PortStatus answer_directly(ServiceWorld& world, const WorkflowTask& task, const std::string& json) {
  api::RespondQueryTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(task.task_token());
  request.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  *request.mutable_query_result() = payloads(json);
  return world.call(&WorkflowService::RespondQueryTaskCompleted, request).status;
}

TEST(Query, IdleRunIsAskedDirectly) {  // E17, second half
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {});
  auto asked = ask(world);
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.query().query_type(), "q");
  EXPECT_EQ(task.history().events_size(), 4);
  EXPECT_EQ(task.previous_started_event_id(), 3);
  EXPECT_EQ(task.started_event_id(), 0);
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_TRUE(answer_directly(world, task, "42").ok());
  ASSERT_TRUE(asked->ok());
  EXPECT_EQ(asked->reply.query_result().payloads(0).data(), "42");
  EXPECT_EQ(answer_directly(world, task, "43").message, "query task not found, or already expired");
  EXPECT_EQ(world.history().events_size(), 4) << "nothing of it is history";
}

TEST(Query, AttachedToATask) {  // E17
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {});
  EXPECT_TRUE(world.signal("s").ok());
  auto asked = ask(world, "q1");
  const WorkflowTask task = world.poll();
  EXPECT_FALSE(task.has_query());
  ASSERT_EQ(task.queries().size(), 1u);
  const auto& [key, query] = *task.queries().begin();
  EXPECT_EQ(key.size(), 36u);
  EXPECT_EQ(query.query_type(), "q1");
  auto request = world.completion(task, {});
  auto& result = (*request.mutable_query_results())[key];
  result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  *result.mutable_answer() = payloads("7");
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  ASSERT_TRUE(asked->ok());
  EXPECT_EQ(asked->reply.query_result().payloads(0).data(), "7");
  EXPECT_EQ(world.transcript("W", "", 5),
            "[5 WorkflowExecutionSignaled signal_name=s\n"
            " 6 WorkflowTaskScheduled attempt=1\n"
            "[7 WorkflowTaskStarted scheduled=6\n"
            "[8 WorkflowTaskCompleted scheduled=6 started=7\n");
}

TEST(Query, AFailedOneIsInvalidArgument) {
  ServiceWorld world;
  world.start();
  auto asked = ask(world);  // no completed task yet: attached to the first
  const WorkflowTask task = world.poll();
  ASSERT_EQ(task.queries().size(), 1u);
  auto request = world.completion(task, {});
  auto& result = (*request.mutable_query_results())[task.queries().begin()->first];
  result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
  result.set_error_message("no such query");
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  EXPECT_TRUE(asked->done);
  EXPECT_EQ(asked->status.code, 3);
  EXPECT_EQ(asked->status.message, "no such query");
  EXPECT_EQ(asked->status.detail_type, "temporal.api.errordetails.v1.QueryFailedFailure");
}

TEST(Query, WithoutAResultItIsAskedDirectlyAfterwards) {
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {});
  EXPECT_TRUE(world.signal("s").ok());
  const WorkflowTask task = world.poll();
  auto asked = ask(world);  // arrives while the task is started
  EXPECT_EQ(ask(world)->status.code, 8) << "one buffered query a run";
  EXPECT_TRUE(world.complete(task).ok());
  const WorkflowTask direct = world.poll();
  EXPECT_TRUE(direct.has_query());
  EXPECT_TRUE(answer_directly(world, direct, "1").ok());
  EXPECT_TRUE(asked->ok());
}

TEST(Query, AFailedTaskKeepsItsKey) {
  ServiceWorld world;
  world.start();
  auto asked = ask(world);
  const WorkflowTask task = world.poll();
  api::RespondWorkflowTaskFailedRequest failed;
  failed.set_task_token(task.task_token());
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, failed).ok());
  const WorkflowTask again = world.poll();
  ASSERT_EQ(again.queries().size(), 1u);
  EXPECT_EQ(again.queries().begin()->first, task.queries().begin()->first);
}

TEST(Query, NotReady) {
  ServiceWorld world;
  world.start();
  for (int i = 0; i < 2; ++i) {
    api::RespondWorkflowTaskFailedRequest failed;
    failed.set_task_token(world.poll().task_token());
    EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskFailed, failed).ok());
  }
  auto refused = ask(world);
  EXPECT_EQ(refused->status.code, 9);
  EXPECT_EQ(refused->status.message, "Unable to query workflow due to Workflow Task in failed state.");
  EXPECT_EQ(refused->status.detail_type, "temporal.api.errordetails.v1.WorkflowNotReadyFailure");
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(ask(world)->status.message, "Workflow execution closed before WorkflowTaskStarted event");
  auto delayed = world.start_request("later");
  *delayed.mutable_workflow_start_delay() = seconds(60);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, delayed).ok());
  auto request = query_request();
  request.mutable_execution()->set_workflow_id("later");
  EXPECT_EQ(
      world.send(&WorkflowService::QueryWorkflow, request, world.within(std::chrono::seconds{10}))->status.message,
      "Workflow task is not scheduled yet.");
}

TEST(Query, RejectedAndBad) {
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {fail_workflow("f")});
  auto request = query_request();
  request.set_query_reject_condition(enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY);
  const auto rejected = world.call(&WorkflowService::QueryWorkflow, request);
  EXPECT_EQ(rejected.reply.query_rejected().status(), enums::WORKFLOW_EXECUTION_STATUS_FAILED);
  request.mutable_query()->clear_query_type();
  EXPECT_EQ(world.call(&WorkflowService::QueryWorkflow, request).status.message, "QueryType is not set on request.");
  request.clear_query();
  EXPECT_EQ(world.call(&WorkflowService::QueryWorkflow, request).status.message,
            "WorkflowQuery is not set on request.");
}

TEST(Query, AClosedRunIsAskedDirectlyAlsoAfterARestart) {
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {complete_workflow()});
  world.restart();
  auto asked = ask(world);
  const WorkflowTask task = world.poll();
  EXPECT_EQ(task.history().events_size(), 5);
  EXPECT_TRUE(answer_directly(world, task, "1").ok());
  EXPECT_TRUE(asked->ok());
}

TEST(Query, NoWorkerInTime) {
  ServiceWorld world;
  world.start();
  (void)world.complete(world.poll(), {});
  auto asked = ask(world);
  world.advance(std::chrono::seconds{10});
  EXPECT_EQ(asked->status.code, 4);
  EXPECT_EQ(asked->status.message, "query timed out before a worker could process it");
  EXPECT_FALSE(world.poll_later()->done) << "a query nobody waits for is not handed out";
}

TEST(Query, StickyFirstThenAnybody) {
  ServiceWorld world;
  world.start();
  auto request = world.completion(world.poll(), {});
  request.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("SQ");
  *request.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = seconds(5);
  EXPECT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, request).ok());
  auto sticky = world.poll_later("SQ", "W");
  auto asked = ask(world);
  ASSERT_TRUE(sticky->ok());
  EXPECT_TRUE(sticky->reply.has_history());
  EXPECT_EQ(sticky->reply.history().events_size(), 0) << "the worker has it";
  EXPECT_TRUE(answer_directly(world, sticky->reply, "1").ok());
  EXPECT_TRUE(asked->ok());

  asked = ask(world);  // the worker was seen, but does not come back
  auto normal = world.poll_later("W");
  EXPECT_FALSE(normal->done);
  world.advance(std::chrono::seconds{5});
  ASSERT_TRUE(normal->ok());
  EXPECT_EQ(normal->reply.history().events_size(), 4);
  EXPECT_TRUE(answer_directly(world, normal->reply, "2").ok());
  EXPECT_TRUE(asked->ok());
}

// Describe.
TEST(Describe, WhatTheCliPrints) {  // C.10
  ServiceWorld world;
  auto request = world.start_request();
  request.set_request_id("r1");
  const auto started = world.call(&WorkflowService::StartWorkflowExecution, request).reply;
  auto d = world.describe();
  EXPECT_EQ(d.execution_config().task_queue().name(), "W");
  EXPECT_EQ(d.execution_config().default_workflow_task_timeout().seconds(), 10);
  const auto* info = &d.workflow_execution_info();
  EXPECT_EQ(info->task_queue(), "W");
  EXPECT_EQ(info->history_length(), 2);
  EXPECT_GT(info->history_size_bytes(), 0);
  EXPECT_EQ(info->state_transition_count(), 1);
  EXPECT_EQ(info->first_run_id(), started.run_id());
  EXPECT_EQ(info->root_execution().workflow_id(), "W");
  EXPECT_TRUE(info->has_memo());
  EXPECT_TRUE(info->has_search_attributes());
  EXPECT_TRUE(info->has_auto_reset_points());
  EXPECT_EQ(d.workflow_extended_info().run_expiration_time().seconds(), -62'135'596'800);
  EXPECT_EQ(d.workflow_extended_info().request_id_infos().at("r1").event_id(), 1);
  EXPECT_EQ(d.pending_workflow_task().state(), enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED);
  const WorkflowTask task = world.poll();
  EXPECT_EQ(world.describe().pending_workflow_task().state(), enums::PENDING_WORKFLOW_TASK_STATE_STARTED);
  (void)world.complete(task, {schedule_activity("a")});
  d = world.describe();
  EXPECT_EQ(d.workflow_execution_info().search_attributes().indexed_fields().at("BuildIds").data(),
            "[\"unversioned\"]");
  EXPECT_EQ(d.workflow_execution_info().auto_reset_points().points(0).first_workflow_task_completed_id(), 4);
  ASSERT_EQ(d.pending_activities_size(), 1);
  EXPECT_EQ(d.pending_activities(0).state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  (void)world.fail_activity(world.poll_activity(), "boom");
  d = world.describe();
  EXPECT_EQ(d.pending_activities(0).attempt(), 2);
  EXPECT_EQ(d.pending_activities(0).last_failure().message(), "boom");
  EXPECT_EQ(d.pending_activities(0).last_worker_identity(), "ak");
  EXPECT_TRUE(d.pending_activities(0).has_next_attempt_schedule_time());
  EXPECT_EQ(d.pending_activities(0).current_retry_interval().seconds(), 1);
}

// Lists.
api::ListWorkflowExecutionsResponse list(ServiceWorld& world, const std::string& query, int size = 0,
                                         const std::string& token = "") {
  api::ListWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  request.set_query(query);
  request.set_page_size(size);
  request.set_next_page_token(token);
  const auto answer = world.call(&WorkflowService::ListWorkflowExecutions, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply;
}

TEST(List, OrderAndPages) {
  ServiceWorld world;
  for (int i = 0; i < 6; ++i) {
    world.start("w" + std::to_string(i));
    world.advance(milliseconds{1});
  }
  EXPECT_TRUE(world.terminate("x", "w4").ok());
  world.advance(milliseconds{1});
  EXPECT_TRUE(world.terminate("x", "w1").ok());
  std::string order, token;
  do {
    const auto page = list(world, "", 2, token);
    EXPECT_LE(page.executions_size(), 2);
    for (const auto& row : page.executions()) order += row.execution().workflow_id() + " ";
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(order, "w5 w3 w2 w0 w1 w4 ") << "open first, newest first; then by close time";
  const auto closed = list(world, "ExecutionStatus = 'Terminated'");
  ASSERT_EQ(closed.executions_size(), 2);
  EXPECT_EQ(closed.executions(0).history_length(), 3);
  EXPECT_TRUE(closed.executions(0).has_close_time());
  const auto open = list(world, "WorkflowId = 'w0'");
  EXPECT_EQ(open.executions(0).history_length(), 0) << "figures of closing are there only once closed";
  world.restart();
  EXPECT_EQ(list(world, "").executions_size(), 6);
}

TEST(SearchAttributes, HistoryHasTheTypesThatAClientWroteAndTheNamespacesElsewhere) {  // [live], kitchen sink
  ServiceWorld world;
  const std::string first = world.start();
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& given = *upsert.mutable_upsert_workflow_search_attributes_command_attributes()->mutable_search_attributes();
  auto& written = (*given.mutable_indexed_fields())["CustomKeywordField"];
  written.set_data("\"gold\"");
  (*written.mutable_metadata())["type"] = "INDEXED_VALUE_TYPE_KEYWORD";
  (*given.mutable_indexed_fields())["CustomIntField"].set_data("7");
  Command again = continue_as_new("\"n\"");
  *again.mutable_continue_as_new_workflow_execution_command_attributes()->mutable_search_attributes() = given;
  EXPECT_TRUE(world.complete(world.poll(), {upsert, again}).ok());
  const auto history = world.history("W", first);
  const auto& upserted = history.events(4).upsert_workflow_search_attributes_event_attributes();
  const auto& continued = history.events(5).workflow_execution_continued_as_new_event_attributes();
  const auto next = world.history();
  const auto& started = next.events(0).workflow_execution_started_event_attributes();
  for (const auto* told :
       {&upserted.search_attributes(), &continued.search_attributes(), &started.search_attributes()}) {
    EXPECT_EQ(told->indexed_fields().at("CustomKeywordField").metadata().at("type"), "INDEXED_VALUE_TYPE_KEYWORD");
    EXPECT_EQ(told->indexed_fields().at("CustomIntField").metadata().at("type"), "Int");
  }
}

TEST(List, UpsertedAttributesAndMemo) {
  ServiceWorld world;
  world.start();
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& fields = *upsert.mutable_upsert_workflow_search_attributes_command_attributes()
                      ->mutable_search_attributes()
                      ->mutable_indexed_fields();
  fields["CustomKeywordField"].set_data("\"gold\"");
  fields["CustomIntField"].set_data("7");
  Command modify;
  modify.set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
  (*modify.mutable_modify_workflow_properties_command_attributes()->mutable_upserted_memo()->mutable_fields())["note"]
      .set_data("\"n\"");
  EXPECT_TRUE(world.complete(world.poll(), {upsert, modify}).ok());
  const auto rows = list(world, "CustomKeywordField = 'gold' AND CustomIntField > 6");
  ASSERT_EQ(rows.executions_size(), 1);
  EXPECT_EQ(rows.executions(0).memo().fields().at("note").data(), "\"n\"");
  EXPECT_EQ(rows.executions(0).search_attributes().indexed_fields().at("CustomIntField").metadata().at("type"), "Int");
  EXPECT_TRUE(world.signal("s").ok());
  fields.erase("CustomIntField");
  fields["CustomKeywordField"].set_data("null");
  EXPECT_TRUE(world.complete(world.poll(), {upsert}).ok());
  EXPECT_EQ(list(world, "CustomKeywordField IS NULL AND CustomIntField = 7").executions_size(), 1)
      << "null takes it away";
  world.restart();
  EXPECT_EQ(list(world, "CustomIntField = 7").executions_size(), 1);
}

TEST(Count, GroupsByStatus) {
  ServiceWorld world;
  for (int i = 0; i < 3; ++i) world.start("w" + std::to_string(i));
  EXPECT_TRUE(world.terminate("x", "w1").ok());
  api::CountWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  EXPECT_EQ(world.call(&WorkflowService::CountWorkflowExecutions, request).reply.count(), 3);
  request.set_query("WorkflowType = 'T' GROUP BY ExecutionStatus");
  const auto grouped = world.call(&WorkflowService::CountWorkflowExecutions, request).reply;
  EXPECT_EQ(grouped.count(), 3);
  ASSERT_EQ(grouped.groups_size(), 2);
  EXPECT_EQ(grouped.groups(0).group_values(0).data(), "\"Running\"");
  EXPECT_EQ(grouped.groups(0).count(), 2);
  request.set_query("nonsense");
  EXPECT_EQ(world.call(&WorkflowService::CountWorkflowExecutions, request).status.code, 3);
}

}  // namespace
}  // namespace callimport::engine::testing_world
