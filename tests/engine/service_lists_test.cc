// Lists, scans and counts of runs (conformance C.13).
#include <chrono>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

constexpr int kInvalid = 3, kUnknown = 2;

template <class Request, class Response>
std::string ids(ServiceWorld& world, void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>),
                Request request) {
  std::string out;
  int pages = 0;
  do {
    const auto page = world.call(method, request);
    if (!page.ok()) return page.status.message;
    for (const auto& row : page.reply.executions()) out += row.execution().workflow_id() + " ";
    request.set_next_page_token(page.reply.next_page_token());
  } while (!request.next_page_token().empty() && ++pages < 20);
  return out;
}

std::string found(ServiceWorld& world, const std::string& query, int page_size = 0) {
  api::ListWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  request.set_query(query);
  request.set_page_size(page_size);
  return ids(world, &WorkflowService::ListWorkflowExecutions, request);
}

/// A and B closed, in this order, C and D open.
void four_runs(ServiceWorld& world) {
  for (const char* id : {"A", "B", "C", "D"}) {
    auto request = world.start_request(id);
    auto& payload = (*request.mutable_search_attributes()->mutable_indexed_fields())["CustomIntField"];
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(std::to_string(*id - 'A'));
    ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
    world.advance(std::chrono::seconds{1});
  }
  ASSERT_TRUE(world.terminate("x", "A").ok());
  world.advance(std::chrono::seconds{1});
  ASSERT_TRUE(world.terminate("x", "B").ok());
}

TEST(Lists, OpenFirstThenTheLatestClosed) {
  ServiceWorld world;
  four_runs(world);
  for (const int page : {0, 1, 2, 3, 4, 5}) EXPECT_EQ(found(world, "", page), "D C B A ");
  EXPECT_EQ(found(world, "CustomIntField > 0 AND CustomIntField < 3", 1), "C B ");
  EXPECT_EQ(found(world, "ExecutionStatus = 'Running'", 1), "D C ");
  EXPECT_EQ(found(world, "ExecutionStatus = 'Terminated'", 1), "B A ");
  EXPECT_EQ(found(world, "CloseTime IS NULL AND WorkflowId = 'C'"), "C ");
  EXPECT_EQ(found(world, "CloseTime IS NOT NULL OR WorkflowId = 'C'", 2), "C B A ");
  world.restart();
  EXPECT_EQ(found(world, "CustomIntField != 1", 2), "D C A ");
}

TEST(Lists, ARunIdFindsItsRun) {
  ServiceWorld world;
  four_runs(world);
  for (const char* id : {"A", "D"}) {
    const std::string run = world.describe(id).workflow_execution_info().execution().run_id();
    EXPECT_EQ(found(world, "RunId = '" + run + "'"), std::string(id) + " ");
    EXPECT_EQ(found(world, "RunId = '" + run + "' AND WorkflowId = 'X'"), "");
    EXPECT_EQ(found(world, "RunId = '" + run + "' OR WorkflowId = 'C'"), id == std::string("A") ? "C A " : "D C ");
  }
  EXPECT_EQ(found(world, "RunId = 'x'"), "");
}

TEST(Lists, AnUpsertIsSeenAtOnce) {
  ServiceWorld world;
  world.start();
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& payload = (*upsert.mutable_upsert_workflow_search_attributes_command_attributes()
                        ->mutable_search_attributes()
                        ->mutable_indexed_fields())["CustomKeywordField"];
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data("\"gold\"");
  EXPECT_EQ(found(world, "CustomKeywordField = 'gold'"), "");
  EXPECT_EQ(found(world, "BuildIds = 'unversioned'"), "");
  (void)world.complete(world.poll(), {upsert});
  EXPECT_EQ(found(world, "CustomKeywordField = 'gold'"), "W ");
  EXPECT_EQ(found(world, "BuildIds = 'unversioned'"), "W ");
  world.restart();
  EXPECT_EQ(found(world, "CustomKeywordField = 'gold' AND BuildIds IN ('x', 'unversioned')"), "W ");
}

