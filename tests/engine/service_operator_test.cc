// OperatorService, the worker registry, task queues as people see them, and what is switched off (conformance A.1, A.8,
// C.13).
#include <chrono>

#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "temporal/api/worker/v1/message.pb.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

constexpr int kInvalid = 3, kNotFound = 5, kPermissionDenied = 7, kUnimplemented = 12;
constexpr auto kBool = enums::INDEXED_VALUE_TYPE_BOOL;

template <class Request, class Response>
Answer<Response> operate(ServiceWorld& world,
                         void (OperatorService::*method)(const Request&, CallContext, Reply<Response>),
                         const Request& request) {
  auto answer = std::make_shared<Answer<Response>>();
  OperatorService& service = world.service();
  (service.*method)(request, {}, [answer](const PortStatus& status, Response* reply) {
    answer->done = true;
    answer->status = status;
    if (reply != nullptr) answer->reply = std::move(*reply);
  });
  world.loop.run_idle();
  EXPECT_TRUE(answer->done);
  return *answer;
}

PortStatus add_attributes(ServiceWorld& world,
                          std::vector<std::pair<std::string, enums::IndexedValueType>> attributes) {
  operator_api::AddSearchAttributesRequest request;
  request.set_namespace_("default");
  for (const auto& [name, type] : attributes) (*request.mutable_search_attributes())[name] = type;
  return operate(world, &OperatorService::AddSearchAttributes, request).status;
}

PortStatus remove_attribute(ServiceWorld& world, const std::string& name) {
  operator_api::RemoveSearchAttributesRequest request;
  request.set_namespace_("default");
  request.add_search_attributes(name);
  return operate(world, &OperatorService::RemoveSearchAttributes, request).status;
}

operator_api::ListSearchAttributesResponse attributes_of(ServiceWorld& world) {
  operator_api::ListSearchAttributesRequest request;
  request.set_namespace_("default");
  return operate(world, &OperatorService::ListSearchAttributes, request).reply;
}

PortStatus start_with(ServiceWorld& world, const std::string& id, const std::string& attribute,
                      const std::string& json) {
  auto request = world.start_request(id);
  auto& payload = (*request.mutable_search_attributes()->mutable_indexed_fields())[attribute];
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(json);
  return world.call(&WorkflowService::StartWorkflowExecution, request).status;
}

TEST(SearchAttributes, AreTheNamespacesOwnAndStay) {
  ServiceWorld world;
  EXPECT_EQ(start_with(world, "A", "Color", "\"red\"").message,
            "Namespace default has no mapping defined for search attribute Color");
  ASSERT_TRUE(add_attributes(world, {{"Color", enums::INDEXED_VALUE_TYPE_KEYWORD}}).ok());
  ASSERT_TRUE(start_with(world, "A", "Color", "\"red\"").ok());
  world.restart();
  EXPECT_EQ(attributes_of(world).custom_attributes().at("Color"), enums::INDEXED_VALUE_TYPE_KEYWORD);
  EXPECT_FALSE(attributes_of(world).custom_attributes().contains("BuildIds"));
  EXPECT_TRUE(attributes_of(world).system_attributes().contains("BuildIds"));
  EXPECT_TRUE(attributes_of(world).system_attributes().contains("WorkflowId"));
  EXPECT_TRUE(add_attributes(world, {{"Color", enums::INDEXED_VALUE_TYPE_INT}}).ok()) << "there already: no change";
  EXPECT_EQ(attributes_of(world).custom_attributes().at("Color"), enums::INDEXED_VALUE_TYPE_KEYWORD);
  EXPECT_TRUE(remove_attribute(world, "Color").ok());
  EXPECT_TRUE(remove_attribute(world, "Color").ok());
  EXPECT_FALSE(attributes_of(world).custom_attributes().contains("Color"));
  EXPECT_FALSE(start_with(world, "B", "Color", "\"red\"").ok());
}

