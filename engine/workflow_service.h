#pragma once
// The port: Temporal's WorkflowService in Temporal's own messages, asynchronous. Behind it the embedded service, or
// stubs to a cluster. Messages are forward-declared: request_response.pb.h (5 MB) stays out of this header.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "storage/model/time.h"

namespace temporal::api::workflowservice::v1 {
#define X(Name)        \
  class Name##Request; \
  class Name##Response;
#include "engine/rpcs.inc"
#undef X
}  // namespace temporal::api::workflowservice::v1

namespace callimport::engine {

namespace api = ::temporal::api::workflowservice::v1;

/// A gRPC status: code (grpc::StatusCode's numbers), text, and at most one detail as Any.
struct PortStatus {
  int code = 0;
  std::string message;
  std::string detail_type;   ///< full proto name, e.g. temporal.api.errordetails.v1.NotFoundFailure; empty: none
  std::string detail_bytes;  ///< serialized detail
  bool ok() const noexcept { return code == 0; }
};

/// `reply` is null on error, else the callee's to move from; valid during the call only.
template <class Response>
using Reply = std::function<void(const PortStatus& status, Response* reply)>;

/// The caller's number for a pending RPC (0: never cancelled), and its deadline as gRPC knows it.
struct CallContext {
  std::uint64_t call = 0;
  std::optional<Timestamp> deadline;
  bool follows_runs = true;  ///< it looks for the run that follows a retried or repeated one by itself
};

/// Threads: methods are called and replies come on the core loop; a reply never comes inside the call itself.
/// Lifetime: after `cancel(call)` its reply is dropped. The request is read during the call only.
/// Errors follow conformance C.17; a method this implementation lacks answers UNIMPLEMENTED with text.
class WorkflowService {
 public:
  virtual ~WorkflowService() = default;
#define X(Name) \
  virtual void Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) = 0;
#include "engine/rpcs.inc"
#undef X
  virtual void cancel(std::uint64_t call) = 0;
};

}  // namespace callimport::engine
