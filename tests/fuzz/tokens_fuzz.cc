// Tokens that come back changed: [which call][0: the bytes alone, else: after a good token][bytes]. Fields of a
// protobuf message that come twice count as the last says, so the bytes are what was changed.
#include <memory>
#include <string>

#include "engine/embedded.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "storage/model/ensure.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "tests/engine/memory_journal.h"

namespace {

using namespace callimport;
using namespace callimport::engine;
namespace enums = temporal::api::enums::v1;

/// Workflow `w`: its activity is started, its second task is started, and `closed` was terminated.
class World {
 public:
  World() : journal_(loop_) {
    auto opened = EmbeddedService::open(journal_, loop_, loop_, random_, EmbeddedOptions{});
    ENSURE(opened.has_value());
    service_ = std::move(*opened);
    begin();
  }

  template <class Request, class Response>
  Response call(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>), Request request) {
    int answers = 0;
    Response response;
    request.set_namespace_("default");
    (service_.get()->*method)(request, {++calls_, loop_.now() + std::chrono::seconds{10}},
                              [&](const PortStatus& status, Response* reply) {
                                ++answers;
                                ENSURE(status.ok() == (reply != nullptr));
                                if (reply != nullptr) response.Swap(reply);
                              });
    loop_.run_for(std::chrono::seconds{11});
    ENSURE(answers == 1);
    return response;
  }

  std::string activity_token, task_token;

 private:
  void begin();

  simulations::SimLoop loop_;
  simulations::SeededRandom random_{7};
  testing_world::MemoryJournal journal_;
  std::unique_ptr<EmbeddedService> service_;
  std::uint64_t calls_ = 0;
};

void World::begin() {
  for (const char* id : {"w", "closed"}) {
    api::StartWorkflowExecutionRequest start;
    start.set_workflow_id(id);
    start.mutable_workflow_type()->set_name("T");
    start.mutable_task_queue()->set_name(id);
    start.mutable_workflow_task_timeout()->set_seconds(120);
    call(&WorkflowService::StartWorkflowExecution, start);
  }
  api::TerminateWorkflowExecutionRequest end;
  end.mutable_workflow_execution()->set_workflow_id("closed");
  call(&WorkflowService::TerminateWorkflowExecution, end);
  api::PollWorkflowTaskQueueRequest poll;
  poll.mutable_task_queue()->set_name("w");
  api::RespondWorkflowTaskCompletedRequest done;
  done.set_task_token(call(&WorkflowService::PollWorkflowTaskQueue, poll).task_token());
  auto* command = done.add_commands();
  command->set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto& activity = *command->mutable_schedule_activity_task_command_attributes();
  activity.set_activity_id("a");
  activity.mutable_activity_type()->set_name("A");
  activity.mutable_task_queue()->set_name("w");
  activity.mutable_start_to_close_timeout()->set_seconds(3600);
  call(&WorkflowService::RespondWorkflowTaskCompleted, done);
  api::PollActivityTaskQueueRequest poll_activity;
  poll_activity.mutable_task_queue()->set_name("w");
  activity_token = call(&WorkflowService::PollActivityTaskQueue, poll_activity).task_token();
  api::SignalWorkflowExecutionRequest signal;
  signal.mutable_workflow_execution()->set_workflow_id("w");
  signal.set_signal_name("s");
  call(&WorkflowService::SignalWorkflowExecution, signal);
  task_token = call(&WorkflowService::PollWorkflowTaskQueue, poll).task_token();
}

/// What the fuzzer asks for.
struct Order {
  World& world;
  bool good = false, closed = false;
  std::string bytes{};

  template <class Request, class Response>
  void with_task(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>),
                 const std::string& token) {
    Request request;
    request.set_task_token((good ? token : "") + bytes);
    world.call(method, request);
  }
  /// The first page gives the good token.
  template <class Request, class Response>
  void with_page(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>), Request request) {
    std::string token;
    if (good) token = world.call(method, request).next_page_token();
    ENSURE(!good || !token.empty());
    request.set_next_page_token(token + bytes);
    world.call(method, request);
  }
  template <class Request, class Response>
  void with_history(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>), Request request) {
    request.mutable_execution()->set_workflow_id(closed ? "closed" : "w");
    request.set_maximum_page_size(1);
    with_page(method, request);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  World world;
  ENSURE(!world.task_token.empty() && !world.activity_token.empty());
  Order order{world, data[1] != 0, data[0] >= 128};
  order.bytes.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 9) {
    case 0: order.with_task(&WorkflowService::RespondWorkflowTaskCompleted, world.task_token); break;
    case 1: order.with_task(&WorkflowService::RespondWorkflowTaskFailed, world.task_token); break;
    case 2: order.with_task(&WorkflowService::RespondQueryTaskCompleted, world.task_token); break;
    case 3: order.with_task(&WorkflowService::RespondActivityTaskCompleted, world.activity_token); break;
    case 4: order.with_task(&WorkflowService::RecordActivityTaskHeartbeat, world.activity_token); break;
    case 5: order.with_history(&WorkflowService::GetWorkflowExecutionHistory, {}); break;
    case 6: {
      api::GetWorkflowExecutionHistoryRequest request;
      request.set_wait_new_event(true);
      order.with_history(&WorkflowService::GetWorkflowExecutionHistory, request);
      break;
    }
    case 7: order.with_history(&WorkflowService::GetWorkflowExecutionHistoryReverse, {}); break;
    default: {
      api::ListWorkflowExecutionsRequest request;
      request.set_page_size(1);
      order.with_page(&WorkflowService::ListWorkflowExecutions, request);
    }
  }
  return 0;
}