TEST(SearchAttributes, RefusalsHaveTheKnownTexts) {
  ServiceWorld world;  // it has one custom Bool already
  EXPECT_EQ(add_attributes(world, {}).message, "SearchAttributes are not set on request.");
  EXPECT_EQ(add_attributes(world, {{"WorkflowId", kBool}}).message,
            "Search attribute WorkflowId is reserved by system.");
  EXPECT_EQ(add_attributes(world, {{"A", kBool}, {"B", kBool}, {"C", kBool}}).message,
            "Unable to create search attributes: cannot have more than 3 search attribute of type Bool.");
  EXPECT_TRUE(add_attributes(world, {{"A", kBool}, {"B", kBool}}).ok());
  EXPECT_EQ(add_attributes(world, {{"U", enums::INDEXED_VALUE_TYPE_UNSPECIFIED}}).message,
            "Unable to create search attributes: cannot have more than 0 search attribute of type Unspecified.");
  EXPECT_EQ(remove_attribute(world, "BuildIds").message, "Unable to remove non-custom search attributes: BuildIds.");
}

TEST(SearchAttributes, AnOptionOfAnotherTypeIsRefusedAtStart) {
  ServiceWorld world;
  ASSERT_TRUE(add_attributes(world, {{"Color", enums::INDEXED_VALUE_TYPE_KEYWORD}}).ok());
  const Durable durable = world.journal->durable();
  MemoryJournal journal(world.loop, durable);
  EmbeddedOptions options;
  options.search_attributes = {{"Color", "Int"}};
  const auto opened = EmbeddedService::open(journal, world.loop, world.loop, world.random, options);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kInvalid);
  EXPECT_EQ(opened.error().message, "search attribute Color of namespace default is of type Keyword");
}

TEST(Clusters, ThereIsOne) {
  ServiceWorld world;
  const auto clusters = operate(world, &OperatorService::ListClusters, operator_api::ListClustersRequest()).reply;
  ASSERT_EQ(clusters.clusters_size(), 1);
  EXPECT_EQ(clusters.clusters(0).cluster_name(), "active");
  EXPECT_EQ(clusters.clusters(0).cluster_id(),
            world.call(&WorkflowService::GetClusterInfo, api::GetClusterInfoRequest()).reply.cluster_id());
}

temporal::api::worker::v1::WorkerHeartbeat heartbeat(const std::string& key, const std::string& host) {
  temporal::api::worker::v1::WorkerHeartbeat out;
  out.set_worker_instance_key(key);
  out.set_worker_identity("id of " + key);
  out.mutable_host_info()->set_host_name(host);
  out.set_task_queue("W");
  out.set_status(enums::WORKER_STATUS_RUNNING);
  return out;
}

std::string workers(ServiceWorld& world, const std::string& query = "", int page = 0) {
  api::ListWorkersRequest request;
  request.set_namespace_("default");
  request.set_query(query);
  request.set_page_size(page);
  std::string out;
  do {
    const auto answer = world.call(&WorkflowService::ListWorkers, request);
    if (!answer.ok()) return answer.status.message;
    for (const auto& worker : answer.reply.workers()) out += worker.worker_instance_key() + " ";
    request.set_next_page_token(answer.reply.next_page_token());
  } while (!request.next_page_token().empty());
  return out;
}

