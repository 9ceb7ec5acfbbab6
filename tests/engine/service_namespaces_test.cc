// Namespaces: what one has is not seen from another (conformance C.16).
#include <chrono>

#include "temporal/api/enums/v1/namespace.pb.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
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

// Records.

constexpr int kInvalid = 3, kNotFound = 5, kExists = 6, kPrecondition = 9;

api::RegisterNamespaceRequest registration(const std::string& name, double retention = 3600) {
  api::RegisterNamespaceRequest request;
  request.set_namespace_(name);
  if (retention > 0) *request.mutable_workflow_execution_retention_period() = seconds(retention);
  return request;
}

PortStatus register_one(ServiceWorld& world, const std::string& name) {
  return world.call(&WorkflowService::RegisterNamespace, registration(name)).status;
}

Answer<api::DescribeNamespaceResponse> described(ServiceWorld& world, const std::string& name) {
  api::DescribeNamespaceRequest request;
  request.set_namespace_(name);
  return world.call(&WorkflowService::DescribeNamespace, request);
}

std::string names_of(ServiceWorld& world, int page_size = 0, bool deleted = false) {
  api::ListNamespacesRequest request;
  request.set_page_size(page_size);
  request.mutable_namespace_filter()->set_include_deleted(deleted);
  std::set<std::string> names;
  do {
    const auto page = world.call(&WorkflowService::ListNamespaces, request);
    EXPECT_TRUE(page.ok());
    for (const auto& one : page.reply.namespaces()) EXPECT_TRUE(names.insert(one.namespace_info().name()).second);
    request.set_next_page_token(page.reply.next_page_token());
  } while (!request.next_page_token().empty());
  std::string out;
  for (const auto& name : names) out += name + " ";
  return out;
}

PortStatus delete_one(ServiceWorld& world, const std::string& name, std::string* left = nullptr) {
  operator_api::DeleteNamespaceRequest request;
  request.set_namespace_(name);
  bool done = false;
  PortStatus status;
  world.service().DeleteNamespace(request, {}, [&](const PortStatus& got, auto* reply) {
    done = true;
    status = got;
    if (reply != nullptr && left != nullptr) *left = reply->deleted_namespace();
  });
  world.loop.run_idle();
  EXPECT_TRUE(done);
  return status;
}

TEST(NamespaceRecords, SurviveARestartAsTheyWere) {
  ServiceWorld world;
  auto request = registration("mine", 7200);
  request.set_description("d");
  request.set_owner_email("o@x");
  (*request.mutable_data())["k"] = "v";
  ASSERT_TRUE(world.call(&WorkflowService::RegisterNamespace, request).ok());
  const std::string before = described(world, "mine").reply.SerializeAsString();
  world.restart();
  const auto after = described(world, "mine").reply;
  EXPECT_EQ(after.SerializeAsString(), before);
  EXPECT_EQ(after.namespace_info().owner_email(), "o@x");
  EXPECT_EQ(after.namespace_info().state(), enums::NAMESPACE_STATE_REGISTERED);
  EXPECT_EQ(after.config().workflow_execution_retention_ttl().seconds(), 7200);
  EXPECT_EQ(after.namespace_info().id().size(), 36u);
  EXPECT_TRUE(after.namespace_info().capabilities().sync_update() &&
              after.namespace_info().capabilities().async_update());
  EXPECT_EQ(names_of(world), "default mine temporal-system ");
}

TEST(NamespaceRecords, ArePagedInTheOrderOfTheirIds) {
  ServiceWorld world;
  for (const char* name : {"a", "b", "c", "a b!"}) EXPECT_TRUE(register_one(world, name).ok());
  for (const int size : {1, 2, 5, 6, 7}) EXPECT_EQ(names_of(world, size), "a a b! b c default temporal-system ");
}

