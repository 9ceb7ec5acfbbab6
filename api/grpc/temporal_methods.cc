#include "api/grpc/temporal_methods.h"

#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <utility>

#include "api/grpc/typed.h"

namespace callimport::api {
namespace {

using engine::OperatorService;
using engine::WorkflowService;

template <class Service, class Request, class Response>
using PortMethod = void (Service::*)(const Request&, CallContext, engine::Reply<Response>);

template <class Service, class Request, class Response>
Method port_method(Service& service, PortMethod<Service, Request, Response> function) {
  return typed_method<Request>(
      [&service, function](std::shared_ptr<Request> request, CallContext context, std::shared_ptr<Answer> answer) {
        (service.*function)(*request, context, [answer](const PortStatus& status, Response* reply) {
          if (reply != nullptr && status.ok()) return answer->reply(*reply);
          answer->finish(status);
        });
      });
}

}  // namespace

void add_temporal_methods(Router& router, WorkflowService& service) {
  const std::string prefix = "/" + std::string(kWorkflowService) + "/";
#define X(Name)                                                                                      \
  router.methods[prefix + #Name] =                                                                   \
      port_method<WorkflowService, engine::api::Name##Request, engine::api::Name##Response>(service, \
                                                                                            &WorkflowService::Name);
#include "engine/rpcs.inc"
#undef X
  router.methods.at(prefix + "GetWorkflowExecutionHistory").reads_features = true;
  router.services.insert({std::string(kWorkflowService), std::string(kAdminService)});
  router.cancelled = [&service](std::uint64_t call) { service.cancel(call); };
}

void add_operator_methods(Router& router, OperatorService& service) {
  const std::string prefix = "/" + std::string(kOperatorService) + "/";
#define X(Name)                                                                                                \
  router.methods[prefix + #Name] =                                                                             \
      port_method<OperatorService, engine::operator_api::Name##Request, engine::operator_api::Name##Response>( \
          service, &OperatorService::Name);
#include "engine/operator_rpcs.inc"
#undef X
  router.services.insert(std::string(kOperatorService));
}

}  // namespace callimport::api