TEST(Lists, TheOldFiltersAndScan) {
  ServiceWorld world;
  four_runs(world);
  api::ListOpenWorkflowExecutionsRequest open;
  open.set_namespace_("default");
  open.set_maximum_page_size(1);
  EXPECT_EQ(ids(world, &WorkflowService::ListOpenWorkflowExecutions, open), "D C ");
  open.mutable_execution_filter()->set_workflow_id("C");
  EXPECT_EQ(ids(world, &WorkflowService::ListOpenWorkflowExecutions, open), "C ");
  open.mutable_type_filter()->set_name("it's \\ not");
  EXPECT_EQ(ids(world, &WorkflowService::ListOpenWorkflowExecutions, open), "");
  open.mutable_type_filter()->set_name("T");
  open.mutable_start_time_filter()->mutable_earliest_time()->set_seconds(4'000'000'000);
  EXPECT_EQ(ids(world, &WorkflowService::ListOpenWorkflowExecutions, open), "");
  open.mutable_start_time_filter()->mutable_latest_time()->set_seconds(3'000'000'000);
  EXPECT_EQ(ids(world, &WorkflowService::ListOpenWorkflowExecutions, open),
            "EarliestTime in StartTimeFilter should not be larger than LatestTime.");

  api::ListClosedWorkflowExecutionsRequest closed;
  closed.set_namespace_("default");
  EXPECT_EQ(ids(world, &WorkflowService::ListClosedWorkflowExecutions, closed), "B A ");
  closed.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(ids(world, &WorkflowService::ListClosedWorkflowExecutions, closed), "B A ");
  closed.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_FAILED);
  EXPECT_EQ(ids(world, &WorkflowService::ListClosedWorkflowExecutions, closed), "");
  closed.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(ids(world, &WorkflowService::ListClosedWorkflowExecutions, closed),
            "StatusFilter must be specified and must be not Running.");

  api::ScanWorkflowExecutionsRequest scan;
  scan.set_namespace_("default");
  scan.set_page_size(3);
  EXPECT_EQ(ids(world, &WorkflowService::ScanWorkflowExecutions, scan), "D C B A ");
}

TEST(Lists, GarbageIsToldApart) {
  ServiceWorld world;
  api::ListWorkflowExecutionsRequest request;
  EXPECT_EQ(world.call(&WorkflowService::ListWorkflowExecutions, request).status.message, "Namespace is empty.");
  request.set_namespace_("default");
  request.set_next_page_token("zzz");
  EXPECT_EQ(world.call(&WorkflowService::ListWorkflowExecutions, request).status.code, kUnknown);
  request.clear_next_page_token();
  request.set_query("Nope = 1");
  EXPECT_EQ(world.call(&WorkflowService::ListWorkflowExecutions, request).status.code, kInvalid);
}

TEST(Lists, CountGroupsByStatus) {
  ServiceWorld world;
  four_runs(world);
  auto done = world.start_request("E");
  done.mutable_task_queue()->set_name("E");
  ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, done).ok());
  ASSERT_TRUE(world.complete(world.poll("E"), {complete_workflow()}).ok());
  api::CountWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  request.set_query("CustomIntField >= 1 OR WorkflowId = 'E' GROUP BY ExecutionStatus");
  const auto count = world.call(&WorkflowService::CountWorkflowExecutions, request).reply;
  EXPECT_EQ(count.count(), 4);
  ASSERT_EQ(count.groups_size(), 3) << "in the order of the enumeration, as the server's SQL gives them";
  EXPECT_EQ(count.groups(0).group_values(0).data(), "\"Running\"");
  EXPECT_EQ(count.groups(0).count(), 2);
  EXPECT_EQ(count.groups(1).group_values(0).data(), "\"Completed\"");
  EXPECT_EQ(count.groups(1).count(), 1);
  EXPECT_EQ(count.groups(2).group_values(0).data(), "\"Terminated\"");
}

}  // namespace
}  // namespace callimport::engine::testing_world
