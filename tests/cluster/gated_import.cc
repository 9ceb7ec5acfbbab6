#include "tests/cluster/gated_import.h"

#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include "activities/import/contract.h"
#include "activities/media/inline_probe.h"
#include "api/serve/house.h"
#include "engine/cluster/cluster.h"
#include "engine/cluster/handshake.h"
#include "engine/worker.h"
#include "engine/worker/payloads.h"
#include "tests/cluster/gated_port.h"
#include "workflows/import/import_workflow.h"

// Last: Abseil, which gRPC brings, has macros of the names of ours.
#include "api/grpc/channel.h"

namespace callimport::tests {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
namespace enums = ::temporal::api::enums::v1;

struct Workshop {
  Scratch scratch;
  api::House house;
  activities::InlineMediaProbe probe{house.posix};
  std::unique_ptr<engine::Cluster> cluster;
  std::unique_ptr<engine::WorkflowService> gate;
  std::unique_ptr<engine::Worker> worker;
  std::string task_queue;
};

Result<> open(Workshop& shop, const std::string& address) {
  api::HouseOrder order;
  order.data_folder = shop.scratch / "data";
  order.log_level = "off";
  TRY_VOID(api::open_house(shop.house, order, "test"));
  auto& house = shop.house;
  shop.cluster =
      engine::Cluster::create(house.loop, house.loop, {api::open_channel(api::Connection{.address = address}), {}});
  shop.gate = gated(*shop.cluster);
  shop.task_queue = "library-" + house.library->id();
  engine::WorkerOptions options;
  options.task_queue = shop.task_queue;
  const auto lanes = workflows::lane_queues(shop.task_queue);
  options.more_activity_queues = {lanes.first, lanes.bulk};
  options.identity = "worker";
  options.activity_polls = 20;  // the gate holds back what they bring
  shop.worker = engine::Worker::create(*shop.gate, house.loop, house.loop, house.random, options);
  shop.worker->register_workflow(workflows::kImportWorkflow, workflows::import_workflow);
  activities::register_import_activities(*shop.worker, activities::ImportDeps{*house.library,
                                                                              *house.vault,
                                                                              *house.media,
                                                                              *house.http,
                                                                              shop.probe,
                                                                              house.loop,
                                                                              *house.pool,
                                                                              house.loop,
                                                                              house.random,
                                                                              *house.permits,
                                                                              *house.reserve,
                                                                              *house.access,
                                                                              {}});
  return {};
}

Result<> meet(Workshop& shop) {
  Result<> met;
  auto hands = engine::shake_hands(*shop.cluster, shop.house.loop, shop.house.loop, shop.house.random,
                                   {"default", workflows::import_search_attributes()});
  engine::spawn(shop.house.loop, std::move(hands), [&](Result<engine::ClusterFacts> facts) {
    if (!facts) met = tl::unexpected(facts.error());
    shop.house.loop.stop();
  });
  shop.house.loop.run();
  return met;
}

activities::ImportInput wishes(Workshop& shop, const std::string& base_url, activities::ImportSettings settings) {
  activities::ImportInput input;
  input.import = "imp_gated";
  input.platform = "grain";
  input.workspace = "acme";
  input.title = "Acme";
  const auto credential =
      shop.house.vault->add("grain", "acme", "pat", storage::Secret(std::string(simulations::kGrainSandboxToken)),
                            to_unix_ms(shop.house.loop.now()));
  input.credential = credential ? credential->str() : "";
  input.base_url = base_url;
  input.started_by = "test";
  input.settings = std::move(settings);
  input.settings.heartbeat_ms = 600'000;  // while the gate holds it back an activity is silent
  return input;
}

/// Starts it and runs the loop until its last run is closed.
void run_to_its_end(Workshop& shop, const activities::ImportInput& input) {
  auto& loop = shop.house.loop;
  service::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id(input.import);
  start.mutable_workflow_type()->set_name(workflows::kImportWorkflow);
  start.mutable_task_queue()->set_name(shop.task_queue);
  start.set_request_id(shop.house.random.uuid4());
  engine::worker::set_json(start.mutable_input(), activities::write_note(input));
  std::string token;
  std::function<void()> watch = [&] {
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(input.import);
    request.set_wait_new_event(true);
    request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
    request.set_next_page_token(token);
    shop.cluster->GetWorkflowExecutionHistory(
        request, {}, [&](const engine::PortStatus& status, service::GetWorkflowExecutionHistoryResponse* reply) {
          EXPECT_TRUE(status.ok()) << status.message;
          if (!status.ok()) return loop.stop();
          const auto& events = reply->history().events();
          const bool goes_on =
              events.empty() || events[0].event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
          if (!goes_on) return loop.stop();
          token = reply->next_page_token();
          watch();
        });
  };
  shop.cluster->StartWorkflowExecution(start, {},
                                       [&](const engine::PortStatus& status, service::StartWorkflowExecutionResponse*) {
                                         EXPECT_TRUE(status.ok()) << status.message;
                                         if (!status.ok()) return loop.stop();
                                         watch();
                                       });
  shop.worker->start();
  loop.run();
}

}  // namespace

std::vector<History> gated_import(const std::string& address, std::uint64_t calls,
                                  const activities::ImportSettings& settings) {
  simulations::GrainOptions options;
  options.generated.calls = calls;
  options.generated.seed = 5;
  options.generated.media_bytes = 20'000;
  options.requests_per_minute = 0;
  Workshop shop;
  WatchedSandbox sandbox(std::move(options));
  auto listening = simulations::SandboxServer::listen(sandbox, {"127.0.0.1", 0, shop.scratch / "requests.jsonl"});
  EXPECT_TRUE(listening.has_value());
  (*listening)->start();
  auto ready = open(shop, address);
  if (ready) ready = meet(shop);
  EXPECT_TRUE(ready.has_value()) << ready.error().message;
  if (!ready) return {};
  run_to_its_end(shop, wishes(shop, "http://127.0.0.1:" + std::to_string((*listening)->port()), settings));
  shop.worker.reset();
  auto client = api::Client::create(api::Connection{.address = address});
  return closed_histories(*client, "imp_gated");
}

}  // namespace callimport::tests
