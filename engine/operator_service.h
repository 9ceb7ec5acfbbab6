#pragma once
// The port of Temporal's OperatorService: what people do to a server, as WorkflowService is what programs do with it.
#include "engine/workflow_service.h"

namespace temporal::api::operatorservice::v1 {
#define X(Name)        \
  class Name##Request; \
  class Name##Response;
#include "engine/operator_rpcs.inc"
#undef X
}  // namespace temporal::api::operatorservice::v1

namespace callimport::engine {

namespace operator_api = ::temporal::api::operatorservice::v1;

/// Threads, lifetime and errors as WorkflowService says; its `cancel` serves these calls too.
class OperatorService {
 public:
  virtual ~OperatorService() = default;
#define X(Name)                                                                      \
  virtual void Name(const operator_api::Name##Request& request, CallContext context, \
                    Reply<operator_api::Name##Response> reply) = 0;
#include "engine/operator_rpcs.inc"
#undef X
};

}  // namespace callimport::engine
