#pragma once
// The embedded service, a journal on a simulated disk, and a worker, on one virtual clock.
#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <functional>
#include <memory>
#include <string>

#include "engine/embedded.h"
#include "engine/worker.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"
#include "storage/journal/journal.h"

namespace callimport::engine::testing_support {

using temporal::api::history::v1::History;

class EngineWorld {
 public:
  explicit EngineWorld(std::uint64_t seed = 1) : random(seed) { open(); }
  ~EngineWorld() {
    worker.reset();
    loop.drop_all();
  }

  void open() {
    storage::JournalOptions journal_options;
    journal_options.path = "/data/journal.db";
    journal_options.threaded = false;
    ASSERT_TRUE(disk.make_dirs("/data").has_value());
    auto opened = storage::open_journal(disk, loop, journal_options);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    journal = std::move(*opened);
    EmbeddedOptions options;
    options.search_attributes = {{"Stage", "Keyword"}, {"Count", "Int"}};
    auto service_opened = EmbeddedService::open(*journal, loop, loop, random, options);
    ASSERT_TRUE(service_opened.has_value()) << service_opened.error().message;
    service = std::move(*service_opened);
  }

  /// Nothing is said to anybody; what was durable comes back.
  void kill_and_reopen() {
    worker.reset();
    loop.drop_all();
    service.reset();
    journal.reset();
    disk.kill();
    open();
  }

  void start_worker(int cached_runs, const std::function<void(Worker&)>& add) {
    WorkerOptions options;
    options.task_queue = "Q";
    options.identity = "worker";
    options.cached_runs_max = cached_runs;
    worker = Worker::create(*service, loop, loop, random, options);
    add(*worker);
    worker->start();
  }

  template <class Request, class Response>
  PortStatus ask(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>), Request request,
                 Response* into = nullptr) {
    request.set_namespace_("default");
    PortStatus answer;
    bool answered = false;
    CallContext context;
    context.deadline = loop.now() + 60s;
    (service.get()->*method)(request, context, [&](const PortStatus& status, Response* reply) {
      answer = status;
      answered = true;
      if (reply != nullptr && into != nullptr) into->Swap(reply);
    });
    loop.run_until([&answered] { return answered; });
    EXPECT_TRUE(answered);
    return answer;
  }

  std::string start(const std::string& id, const std::string& type, const std::string& input = "") {
    api::StartWorkflowExecutionRequest request;
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name(type);
    request.mutable_task_queue()->set_name("Q");
    request.set_request_id(random.uuid4());
    if (!input.empty()) set_json(request.mutable_input(), input);
    api::StartWorkflowExecutionResponse reply;
    const auto status = ask(&WorkflowService::StartWorkflowExecution, request, &reply);
    EXPECT_TRUE(status.ok()) << status.message;
    return reply.run_id();
  }
  void signal(const std::string& id, const std::string& name, const std::string& input) {
    api::SignalWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name(name);
    request.set_request_id(random.uuid4());
    set_json(request.mutable_input(), input);
    const auto status = ask(&WorkflowService::SignalWorkflowExecution, request);
    EXPECT_TRUE(status.ok()) << status.message;
  }
  void cancel(const std::string& id) {
    api::RequestCancelWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_request_id(random.uuid4());
    const auto status = ask(&WorkflowService::RequestCancelWorkflowExecution, request);
    EXPECT_TRUE(status.ok()) << status.message;
  }
  /// The outcome's JSON text, "failure: " and its text, or the error's text.
  std::string update(const std::string& id, const std::string& name, const std::string& input,
                     const std::string& update_id = "") {
    api::UpdateWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.mutable_request()->mutable_meta()->set_update_id(update_id);
    request.mutable_request()->mutable_input()->set_name(name);
    set_json(request.mutable_request()->mutable_input()->mutable_args(), input);
    api::UpdateWorkflowExecutionResponse reply;
    const auto status = ask(&WorkflowService::UpdateWorkflowExecution, request, &reply);
    if (!status.ok()) return status.message;
    if (reply.outcome().has_failure()) return "failure: " + reply.outcome().failure().message();
    return reply.outcome().success().payloads_size() == 1 ? reply.outcome().success().payloads(0).data() : "nothing";
  }
  /// The answer's JSON text, or the error's text.
  std::string query(const std::string& id, const std::string& type) {
    api::QueryWorkflowRequest request;
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_query()->set_query_type(type);
    api::QueryWorkflowResponse reply;
    const auto status = ask(&WorkflowService::QueryWorkflow, request, &reply);
    if (!status.ok()) return status.message;
    return reply.query_result().payloads_size() == 1 ? reply.query_result().payloads(0).data() : "nothing";
  }
  History history(const std::string& id, const std::string& run = "") {
    History history;
    std::string token;
    do {
      api::GetWorkflowExecutionHistoryRequest request;
      request.mutable_execution()->set_workflow_id(id);
      request.mutable_execution()->set_run_id(run);
      request.set_next_page_token(token);
      api::GetWorkflowExecutionHistoryResponse reply;
      const auto status = ask(&WorkflowService::GetWorkflowExecutionHistory, request, &reply);
      EXPECT_TRUE(status.ok()) << status.message;
      if (!status.ok()) return history;
      history.MergeFrom(reply.history());
      token = reply.next_page_token();
    } while (!token.empty());
    return history;
  }

  static void set_json(temporal::api::common::v1::Payloads* to, const std::string& json) {
    auto* payload = to->add_payloads();
    (*payload->mutable_metadata())["encoding"] = "json/plain";
    payload->set_data(json);
  }

  simulations::SimLoop loop;
  simulations::SeededRandom random;
  simulations::SimDisk disk;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<EmbeddedService> service;
  std::unique_ptr<Worker> worker;
};

}  // namespace callimport::engine::testing_support
