#include "api/grpc/temporal_methods.h"

#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <utility>

#include "api/grpc/typed.h"

namespace callimport::api {
namespace {

using engine::WorkflowService;

template <class Request, class Response>
using PortMethod = void (WorkflowService::*)(const Request&, CallContext, engine::Reply<Response>);

template <class Request, class Response>
Method port_method(WorkflowService& service, PortMethod<Request, Response> function) {
  return typed_method<Request>(
      [&service, function](std::shared_ptr<Request> request, CallContext context, std::shared_ptr<Answer> answer) {
        (service.*function)(*request, context, [answer](const PortStatus& status, Response* reply) {
          if (reply != nullptr && status.ok()) return answer->reply(*reply);
          answer->finish(status);
        });
      });
}

/// The names a server has of itself (conformance C.13); all others were added by people.
bool is_system_attribute(std::string_view name) {
  static const std::set<std::string, std::less<>> names = {"WorkflowId",        "RunId",
                                                           "WorkflowType",      "StartTime",
                                                           "ExecutionTime",     "CloseTime",
                                                           "ExecutionStatus",   "TaskQueue",
                                                           "HistoryLength",     "HistorySizeBytes",
                                                           "ExecutionDuration", "StateTransitionCount",
                                                           "ParentWorkflowId",  "ParentRunId",
                                                           "RootWorkflowId",    "RootRunId",
                                                           "BinaryChecksums",   "BuildIds",
                                                           "BatcherUser",       "BatcherNamespace"};
  return names.contains(name) || name.starts_with("Temporal");
}

Method list_search_attributes(WorkflowService& service) {
  using Request = temporal::api::operatorservice::v1::ListSearchAttributesRequest;
  return typed_method<Request>(
      [&service](std::shared_ptr<Request> request, CallContext context, std::shared_ptr<Answer> answer) {
        if (request->namespace_().empty()) {
          return answer->finish({kGrpcInvalidArgument, "Namespace is not set on request.", {}, {}});
        }
        service.GetSearchAttributes(
            {}, context, [answer](const PortStatus& status, engine::api::GetSearchAttributesResponse* facts) {
              if (!status.ok() || facts == nullptr) return answer->finish(status);
              temporal::api::operatorservice::v1::ListSearchAttributesResponse reply;
              for (const auto& [name, type] : facts->keys()) {
                auto& attributes =
                    is_system_attribute(name) ? *reply.mutable_system_attributes() : *reply.mutable_custom_attributes();
                attributes[name] = type;
              }
              answer->reply(reply);
            });
      });
}

}  // namespace

void add_temporal_methods(Router& router, WorkflowService& service) {
  const std::string prefix = "/" + std::string(kWorkflowService) + "/";
#define X(Name)                    \
  router.methods[prefix + #Name] = \
      port_method<engine::api::Name##Request, engine::api::Name##Response>(service, &WorkflowService::Name);
#include "engine/rpcs.inc"
#undef X
  router.methods["/" + std::string(kOperatorService) + "/ListSearchAttributes"] = list_search_attributes(service);
  router.services.insert({std::string(kWorkflowService), std::string(kOperatorService), std::string(kAdminService)});
  router.cancelled = [&service](std::uint64_t call) { service.cancel(call); };
}

}  // namespace callimport::api
