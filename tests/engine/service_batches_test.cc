// Batch operations (conformance C.16). Texts, counts and states as recorded on server 1.29.1.
#include <gtest/gtest.h>

#include <functional>

#include "temporal/api/enums/v1/batch_operation.pb.h"
#include "temporal/api/enums/v1/reset.pb.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::milliseconds;
using Request = api::StartBatchOperationRequest;

/// Of every run of type T.
Request batch(const std::string& job) {
  Request request;
  request.set_namespace_("default");
  request.set_job_id(job);
  request.set_reason("rsn");
  request.set_visibility_query("WorkflowType = 'T'");
  return request;
}

Request of_executions(const std::string& job, const std::vector<std::string>& ids) {
  Request request = batch(job);
  request.clear_visibility_query();
  for (const auto& id : ids) request.add_executions()->set_workflow_id(id);
  return request;
}

api::DescribeBatchOperationResponse described(ServiceWorld& world, const std::string& job) {
  api::DescribeBatchOperationRequest request;
  request.set_namespace_("default");
  request.set_job_id(job);
  const auto answer = world.call(&WorkflowService::DescribeBatchOperation, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply;
}

PortStatus begin(ServiceWorld& world, const Request& request) {
  return world.call(&WorkflowService::StartBatchOperation, request).status;
}

/// Starts it and waits: what came of it, as state/total/complete/failed.
std::string outcome(ServiceWorld& world, const Request& request) {
  const PortStatus begun = begin(world, request);
  if (!begun.ok()) return begun.message;
  world.advance(std::chrono::seconds{2});
  const auto now = described(world, request.job_id());
  const std::string state = now.state() == enums::BATCH_OPERATION_STATE_COMPLETED ? "completed"
                            : now.state() == enums::BATCH_OPERATION_STATE_FAILED  ? "failed"
                                                                                  : "running";
  return state + " " + std::to_string(now.total_operation_count()) + "/" +
         std::to_string(now.complete_operation_count()) + "/" + std::to_string(now.failure_operation_count());
}

std::int64_t count(ServiceWorld& world, const std::string& query) {
  api::CountWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  request.set_query(query);
  return world.call(&WorkflowService::CountWorkflowExecutions, request).reply.count();
}

void start_many(ServiceWorld& world, int many) {
  for (int i = 0; i < many; ++i) world.start("W" + std::to_string(i));
}

/// A run whose first task scheduled activities a (of type a) and b (of type b).
void start_with_activities(ServiceWorld& world, const std::string& id) {
  world.start(id);
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a"), schedule_activity("b")}).ok());
}

TEST(Batch, TerminatesFiftyASecond) {
  ServiceWorld world;
  start_many(world, 200);
  auto request = batch("j");
  request.mutable_termination_operation()->set_identity("me");
  EXPECT_TRUE(begin(world, request).ok());
  world.start("late");  // came after it: not meant
  world.advance(milliseconds{2'050});
  const std::int64_t half = count(world, "ExecutionStatus = 'Terminated'");
  EXPECT_GE(half, 90);
  EXPECT_LE(half, 110);
  auto now = described(world, "j");
  EXPECT_EQ(now.state(), enums::BATCH_OPERATION_STATE_RUNNING);
  EXPECT_EQ(now.total_operation_count(), 200);
  EXPECT_EQ(now.complete_operation_count(), half);
  EXPECT_FALSE(now.has_close_time());
  world.advance(milliseconds{3'000});
  now = described(world, "j");
  EXPECT_EQ(now.state(), enums::BATCH_OPERATION_STATE_COMPLETED);
  EXPECT_EQ(now.operation_type(), enums::BATCH_OPERATION_TYPE_TERMINATE);
  EXPECT_EQ(now.complete_operation_count(), 200);
  EXPECT_EQ(now.failure_operation_count(), 0);
  EXPECT_EQ(now.identity(), "me");
  EXPECT_EQ(now.reason(), "rsn");
  EXPECT_TRUE(now.has_close_time());
  EXPECT_EQ(world.describe("late").workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(count(world, ""), 201) << "a batch is no workflow";
  EXPECT_EQ(count(world, "TemporalNamespaceDivision IS NOT NULL"), 0);
}

TEST(Batch, GoesAsSlowlyAsItIsAsked) {
  ServiceWorld world;
  start_many(world, 9);
  auto request = batch("j");
  request.mutable_cancellation_operation();
  request.set_max_operations_per_second(2);
  EXPECT_TRUE(begin(world, request).ok());
  world.advance(milliseconds{2'100});
  EXPECT_EQ(described(world, "j").complete_operation_count(), 5);
  world.advance(milliseconds{2'000});
  EXPECT_EQ(described(world, "j").state(), enums::BATCH_OPERATION_STATE_COMPLETED);
}

/// The same batch, the process ended after each commit in turn: `check` sees what is there at last.
void end_after_each_commit_of(const Request& request, const std::function<void(ServiceWorld&)>& prepare,
                              const std::function<void(ServiceWorld&)>& check) {
  for (std::uint64_t at = 1;; ++at) {
    SCOPED_TRACE("commit " + std::to_string(at));
    ServiceWorld world;
    prepare(world);
    Durable moment;
    std::uint64_t commits = 0;
    bool reached = false;
    world.journal->on_commit = [&] {
      if (++commits != at) return;
      moment = world.journal->durable();
      reached = true;
    };
    EXPECT_TRUE(begin(world, request).ok());
    world.advance(std::chrono::seconds{2});
    world.journal->on_commit = nullptr;
    ServiceWorld after({}, reached ? moment : world.journal->durable(), world.loop.now());
    after.advance(std::chrono::seconds{15});
    EXPECT_EQ(described(after, request.job_id()).state(), enums::BATCH_OPERATION_STATE_COMPLETED);
    check(after);
    if (!reached) {
      EXPECT_GT(at, 3u);
      break;
    }
  }
}

TEST(Batch, SignalsOnceWhateverEndsTheProcess) {
  auto request = batch("j");
  request.mutable_signal_operation()->set_signal("s");
  end_after_each_commit_of(
      request, [](ServiceWorld& world) { start_many(world, 12); },
      [](ServiceWorld& after) {
        EXPECT_EQ(described(after, "j").complete_operation_count(), 12);
        for (int i = 0; i < 12; ++i) EXPECT_EQ(after.history("W" + std::to_string(i)).events_size(), 3) << i;
      });
}

TEST(Batch, ResetsOnceWhateverEndsTheProcess) {
  auto request = batch("j");
  request.mutable_reset_operation()->mutable_options()->mutable_first_workflow_task();
  end_after_each_commit_of(
      request,
      [](ServiceWorld& world) {
        for (int i = 0; i < 7; ++i) start_with_activities(world, "W" + std::to_string(i));
      },
      [](ServiceWorld& after) {
        EXPECT_EQ(described(after, "j").complete_operation_count(), 7);
        EXPECT_EQ(count(after, ""), 14) << "each made one run";
        EXPECT_EQ(count(after, "ExecutionStatus = 'Running'"), 7);
      });
}

TEST(Batch, GoesOnAfterAFullDisk) {
  for (std::uint64_t at = 1; at < 8; ++at) {
    ServiceWorld world;
    start_many(world, 12);
    auto request = batch("j");
    request.mutable_signal_operation()->set_signal("s");
    std::uint64_t commits = 0;
    EXPECT_TRUE(begin(world, request).ok());
    world.journal->on_commit = [&] { world.journal->full = ++commits == at; };
    world.advance(std::chrono::seconds{1});
    world.journal->on_commit = nullptr;
    world.journal->full = false;
    world.advance(std::chrono::seconds{5});
    EXPECT_EQ(described(world, "j").state(), enums::BATCH_OPERATION_STATE_COMPLETED) << at;
    for (int i = 0; i < 12; ++i) EXPECT_EQ(world.history("W" + std::to_string(i)).events_size(), 3) << i;
  }
}

TEST(Batch, AFullDiskIsTriedOnceASecond) {
  ServiceWorld world;
  start_many(world, 12);
  auto request = batch("j");
  request.mutable_signal_operation()->set_signal("s");
  EXPECT_TRUE(begin(world, request).ok());
  world.journal->full = true;
  const std::uint64_t before = world.journal->appends;
  world.advance(std::chrono::seconds{60});
  EXPECT_LE(world.journal->appends - before, 61u);
  EXPECT_GE(world.journal->appends - before, 50u);
  world.journal->full = false;
  world.advance(std::chrono::seconds{3});
  EXPECT_EQ(described(world, "j").complete_operation_count(), 12);
}

TEST(Batch, OfNamedExecutions) {
  ServiceWorld world;
  start_many(world, 3);
  auto request = of_executions("j", {"W0", "nope", "W1", ""});
  request.mutable_executions(2)->set_run_id("no-uuid");
  request.mutable_cancellation_operation();
  EXPECT_EQ(outcome(world, request), "completed 4/2/2") << "what is gone needs nothing more";
  EXPECT_TRUE(world.describe("W0").workflow_extended_info().cancel_requested());
  EXPECT_FALSE(world.describe("W1").workflow_extended_info().cancel_requested());
}

TEST(Batch, TerminatesAsAClientWould) {
  ServiceWorld world;
  world.start();
  auto request = batch("j");
  request.mutable_termination_operation()->set_identity("me");
  *request.mutable_termination_operation()->mutable_details() = payloads("\"d\"");
  EXPECT_EQ(outcome(world, request), "completed 1/1/0");
  const History history = world.history();
  const auto& closing = history.events().rbegin()->workflow_execution_terminated_event_attributes();
  EXPECT_EQ(closing.reason(), "rsn");
  EXPECT_EQ(closing.identity(), "me");
  EXPECT_EQ(closing.details().payloads(0).data(), "\"d\"");
  request.set_job_id("again");
  EXPECT_EQ(outcome(world, request), "completed 0/0/0") << "closed ones are not meant";
}

TEST(Batch, DeletesOpenAndClosedRuns) {
  ServiceWorld world;
  start_many(world, 7);
  for (const char* id : {"W1", "W3"}) EXPECT_TRUE(world.terminate("x", id).ok());
  auto request = batch("j");
  request.mutable_deletion_operation();
  EXPECT_EQ(outcome(world, request), "completed 7/7/0");
  EXPECT_EQ(count(world, ""), 0);
  world.restart();
  EXPECT_EQ(count(world, ""), 0);
}

TEST(Batch, Resets) {
  using Options = temporal::api::common::v1::ResetOptions;
  struct Row {
    const char* name;
    std::function<void(temporal::api::batch::v1::BatchOperationReset&)> ask;
    const char* outcome;
    int events;  ///< of the current run then
  };
  const auto options = [](std::function<void(Options&)> set) {
    return [set](auto& reset) { set(*reset.mutable_options()); };
  };
  const Row rows[] = {
      {"first task", options([](Options& o) { o.mutable_first_workflow_task(); }), "completed 1/1/0", 6},
      {"last task", options([](Options& o) { o.mutable_last_workflow_task(); }), "completed 1/1/0", 9},
      {"a task", options([](Options& o) { o.set_workflow_task_id(4); }), "completed 1/1/0", 6},
      {"first task, the old way", [](auto& r) { r.set_reset_type(enums::RESET_TYPE_FIRST_WORKFLOW_TASK); },
       "completed 1/1/0", 6},
      {"last task without signals", options([](Options& o) {
         o.mutable_first_workflow_task();
         o.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
       }),
       "completed 1/1/0", 5},
      {"a place between tasks", options([](Options& o) { o.set_workflow_task_id(2); }), "completed 1/0/1", 8},
      {"a build that never was", options([](Options& o) { o.set_build_id("zz"); }), "completed 1/0/1", 8},
  };
  for (const Row& row : rows) {
    ServiceWorld world;
    world.start();
    EXPECT_TRUE(world.complete(world.poll()).ok());  // 4
    EXPECT_TRUE(world.signal("s").ok());             // 5, 6
    EXPECT_TRUE(world.complete(world.poll()).ok());  // 7, 8
    Request request = batch("j");
    request.mutable_reset_operation()->set_identity("me");
    row.ask(*request.mutable_reset_operation());
    EXPECT_EQ(outcome(world, request), row.outcome) << row.name;
    EXPECT_EQ(world.history().events_size(), row.events) << row.name;
  }
}

TEST(Batch, AResetNeedsATask) {
  ServiceWorld world;
  world.start();
  Request request = of_executions("j", {"W", "nope"});
  request.mutable_reset_operation()->mutable_options()->mutable_last_workflow_task();
  EXPECT_EQ(outcome(world, request), "completed 2/0/2") << "none has started, and a history that is not there";
}

TEST(Batch, UpdatesOptions) {
  ServiceWorld world;
  start_many(world, 2);
  EXPECT_TRUE(world.terminate("x", "W1").ok());
  Request request = batch("j");
  auto* update = request.mutable_update_workflow_options_operation();
  update->mutable_workflow_execution_options()->mutable_versioning_override()->set_auto_upgrade(true);
  update->mutable_update_mask()->add_paths("versioning_override");
  EXPECT_EQ(outcome(world, request), "completed 1/1/0");
  const History history = world.history("W0");
  EXPECT_TRUE(history.events().rbegin()->has_workflow_execution_options_updated_event_attributes());
  request.set_job_id("bad");
  update->mutable_update_mask()->add_paths("zzz");
  EXPECT_EQ(outcome(world, request), "completed 1/0/1");
}

TEST(Batch, UnpausesActivities) {
  ServiceWorld world;
  for (const char* id : {"W0", "W1", "W2"}) start_with_activities(world, id);
  const auto pause = [&world](const std::string& id, const std::string& activity) {
    api::PauseActivityRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    request.set_id(activity);
    EXPECT_TRUE(world.call(&WorkflowService::PauseActivity, request).ok());
  };
  const auto paused = [&world](const std::string& id) {
    int many = 0;
    const auto told = world.describe(id);
    for (const auto& activity : told.pending_activities()) many += activity.paused() ? 1 : 0;
    return many;
  };
  pause("W0", "a");
  pause("W0", "b");
  pause("W1", "b");
  const std::string type = world.describe("W1").pending_activities(0).activity_type().name();
  Request request = batch("none");
  request.mutable_unpause_activities_operation()->set_type("no' such");
  EXPECT_EQ(outcome(world, request), "completed 0/0/0") << "only runs with such a paused activity are meant";
  request = batch("all");
  request.mutable_unpause_activities_operation()->set_match_all(true);
  EXPECT_EQ(outcome(world, request), "completed 2/2/0");
  EXPECT_EQ(paused("W0") + paused("W1") + paused("W2"), 0);
  pause("W2", "a");
  request = batch("type");
  request.mutable_unpause_activities_operation()->set_type(type);
  EXPECT_EQ(outcome(world, request), "completed 1/1/0");
  EXPECT_EQ(paused("W2"), 0);
}

TEST(Batch, ResetsAndUpdatesActivities) {
  ServiceWorld world;
  for (const char* id : {"W0", "W1"}) start_with_activities(world, id);
  EXPECT_TRUE(world.fail_activity(world.poll_activity(), "f").ok());
  world.advance(std::chrono::seconds{5});
  const auto attempts = [&world] {
    int all = 0;
    for (const char* id : {"W0", "W1"}) {
      const auto told = world.describe(id);
      for (const auto& activity : told.pending_activities()) all += activity.attempt();
    }
    return all;
  };
  EXPECT_EQ(attempts(), 5);
  Request request = batch("reset");
  request.mutable_reset_activities_operation()->set_match_all(true);
  EXPECT_EQ(outcome(world, request), "completed 2/2/0");
  EXPECT_EQ(attempts(), 4);
  request = batch("update");
  auto* update = request.mutable_update_activity_options_operation();
  update->set_match_all(true);
  *update->mutable_activity_options()->mutable_start_to_close_timeout() = seconds(33);
  update->mutable_update_mask()->add_paths("start_to_close_timeout");
  EXPECT_EQ(outcome(world, request), "completed 2/2/0");
  const auto timeout = [&world] {
    return world.describe("W1").pending_activities(0).activity_options().start_to_close_timeout().seconds();
  };
  EXPECT_EQ(timeout(), 33);
  request = batch("restore");
  request.mutable_update_activity_options_operation()->set_match_all(true);
  request.mutable_update_activity_options_operation()->set_restore_original(true);
  EXPECT_EQ(outcome(world, request), "completed 2/2/0");
  EXPECT_EQ(timeout(), 10);
  request = batch("gone");
  request.mutable_reset_activities_operation()->set_type("zz");
  EXPECT_EQ(outcome(world, request), "completed 2/2/0") << "nothing pending is nothing to do";
}

TEST(Batch, OneAtATimeAndStopped) {
  ServiceWorld world;
  start_many(world, 100);
  auto request = batch("j");
  request.mutable_termination_operation();
  EXPECT_TRUE(begin(world, request).ok());
  const PortStatus second = begin(world, request);
  EXPECT_EQ(second.code, 8);
  EXPECT_EQ(second.message, "Max concurrent batch operations is reached");
  api::StopBatchOperationRequest stop;
  stop.set_namespace_("default");
  stop.set_job_id("j");
  stop.set_reason("enough");
  EXPECT_TRUE(world.call(&WorkflowService::StopBatchOperation, stop).ok());
  EXPECT_EQ(world.call(&WorkflowService::StopBatchOperation, stop).status.message,
            "workflow execution already completed");
  world.advance(std::chrono::seconds{5});
  EXPECT_GE(count(world, "ExecutionStatus = 'Running'"), 95);
  EXPECT_EQ(described(world, "j").state(), enums::BATCH_OPERATION_STATE_FAILED);
  EXPECT_EQ(begin(world, request).code, 6) << "the id is taken";
  world.restart();
  api::ListBatchOperationsRequest list;
  list.set_namespace_("default");
  const auto rows = world.call(&WorkflowService::ListBatchOperations, list).reply;
  ASSERT_EQ(rows.operation_info_size(), 1);
  EXPECT_EQ(rows.operation_info(0).job_id(), "j");
  world.advance(std::chrono::hours{25});
  EXPECT_EQ(world.call(&WorkflowService::ListBatchOperations, list).reply.operation_info_size(), 0) << "retention";
}

TEST(Batch, IsListedNewestFirstInPages) {
  ServiceWorld world;
  for (const char* job : {"a", "b", "c"}) {
    auto request = batch(job);
    request.mutable_deletion_operation();
    EXPECT_EQ(outcome(world, request), "completed 0/0/0");
  }
  api::ListBatchOperationsRequest list;
  list.set_namespace_("default");
  list.set_page_size(2);
  std::string seen;
  for (int pages = 0; pages < 4; ++pages) {
    const auto page = world.call(&WorkflowService::ListBatchOperations, list).reply;
    for (const auto& info : page.operation_info()) seen += info.job_id();
    seen += "|";
    if (page.next_page_token().empty()) break;
    list.set_next_page_token(page.next_page_token());
  }
  EXPECT_EQ(seen, "cb|a|");
}

TEST(Batch, IsCheckedAtTheDoor) {
  constexpr const char* kMissing = "must provide required parameters: BatchType/Reason/Namespace/Query/Executions";
  constexpr const char* kTypeOrAll = "Either activity type must be set, or match all should be set to true";
  struct Row {
    const char* message;
    std::function<void(Request&)> spoil;
  };
  const Row rows[] = {
      {"JobId is not set on request.", [](Request& r) { r.clear_job_id(); }},
      {"JobId length exceeds limit.", [](Request& r) { r.set_job_id(std::string(1001, 'x')); }},
      {kMissing, [](Request& r) { r.clear_reason(); }},
      {kMissing, [](Request& r) { r.clear_operation(); }},
      {kMissing, [](Request& r) { r.clear_visibility_query(); }},
      {"batch query and executions are mutually exclusive", [](Request& r) { r.add_executions(); }},
      {"must provide signal name", [](Request& r) { r.mutable_signal_operation(); }},
      {"must provide UpdateOptions", [](Request& r) { r.mutable_update_workflow_options_operation(); }},
      {"must provide UpdateMask",
       [](Request& r) { r.mutable_update_workflow_options_operation()->mutable_workflow_execution_options(); }},
      {"unknown batch reset type Unspecified", [](Request& r) { r.mutable_reset_operation(); }},
      {"unknown batch reset type 7",
       [](Request& r) { r.mutable_reset_operation()->set_reset_type(static_cast<enums::ResetType>(7)); }},
      {"batch reset missing target", [](Request& r) { r.mutable_reset_operation()->mutable_options(); }},
      {"activity filter must be set", [](Request& r) { r.mutable_unpause_activities_operation(); }},
      {kTypeOrAll, [](Request& r) { r.mutable_unpause_activities_operation()->set_type(""); }},
      {kTypeOrAll, [](Request& r) { r.mutable_unpause_activities_operation()->set_match_all(false); }},
      {"must provide ActivityType or MatchAll", [](Request& r) { r.mutable_reset_activities_operation(); }},
      {kTypeOrAll, [](Request& r) { r.mutable_reset_activities_operation()->set_type(""); }},
      {"Either activity type must be set, or restore original should be set to true",
       [](Request& r) { r.mutable_update_activity_options_operation(); }},
      {kTypeOrAll, [](Request& r) { r.mutable_update_activity_options_operation()->set_restore_original(true); }},
      {"cannot set both activity options and restore original",
       [](Request& r) {
         r.mutable_update_activity_options_operation()->set_restore_original(true);
         r.mutable_update_activity_options_operation()->mutable_activity_options();
       }},
  };
  ServiceWorld world;
  for (const Row& row : rows) {
    Request request = batch("j");
    request.mutable_termination_operation();
    row.spoil(request);
    const PortStatus status = begin(world, request);
    EXPECT_EQ(status.message, row.message);
    EXPECT_EQ(status.code, 3) << row.message;
  }
  Request request = batch("j");
  request.mutable_termination_operation();
  request.set_visibility_query("Nope = 1");
  EXPECT_EQ(begin(world, request).code, 3);
  api::DescribeBatchOperationRequest describe;
  describe.set_namespace_("default");
  describe.set_job_id("zz");
  EXPECT_EQ(world.call(&WorkflowService::DescribeBatchOperation, describe).status.message,
            "workflow not found for ID: zz");
  api::StopBatchOperationRequest stop;
  stop.set_namespace_("default");
  stop.set_job_id("zz");
  EXPECT_EQ(world.call(&WorkflowService::StopBatchOperation, stop).status.message, "Reason is not set on request.");
}

}  // namespace
}  // namespace callimport::engine::testing_world