TEST(WorkerRegistry, KnowsWhoSpokeOfLate) {
  ServiceWorld world;
  api::RecordWorkerHeartbeatRequest record;
  record.set_namespace_("default");
  for (const char* key : {"a", "b", "c"}) *record.add_worker_heartbeat() = heartbeat(key, *key == 'a' ? "h1" : "h2");
  ASSERT_TRUE(world.call(&WorkflowService::RecordWorkerHeartbeat, record).ok());
  EXPECT_EQ(workers(world), "a b c ");
  EXPECT_EQ(workers(world, "", 1), "a b c ");
  EXPECT_EQ(workers(world, "HostName = 'h2'"), "b c ");
  EXPECT_EQ(workers(world, "TaskQueue = 'W' AND WorkerStatus = 'Running' AND NOT WorkerInstanceKey = 'b'"), "a c ");
  EXPECT_EQ(workers(world, "Nope = 1"),
            "invalid query: invalid expression: column name 'Nope' is not a valid search attribute");
  api::DescribeWorkerRequest describe;
  describe.set_namespace_("default");
  describe.set_worker_instance_key("b");
  EXPECT_EQ(world.call(&WorkflowService::DescribeWorker, describe).reply.worker_info().worker_heartbeat().task_queue(),
            "W");
  api::ShutdownWorkerRequest shutdown;
  shutdown.set_namespace_("default");
  *shutdown.mutable_worker_heartbeat() = heartbeat("b", "h2");
  shutdown.mutable_worker_heartbeat()->set_status(enums::WORKER_STATUS_SHUTDOWN);
  ASSERT_TRUE(world.call(&WorkflowService::ShutdownWorker, shutdown).ok());
  EXPECT_EQ(world.call(&WorkflowService::DescribeWorker, describe).status.code, kNotFound);
  world.advance(std::chrono::seconds{299});
  record.clear_worker_heartbeat();
  *record.add_worker_heartbeat() = heartbeat("c", "h2");
  ASSERT_TRUE(world.call(&WorkflowService::RecordWorkerHeartbeat, record).ok());
  world.advance(std::chrono::seconds{2});
  api::CountWorkersRequest count;
  count.set_namespace_("default");
  EXPECT_EQ(world.call(&WorkflowService::CountWorkers, count).reply.count(), 1);
}

// Task queues.

api::DescribeTaskQueueRequest describe_queue(enums::TaskQueueType type = enums::TASK_QUEUE_TYPE_WORKFLOW) {
  api::DescribeTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("W");
  request.set_task_queue_type(type);
  request.set_report_stats(true);
  request.set_report_config(true);
  return request;
}

TEST(TaskQueues, ShowPollersAndWhatWaits) {
  ServiceWorld world;
  world.start("A");
  world.start("B");
  world.advance(std::chrono::seconds{3});
  auto queue = world.call(&WorkflowService::DescribeTaskQueue, describe_queue()).reply;
  EXPECT_EQ(queue.pollers_size(), 0);
  EXPECT_EQ(queue.stats().approximate_backlog_count(), 2);
  EXPECT_EQ(queue.stats().approximate_backlog_age().seconds(), 3);
  EXPECT_EQ(queue.versioning_info().current_version(), "__unversioned__");
  (void)world.poll();
  auto enhanced = describe_queue();
  enhanced.set_api_mode(enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED);
  enhanced.set_report_pollers(true);
  const auto types =
      world.call(&WorkflowService::DescribeTaskQueue, enhanced).reply.versions_info().at("").types_info();
  ASSERT_EQ(types.size(), 2u);
  EXPECT_EQ(types.at(1).stats().approximate_backlog_count(), 1);
  ASSERT_EQ(types.at(1).pollers_size(), 1);
  EXPECT_EQ(types.at(1).pollers(0).identity(), "wk");
  EXPECT_EQ(types.at(2).pollers_size(), 0);
  world.advance(std::chrono::seconds{301});
  queue = world.call(&WorkflowService::DescribeTaskQueue, describe_queue()).reply;
  EXPECT_EQ(queue.pollers_size(), 0) << "forgotten after five minutes";
}

