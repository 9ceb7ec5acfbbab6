#include "engine/cluster/cluster.h"

#include <grpcpp/channel.h>
#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/operatorservice/v1/service.grpc.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/service.grpc.pb.h>

#include <atomic>
#include <map>
#include <unordered_map>
#include <utility>

#include "engine/cluster/status.h"

namespace callimport::engine {
namespace {

using WorkflowStub = api::WorkflowService::StubInterface::async_interface;
using OperatorStub = operator_api::OperatorService::StubInterface::async_interface;

/// What gRPC's threads and we share: how many of their callbacks are still to come.
struct UnderWay {
  std::atomic<std::size_t> calls{0};
  void begin() { calls.fetch_add(1); }
  void end() {
    calls.fetch_sub(1);
    calls.notify_all();
  }
  void wait_for_none() const {
    for (auto left = calls.load(); left != 0; left = calls.load()) calls.wait(left);
  }
};

/// One call. gRPC reads the request and fills the response until its callback; `reply` is the loop's.
struct PendingCall {
  grpc::ClientContext context;
  virtual ~PendingCall() = default;
};
template <class Request, class Response>
struct TypedCall final : PendingCall {
  Request request;
  Response response;
  Reply<Response> reply;
};

class GrpcCluster final : public Cluster {
 public:
  GrpcCluster(Executor& loop, Clock& clock, ClusterOptions options)
      : loop_(loop),
        clock_(clock),
        headers_(std::move(options.headers)),
        workflow_(api::WorkflowService::NewStub(options.channel)),
        operator_(operator_api::OperatorService::NewStub(options.channel)) {}

  GrpcCluster(const GrpcCluster&) = delete;
  GrpcCluster& operator=(const GrpcCluster&) = delete;
  ~GrpcCluster() override {
    *alive_ = false;
    for (const auto& [number, call] : pending_) call->context.TryCancel();
    pending_.clear();
    under_way_->wait_for_none();
  }

#define X(Name)                                                                                                  \
  void Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) override { \
    start<WorkflowStub>(*workflow_->async(), &WorkflowStub::Name, request, context, std::move(reply));           \
  }
#include "engine/rpcs.inc"
#undef X
  void AddSearchAttributes(const operator_api::AddSearchAttributesRequest& request, CallContext context,
                           Reply<operator_api::AddSearchAttributesResponse> reply) override {
    start<OperatorStub>(*operator_->async(), &OperatorStub::AddSearchAttributes, request, context, std::move(reply));
  }
  void ListSearchAttributes(const operator_api::ListSearchAttributesRequest& request, CallContext context,
                            Reply<operator_api::ListSearchAttributesResponse> reply) override {
    start<OperatorStub>(*operator_->async(), &OperatorStub::ListSearchAttributes, request, context, std::move(reply));
  }

  void cancel(std::uint64_t call) override {
    const auto found = numbers_.find(call);
    if (found == numbers_.end()) return;
    const auto pending = pending_.find(found->second);
    numbers_.erase(found);
    pending->second->context.TryCancel();
    pending_.erase(pending);
  }

  std::size_t pending() const override { return pending_.size(); }

 private:
  template <class Stub, class Request, class Response>
  using Method = void (Stub::*)(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

  template <class Stub, class Request, class Response>
  void start(Stub& stub, Method<Stub, Request, Response> method, const Request& request, CallContext context,
             Reply<Response> reply) {
    auto call = std::make_shared<TypedCall<Request, Response>>();  // shared by the table here and gRPC's callback
    call->request = request;
    call->reply = std::move(reply);
    for (const auto& [name, value] : headers_) call->context.AddMetadata(name, value);
    const auto deadline = context.deadline.value_or(clock_.now() + kCallDeadline);
    call->context.set_deadline(std::chrono::time_point_cast<std::chrono::system_clock::duration>(deadline));
    const std::uint64_t number = ++last_number_;
    pending_[number] = call;
    if (context.call != 0) numbers_[context.call] = number;
    under_way_->begin();
    auto done = [this, call, number, asked = context.call, alive = alive_, under_way = under_way_,
                 &loop = loop_](const grpc::Status& status) {
      loop.post([this, call, number, asked, alive, status] {
        if (*alive) answered(*call, number, asked, status);
      });
      under_way->end();
    };
    (stub.*method)(&call->context, &call->request, &call->response, std::move(done));
  }

  template <class Request, class Response>
  void answered(TypedCall<Request, Response>& call, std::uint64_t number, std::uint64_t asked,
                const grpc::Status& status) {
    if (pending_.erase(number) == 0) return;  // cancelled meanwhile
    if (asked != 0) numbers_.erase(asked);
    const auto reply = std::move(call.reply);
    if (reply) reply(port_status(status), status.ok() ? &call.response : nullptr);
  }

  Executor& loop_;
  Clock& clock_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  std::unique_ptr<api::WorkflowService::Stub> workflow_;
  std::unique_ptr<operator_api::OperatorService::Stub> operator_;
  std::map<std::uint64_t, std::shared_ptr<PendingCall>> pending_;  // by a number of our own
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_;       // the caller's number -> ours; never iterated
  std::uint64_t last_number_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the loop's; shared with answers on their way to it
  std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();  // shared with gRPC's callbacks
};

}  // namespace

std::unique_ptr<Cluster> Cluster::create(Executor& loop, Clock& clock, ClusterOptions options) {
  return std::make_unique<GrpcCluster>(loop, clock, std::move(options));
}

}  // namespace callimport::engine
