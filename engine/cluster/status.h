#pragma once
// A gRPC status in the port's words.
#include <grpcpp/support/status.h>

#include "engine/workflow_service.h"

namespace callimport::engine {

/// Code, text, and the first typed detail (conformance C.17).
PortStatus port_status(const grpc::Status& status);

}  // namespace callimport::engine
