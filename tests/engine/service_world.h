#pragma once
// The embedded service on a virtual clock, a client and a hand-made worker for it, and histories as transcripts.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/embedded.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "tests/engine/memory_journal.h"

namespace callimport::engine::testing_world {

using Command = temporal::api::command::v1::Command;
using History = temporal::api::history::v1::History;
using Payloads = temporal::api::common::v1::Payloads;
using WorkflowTask = api::PollWorkflowTaskQueueResponse;
using ActivityTask = api::PollActivityTaskQueueResponse;
namespace enums = ::temporal::api::enums::v1;

/// An answer, now or later.
template <class Response>
struct Answer {
  bool done = false;
  PortStatus status;
  Response reply;
  bool ok() const { return done && status.ok(); }
};
template <class Response>
using Pending = std::shared_ptr<Answer<Response>>;

Payloads payloads(const std::string& json);
google::protobuf::Duration seconds(double s);

class ServiceWorld {
 public:
  explicit ServiceWorld(EmbeddedOptions options = {}, Durable durable = {},
                        Timestamp now = simulations::kSimulationStart);
  ~ServiceWorld();
  ServiceWorld(const ServiceWorld&) = delete;

  /// Calls and runs what is due now.
  template <class Request, class Response>
  Pending<Response> send(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>),
                         const Request& request, CallContext context = {}) {
    auto answer = std::make_shared<Answer<Response>>();
    (service().*method)(request, context, [answer](const PortStatus& status, Response* reply) {
      EXPECT_FALSE(answer->done) << "answered twice";
      answer->done = true;
      answer->status = status;
      if (reply != nullptr) answer->reply = std::move(*reply);
    });
    EXPECT_FALSE(answer->done) << "answered inside the call";
    loop.run_idle();
    return answer;
  }
  /// The same for calls that answer at once.
  template <class Request, class Response>
  Answer<Response> call(void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>),
                        const Request& request, CallContext context = {}) {
    auto pending = send(method, request, context);
    EXPECT_TRUE(pending->done) << "no answer to " << Request::descriptor()->name();
    return *pending;
  }

  EmbeddedService& service() { return *service_; }
  /// The process ends; another begins over what was durable.
  void restart();
  void advance(Nanos by) { loop.run_for(by); }
  CallContext within(Nanos deadline, std::uint64_t number = 0) { return {number, loop.now() + deadline}; }

  // A client. W is the workflow and its queue, T the type, unless said otherwise.
  api::StartWorkflowExecutionRequest start_request(const std::string& id = "W") const;
  std::string start(const std::string& id = "W");  ///< run id
  PortStatus signal(const std::string& name, const std::string& id = "W", const std::string& request_id = "");
  PortStatus cancel(const std::string& reason = "", const std::string& id = "W");
  PortStatus terminate(const std::string& reason, const std::string& id = "W");
  api::DescribeWorkflowExecutionResponse describe(const std::string& id = "W");

  // A worker.
  Pending<WorkflowTask> poll_later(const std::string& queue = "W", const std::string& sticky_of = "");
  WorkflowTask poll(const std::string& queue = "W", const std::string& sticky_of = "");
  ActivityTask poll_activity(const std::string& queue = "W");
  api::RespondWorkflowTaskCompletedRequest completion(const WorkflowTask& task,
                                                      const std::vector<Command>& commands) const;
  Answer<api::RespondWorkflowTaskCompletedResponse> complete(const WorkflowTask& task,
                                                             const std::vector<Command>& commands = {});
  PortStatus complete_activity(const ActivityTask& task, const std::string& json = "\"r\"");
  PortStatus fail_activity(const ActivityTask& task, const std::string& message, const std::string& type = "E");

  /// The history in the notation of conformance E; checks its invariants. From event `from` on.
  std::string transcript(const std::string& id = "W", const std::string& run_id = "", std::int64_t from = 1);
  /// Everything a client can see: lists, describes, histories. Equal states give equal text.
  std::string everything();
  /// In transcripts the run has this name; without it, R1, R2 and so on, in order of first sight.
  void name_run(const std::string& run_id, const std::string& name) { run_names_[run_id] = name; }
  /// Batches of the history, read one a page.
  std::vector<History> batches(const std::string& id, const std::string& run_id);
  History history(const std::string& id = "W", const std::string& run_id = "");

  simulations::SimLoop loop;
  simulations::SeededRandom random{7};
  std::unique_ptr<MemoryJournal> journal;
  EmbeddedOptions options;

 private:
  std::unique_ptr<EmbeddedService> service_;
  std::map<std::string, std::string> run_names_;  ///< run id -> R1, R2, in order of first sight
};

// Commands.
Command schedule_activity(const std::string& id, const std::string& queue = "W", double start_to_close = 10);
Command start_timer(const std::string& id, double s);
Command cancel_timer(const std::string& id);
Command cancel_activity(std::int64_t scheduled);
Command complete_workflow(const std::string& json = "");
Command fail_workflow(const std::string& message, const std::string& type = "E");
Command cancel_workflow();
Command continue_as_new(const std::string& json);
Command marker(const std::string& name);
/// The child's queue is its id, its type C.
Command start_child(const std::string& id, enums::ParentClosePolicy policy = enums::PARENT_CLOSE_POLICY_UNSPECIFIED);
Command signal_other(const std::string& id, const std::string& signal, bool child_only = false);
Command cancel_other(const std::string& id, bool child_only = false);

}  // namespace callimport::engine::testing_world