struct BadRegistration {
  const char* name;
  void (*spoil)(api::RegisterNamespaceRequest&);
  int code;
  const char* text;
};
void PrintTo(const BadRegistration& row, std::ostream* out) { *out << row.name; }
class BadRegistrations : public testing::TestWithParam<BadRegistration> {};
TEST_P(BadRegistrations, AreRefused) {
  ServiceWorld world;
  auto request = registration("new");
  GetParam().spoil(request);
  const auto status = world.call(&WorkflowService::RegisterNamespace, request).status;
  EXPECT_EQ(status.code, GetParam().code);
  EXPECT_EQ(status.message, GetParam().text);
}
using Registration = api::RegisterNamespaceRequest;
INSTANTIATE_TEST_SUITE_P(  // C.16
    Table, BadRegistrations,
    testing::Values(
        BadRegistration{"NoName", [](Registration& r) { r.clear_namespace_(); }, kInvalid,
                        "Namespace not set on request."},
        BadRegistration{"LongName", [](Registration& r) { r.set_namespace_(std::string(1001, 'n')); }, kInvalid,
                        "Namespace length exceeds limit."},
        BadRegistration{"NoRetention", [](Registration& r) { r.clear_workflow_execution_retention_period(); }, kInvalid,
                        "A valid retention period is not set on request."},
        BadRegistration{"ShortRetention",
                        [](Registration& r) { r.mutable_workflow_execution_retention_period()->set_seconds(3599); },
                        kInvalid, "A valid retention period is not set on request."},
        BadRegistration{"Global", [](Registration& r) { r.set_is_global_namespace(true); }, kInvalid,
                        "Cannot register global namespace when not enabled"},
        BadRegistration{"OtherCluster", [](Registration& r) { r.add_clusters()->set_cluster_name("zz"); }, kInvalid,
                        "Invalid cluster name: zz"},
        BadRegistration{"Duplicate", [](Registration& r) { r.set_namespace_("default"); }, kExists,
                        "Namespace \"default\" already exists"}),
    [](const auto& test) { return test.param.name; });

TEST(NamespaceRecords, UpdateChangesWhatItNames) {
  ServiceWorld world;
  ASSERT_TRUE(register_one(world, "mine").ok());
  api::UpdateNamespaceRequest request;
  request.set_namespace_("mine");
  request.mutable_update_info()->set_description("new");
  (*request.mutable_update_info()->mutable_data())["k"] = "v";
  *request.mutable_config()->mutable_workflow_execution_retention_ttl() = seconds(7200);
  const auto changed = world.call(&WorkflowService::UpdateNamespace, request);
  ASSERT_TRUE(changed.ok()) << changed.status.message;
  EXPECT_EQ(changed.reply.namespace_info().description(), "new");
  world.restart();
  EXPECT_EQ(described(world, "mine").reply.config().workflow_execution_retention_ttl().seconds(), 7200);
  request.mutable_config()->mutable_workflow_execution_retention_ttl()->set_seconds(60);
  EXPECT_EQ(world.call(&WorkflowService::UpdateNamespace, request).status.code, kInvalid);
  api::DeprecateNamespaceRequest deprecation;
  deprecation.set_namespace_("mine");
  EXPECT_TRUE(world.call(&WorkflowService::DeprecateNamespace, deprecation).ok());
  EXPECT_EQ(described(world, "mine").reply.namespace_info().state(), enums::NAMESPACE_STATE_DEPRECATED);
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "mine")).ok());
  deprecation.set_namespace_("nope");
  EXPECT_EQ(world.call(&WorkflowService::DeprecateNamespace, deprecation).status.code, kNotFound);
}

TEST(NamespaceRecords, RetentionIsTheNamespacesOwn) {
  EmbeddedOptions options;
  options.retention = std::chrono::hours{48};
  ServiceWorld world(options);
  ASSERT_TRUE(register_one(world, "mine").ok());
  for (const char* name : {"default", "mine"}) {
    ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, name)).ok());
    api::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(name);
    request.mutable_workflow_execution()->set_workflow_id("W");
    ASSERT_TRUE(world.call(&WorkflowService::TerminateWorkflowExecution, request).ok());
  }
  world.advance(std::chrono::minutes{59});
  EXPECT_EQ(listed(world, "mine"), 1);
  world.advance(std::chrono::minutes{2});
  EXPECT_EQ(listed(world, "mine"), 0);
  api::UpdateNamespaceRequest shorter;
  shorter.set_namespace_("default");
  *shorter.mutable_config()->mutable_workflow_execution_retention_ttl() = seconds(7200);
  ASSERT_TRUE(world.call(&WorkflowService::UpdateNamespace, shorter).ok());
  EXPECT_EQ(listed(world, "default"), 1);
  world.restart();
  world.advance(std::chrono::minutes{61});
  EXPECT_EQ(listed(world, "default"), 0);
  world.options.retention = std::chrono::hours{96};  // a changed option wins over what a client set before
  world.restart();
  EXPECT_EQ(described(world, "default").reply.config().workflow_execution_retention_ttl().seconds(), 96 * 3600);
}