TEST(TaskQueues, AConfiguredRateHoldsActivitiesBack) {
  ServiceWorld world;
  api::UpdateTaskQueueConfigRequest config;
  config.set_namespace_("default");
  config.set_task_queue("W");
  config.set_task_queue_type(enums::TASK_QUEUE_TYPE_WORKFLOW);
  EXPECT_EQ(world.call(&WorkflowService::UpdateTaskQueueConfig, config).status.message,
            "Setting rate limit on workflow task queues is not allowed.");
  config.set_task_queue_type(enums::TASK_QUEUE_TYPE_ACTIVITY);
  config.set_identity("me");
  config.mutable_update_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(2);
  config.mutable_update_queue_rate_limit()->set_reason("slow");
  ASSERT_TRUE(world.call(&WorkflowService::UpdateTaskQueueConfig, config).ok());
  world.restart();
  const auto shown =
      world.call(&WorkflowService::DescribeTaskQueue, describe_queue(enums::TASK_QUEUE_TYPE_ACTIVITY)).reply;
  EXPECT_EQ(shown.effective_rate_limit().requests_per_second(), 2);
  EXPECT_EQ(shown.effective_rate_limit().rate_limit_source(), enums::RATE_LIMIT_SOURCE_API);
  EXPECT_EQ(shown.config().queue_rate_limit().metadata().reason(), "slow");

  world.start();
  (void)world.complete(world.poll(), {schedule_activity("1"), schedule_activity("2"), schedule_activity("3")});
  api::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("W");
  std::vector<Pending<ActivityTask>> polls;
  for (int i = 0; i < 3; ++i) {
    polls.push_back(world.send(&WorkflowService::PollActivityTaskQueue, poll, world.within(std::chrono::seconds{70})));
  }
  const auto given = [&polls] {
    return std::count_if(polls.begin(), polls.end(), [](const auto& one) { return one->done; });
  };
  EXPECT_EQ(given(), 1);
  world.advance(std::chrono::milliseconds{499});
  EXPECT_EQ(given(), 1);
  world.advance(std::chrono::milliseconds{1});
  EXPECT_EQ(given(), 2);
  world.advance(std::chrono::milliseconds{500});
  EXPECT_EQ(given(), 3);
}

TEST(TaskQueues, AStickyQueueIsForgottenOnRequest) {
  ServiceWorld world;
  world.start();
  auto done = world.completion(world.poll(), {});
  done.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("sticky");
  *done.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() = seconds(5);
  ASSERT_TRUE(world.call(&WorkflowService::RespondWorkflowTaskCompleted, done).ok());
  const auto sticky = world.poll_later("sticky", "W");
  api::ResetStickyTaskQueueRequest reset;
  reset.set_namespace_("default");
  EXPECT_EQ(world.call(&WorkflowService::ResetStickyTaskQueue, reset).status.message,
            "Execution is not set on request.");
  reset.mutable_execution()->set_workflow_id("W");
  ASSERT_TRUE(world.call(&WorkflowService::ResetStickyTaskQueue, reset).ok());
  ASSERT_TRUE(world.signal("s").ok());
  EXPECT_FALSE(sticky->done);
  EXPECT_EQ(world.poll().history().events(0).event_id(), 1) << "the whole history, from the normal queue";
}

TEST(SwitchedOff, AnswersAsTheRealServerDoes) {
  ServiceWorld world;
  api::GetWorkerBuildIdCompatibilityRequest sets;
  EXPECT_EQ(world.call(&WorkflowService::GetWorkerBuildIdCompatibility, sets).status.message, "Namespace is empty.");
  sets.set_namespace_("nope");
  EXPECT_EQ(world.call(&WorkflowService::GetWorkerBuildIdCompatibility, sets).status.code, kNotFound);
  sets.set_namespace_("default");
  const auto denied = world.call(&WorkflowService::GetWorkerBuildIdCompatibility, sets).status;
  EXPECT_EQ(denied.code, kPermissionDenied);
  EXPECT_EQ(denied.detail_type, "temporal.api.errordetails.v1.PermissionDeniedFailure");
  api::ListWorkflowRulesRequest rules;
  rules.set_namespace_("default");
  const auto absent = world.call(&WorkflowService::ListWorkflowRules, rules).status;
  EXPECT_EQ(absent.code, kUnimplemented);
  EXPECT_EQ(absent.message, "method ListWorkflowRules not supported");
  api::ListArchivedWorkflowExecutionsRequest archived;
  archived.set_namespace_("default");
  EXPECT_EQ(world.call(&WorkflowService::ListArchivedWorkflowExecutions, archived).status.code, kInvalid);
}

}  // namespace
}  // namespace callimport::engine::testing_world
