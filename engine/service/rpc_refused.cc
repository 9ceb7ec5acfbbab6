// What this service does not do, each with the real server's answer (conformance A.1): tier 3, and what version 1.29.1
// has switched off.
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"

namespace callimport::engine {
namespace {

constexpr const char* kSetsDisabled =
    "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace.";
constexpr const char* kRulesDisabled =
    "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace.";
constexpr const char* kDeploymentsGone =
    "Deployments are deprecated and no longer supported, use Worker Deployments instead";

PortStatus absent(std::string text) { return errors::plain(errors::kUnimplemented, std::move(text)); }
PortStatus no_deployment(const std::string& name) {
  return errors::plain(errors::kFailedPrecondition,
                       "no Worker Deployment found with name " + name + "; does your Worker Deployment have pollers?");
}

}  // namespace

/// The namespace is looked at first, then the refusal comes.
#define REFUSED(Name, status)                                                                                    \
  void Service::Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) { \
    auto call = enter(context, std::move(reply));                                                                \
    if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));              \
    refuse(std::move(call), status);                                                                             \
  }

REFUSED(GetWorkerBuildIdCompatibility, errors::permission_denied(kSetsDisabled))
REFUSED(UpdateWorkerBuildIdCompatibility, errors::permission_denied(kSetsDisabled))
REFUSED(GetWorkerVersioningRules, errors::permission_denied(kRulesDisabled))
REFUSED(UpdateWorkerVersioningRules, errors::permission_denied(kRulesDisabled))
REFUSED(GetWorkerTaskReachability, errors::permission_denied(kRulesDisabled))

REFUSED(ListDeployments, absent(kDeploymentsGone))
REFUSED(DescribeDeployment, absent(kDeploymentsGone))
REFUSED(GetDeploymentReachability, absent(kDeploymentsGone))
REFUSED(GetCurrentDeployment, absent(kDeploymentsGone))
REFUSED(SetCurrentDeployment, absent(kDeploymentsGone))

REFUSED(DescribeWorkerDeployment, errors::not_found("Worker Deployment not found"))
REFUSED(DescribeWorkerDeploymentVersion, errors::not_found("Worker Deployment Version not found"))
REFUSED(SetWorkerDeploymentCurrentVersion, no_deployment(request.deployment_name()))
REFUSED(SetWorkerDeploymentRampingVersion, no_deployment(request.deployment_name()))

REFUSED(CreateWorkflowRule, absent("method CreateWorkflowRule not supported"))
REFUSED(DescribeWorkflowRule, absent("method DescribeWorkflowRule not supported"))
REFUSED(DeleteWorkflowRule, absent("method DeleteWorkflowRule not supported"))
REFUSED(ListWorkflowRules, absent("method ListWorkflowRules not supported"))
REFUSED(TriggerWorkflowRule, absent("method TriggerWorkflowRule not implemented"))

REFUSED(FetchWorkerConfig, absent("FetchWorkerConfig command is not enabled."))
REFUSED(UpdateWorkerConfig, absent("UpdateWorkerConfig command is not enabled."))
REFUSED(ListArchivedWorkflowExecutions, errors::invalid("Cluster is not configured for visibility archival."))

#undef REFUSED

void Service::ListWorkerDeployments(const api::ListWorkerDeploymentsRequest& request, CallContext context,
                                    Reply<api::ListWorkerDeploymentsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  answer(std::move(call), api::ListWorkerDeploymentsResponse());
}

}  // namespace callimport::engine
