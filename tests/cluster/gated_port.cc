#include "tests/cluster/gated_port.h"

#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <map>
#include <string>
#include <utility>

namespace callimport::tests {
namespace {

namespace api = engine::api;
namespace enums = ::temporal::api::enums::v1;
using engine::CallContext;
using engine::PortStatus;
using engine::Reply;
using engine::WorkflowService;

class GatedPort final : public WorkflowService {
 public:
  explicit GatedPort(WorkflowService& behind) : behind_(behind) {}

#define X(Name)                                                                                                  \
  void Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) override { \
    send(&WorkflowService::Name, request, context, std::move(reply));                                            \
  }
#include "engine/rpcs.inc"
#undef X
  void cancel(std::uint64_t call) override { behind_.cancel(call); }

 private:
  template <class Request, class Response>
  using Method = void (WorkflowService::*)(const Request&, CallContext, Reply<Response>);

  template <class Request, class Response>
  void send(Method<Request, Response> method, const Request& request, CallContext context, Reply<Response> reply) {
    (behind_.*method)(request, context, std::move(reply));
  }

  void send(Method<api::PollActivityTaskQueueRequest, api::PollActivityTaskQueueResponse> method,
            const api::PollActivityTaskQueueRequest& request, CallContext context,
            Reply<api::PollActivityTaskQueueResponse> reply) {
    (behind_.*method)(
        request, context,
        [this, reply = std::move(reply)](const PortStatus& status, api::PollActivityTaskQueueResponse* task) {
          if (!status.ok() || task->task_token().empty()) return reply(status, task);
          auto kept = std::make_shared<api::PollActivityTaskQueueResponse>();  // shared: in a function
          kept->Swap(task);
          held_[std::stoll(kept->activity_id())] = [kept, reply] { reply({}, kept.get()); };
          let_one_through();
        });
  }

  void send(Method<api::RespondActivityTaskCompletedRequest, api::RespondActivityTaskCompletedResponse> method,
            const api::RespondActivityTaskCompletedRequest& request, CallContext context,
            Reply<api::RespondActivityTaskCompletedResponse> reply) {
    running_ = false;
    deciding_ = true;
    (behind_.*method)(request, context, std::move(reply));
  }

  void send(Method<api::RespondWorkflowTaskCompletedRequest, api::RespondWorkflowTaskCompletedResponse> method,
            const api::RespondWorkflowTaskCompletedRequest& request, CallContext context,
            Reply<api::RespondWorkflowTaskCompletedResponse> reply) {
    std::size_t scheduled = 0;
    for (const auto& command : request.commands()) {
      if (command.command_type() == enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK) ++scheduled;
    }
    (behind_.*method)(request, context,
                      [this, scheduled, reply = std::move(reply)](const PortStatus& status,
                                                                  api::RespondWorkflowTaskCompletedResponse* answer) {
                        if (status.ok()) {
                          open_ += scheduled;
                          deciding_ = answer->has_workflow_task();
                        }
                        reply(status, answer);
                        let_one_through();
                      });
  }

  void let_one_through() {
    if (deciding_ || running_ || held_.empty() || held_.size() != open_) return;
    const auto first = std::move(held_.begin()->second);
    held_.erase(held_.begin());
    --open_;
    running_ = true;
    first();
  }

  WorkflowService& behind_;
  std::map<std::int64_t, std::function<void()>> held_;  // activities handed out and not let through, by id
  std::size_t open_ = 0;                                // scheduled and not let through
  bool running_ = false;                                // one was let through
  bool deciding_ = true;                                // a workflow task is due or under way
};

}  // namespace

std::unique_ptr<WorkflowService> gated(WorkflowService& behind) { return std::make_unique<GatedPort>(behind); }

}  // namespace callimport::tests
