#pragma once
// The port over gRPC: any Temporal cluster behind engine::WorkflowService. No gRPC in this header.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/workflow_service.h"
#include "storage/runtime/clock.h"

namespace grpc {
class Channel;
}  // namespace grpc
namespace temporal::api::operatorservice::v1 {
class AddSearchAttributesRequest;
class AddSearchAttributesResponse;
class ListSearchAttributesRequest;
class ListSearchAttributesResponse;
}  // namespace temporal::api::operatorservice::v1

namespace callimport::engine {

namespace operator_api = ::temporal::api::operatorservice::v1;

/// A connection and what each call on it carries (A6): who calls, which servers it can speak to, the namespace, and
/// authorization. A client name that no server knows is never refused.
struct ClusterOptions {
  std::shared_ptr<grpc::Channel> channel{};  ///< shared with whoever opened it; reconnects by itself
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// Calls without a deadline get one: the real server refuses polls that have none (A8).
inline constexpr Nanos kCallDeadline = std::chrono::seconds{30};

/// One call, one RPC: retries by the table of A9 are the caller's. Answers are parsed on gRPC's threads and posted to
/// the loop. Lifetime: the loop outlives it; when it is destroyed its calls are cancelled, and their replies dropped.
class Cluster : public WorkflowService {
 public:
  /// Nothing is sent before the first call; a call while there is no connection fails at once with UNAVAILABLE.
  static std::unique_ptr<Cluster> create(Executor& loop, Clock& clock, ClusterOptions options);

  /// Of OperatorService, which is not the port's: what a worker needs before its first workflow.
  virtual void AddSearchAttributes(const operator_api::AddSearchAttributesRequest& request, CallContext context,
                                   Reply<operator_api::AddSearchAttributesResponse> reply) = 0;
  virtual void ListSearchAttributes(const operator_api::ListSearchAttributesRequest& request, CallContext context,
                                    Reply<operator_api::ListSearchAttributesResponse> reply) = 0;
  /// Calls not answered yet.
  virtual std::size_t pending() const = 0;
};

}  // namespace callimport::engine