TEST(DeletedNamespace, ItsNameIsFreeAtOnceAndItsRunsGo) {
  ServiceWorld world;
  ASSERT_TRUE(register_one(world, "mine").ok());
  for (int i = 0; i < 600; ++i) {  // several steps of the sweep
    auto request = start_in(world, "mine");
    request.set_workflow_id("W" + std::to_string(i));
    ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, request).ok());
  }
  world.start();
  api::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_("mine");
  poll.mutable_task_queue()->set_name("other");
  const auto waiting =
      world.send(&WorkflowService::PollWorkflowTaskQueue, poll, world.within(std::chrono::seconds{70}));
  const std::string id = described(world, "mine").reply.namespace_info().id();
  std::string left;
  ASSERT_TRUE(delete_one(world, "mine", &left).ok());
  EXPECT_EQ(left, "mine-deleted-" + id.substr(0, 5));
  EXPECT_EQ(described(world, "mine").status.code, kNotFound);
  EXPECT_TRUE(register_one(world, "mine").ok());
  EXPECT_EQ(listed(world, "mine"), 0);
  world.advance(std::chrono::seconds{1});
  EXPECT_EQ(names_of(world, 0, true), "default mine temporal-system ");
  ASSERT_TRUE(waiting->ok());
  EXPECT_TRUE(waiting->reply.task_token().empty());
  EXPECT_EQ(world.service().figures().open_runs, 1u);
  EXPECT_EQ(world.service().figures().closed_runs, 0u);
  world.restart();
  EXPECT_EQ(names_of(world, 0, true), "default mine temporal-system ");
  EXPECT_EQ(listed(world, "mine"), 0);
  EXPECT_EQ(listed(world, "default"), 1);
}

TEST(DeletedNamespace, AStopInTheMiddleIsMadeUpFor) {
  ServiceWorld world;
  ASSERT_TRUE(register_one(world, "mine").ok());
  ASSERT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "mine")).ok());
  operator_api::DeleteNamespaceRequest request;
  request.set_namespace_("mine");
  world.service().DeleteNamespace(request, {}, [](const PortStatus&, auto*) {});
  while (world.journal->durable().rows.size() < 5) ASSERT_TRUE(world.loop.step());
  world.restart();
  world.advance(std::chrono::seconds{1});
  EXPECT_EQ(names_of(world, 0, true), "default temporal-system ");
  EXPECT_EQ(world.service().figures().open_runs + world.service().figures().closed_runs, 0u);
}

TEST(NamespaceRecords, AFailedWriteLeavesNone) {
  ServiceWorld world;
  world.journal->full = true;
  const auto lost = world.send(&WorkflowService::RegisterNamespace, registration("mine"));
  ASSERT_TRUE(lost->done);
  EXPECT_FALSE(lost->status.ok());
  world.journal->full = false;
  world.advance(std::chrono::seconds{2});
  EXPECT_EQ(names_of(world), "default temporal-system ");
  EXPECT_TRUE(register_one(world, "mine").ok());
  world.journal->full = true;
  EXPECT_FALSE(delete_one(world, "mine").ok());
  world.journal->full = false;
  world.advance(std::chrono::seconds{2});
  EXPECT_EQ(names_of(world), "default mine temporal-system ");
  EXPECT_TRUE(world.call(&WorkflowService::StartWorkflowExecution, start_in(world, "mine")).ok());
}

TEST(NamespaceRecords, DoNotKeepTheJournalFromBeingTrimmed) {
  ServiceWorld world;
  ASSERT_TRUE(register_one(world, "mine").ok());
  const std::string before = described(world, "mine").reply.SerializeAsString();
  for (int i = 0; i < 8'000; ++i) {
    world.start();
    ASSERT_TRUE(world.terminate("x").ok());
  }
  EXPECT_GT(world.journal->trimmed, 10'000);
  EXPECT_EQ(described(world, "mine").reply.SerializeAsString(), before);
  world.restart();
  EXPECT_EQ(described(world, "mine").reply.SerializeAsString(), before);
  EXPECT_EQ(names_of(world), "default mine temporal-system ");
}

TEST(DeletedNamespace, TheSystemOneStays) {
  ServiceWorld world;
  const auto status = delete_one(world, "temporal-system");
  EXPECT_EQ(status.code, kPrecondition);
  EXPECT_EQ(status.message, "unable to delete system namespace");
  EXPECT_EQ(delete_one(world, "nope").code, kNotFound);
}

}  // namespace
}  // namespace callimport::engine::testing_world
