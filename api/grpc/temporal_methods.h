#pragma once
#include "api/grpc/router.h"
#include "engine/operator_service.h"

namespace callimport::api {

/// Temporal's services over their ports: each RPC of engine/rpcs.inc and engine/operator_rpcs.inc. What is not there
/// answers UNIMPLEMENTED with text. Lifetime: `service` outlives `router`.
void add_temporal_methods(Router& router, engine::WorkflowService& service);
void add_operator_methods(Router& router, engine::OperatorService& service);

inline constexpr std::string_view kWorkflowService = "temporal.api.workflowservice.v1.WorkflowService";
inline constexpr std::string_view kOperatorService = "temporal.api.operatorservice.v1.OperatorService";
inline constexpr std::string_view kAdminService = "temporal.server.api.adminservice.v1.AdminService";

}  // namespace callimport::api
