// Namespaces: what one has is not seen from another (conformance C.16).
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

EmbeddedOptions two_namespaces() {
  EmbeddedOptions options;
  options.namespaces = {"default", "other"};
  return options;
}

api::StartWorkflowExecutionRequest start_in(const ServiceWorld& world, const std::string& name_space) {
  auto request = world.start_request("W");
  request.set_namespace_(name_space);
  return request;
}

int listed(ServiceWorld& world, const std::string& name_space) {
  api::ListWorkflowExecutionsRequest request;
  request.set_namespace_(name_space);
  const auto rows = world.call(&WorkflowService::ListWorkflowExecutions, request);
  EXPECT_TRUE(rows.ok()) << rows.status.message;
  return rows.reply.executions_size();
}

TEST(Namespaces, OneIdRunsOnceInEach) {
  ServiceWorld world(two_namespaces());
  const auto here = world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "default"));
  const auto there = world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "other"));
  ASSERT_TRUE(here.ok() && there.ok());
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "other")).status.code, 6);
  EXPECT_EQ(listed(world, "default"), 1);
  EXPECT_EQ(listed(world, "other"), 1);
  EXPECT_EQ(listed(world, "temporal-system"), 0);
  EXPECT_EQ(world.describe().workflow_execution_info().execution().run_id(), here.reply.run_id());

  api::DescribeWorkflowExecutionRequest foreign;  // a run id of the other namespace
  foreign.set_namespace_("default");
  foreign.mutable_execution()->set_workflow_id("W");
  foreign.mutable_execution()->set_run_id(there.reply.run_id());
  EXPECT_EQ(world.call(&WorkflowService::DescribeWorkflowExecution, foreign).status.code, 5);
  EXPECT_TRUE(world.terminate("x").ok());
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "other")).status.code, 6);
}

TEST(Namespaces, AQueueBelongsToItsNamespace) {
  ServiceWorld world(two_namespaces());
  const auto waiting = world.poll_later();  // in default
  ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "other")).ok());
  EXPECT_FALSE(waiting->done);
  world.start();
  ASSERT_TRUE(waiting->ok());
  EXPECT_EQ(waiting->reply.attempt(), 1);
}

TEST(Namespaces, RunsAreFoundAgainAfterARestart) {
  ServiceWorld world(two_namespaces());
  world.start();
  (void)world.complete(world.poll(), {complete_workflow()});
  ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "other")).ok());
  world.restart();
  EXPECT_EQ(listed(world, "default"), 1);
  EXPECT_EQ(listed(world, "other"), 1);
  world.start();  // the id is free in default and held in other
  EXPECT_EQ(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "other")).status.code, 6);
}

}  // namespace
}  // namespace callimport::engine::testing_world
