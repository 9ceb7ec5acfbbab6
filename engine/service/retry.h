#pragma once
// Retry policies: defaults, validation texts (C8) and the arithmetic of C26, for activities and runs alike.
#include <cstdint>
#include <optional>
#include <string>

#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "temporal/api/failure/v1/message.pb.h"

namespace callimport::engine {

namespace enums = ::temporal::api::enums::v1;
using RetryPolicyProto = ::temporal::api::common::v1::RetryPolicy;
using FailureProto = ::temporal::api::failure::v1::Failure;

/// 1 s, coefficient 2, maximum 100 x initial, unlimited attempts.
void fill_retry_defaults(RetryPolicyProto* policy);
/// What is wrong with it; nothing when maximum_attempts is 1.
std::optional<std::string> retry_policy_error(const RetryPolicyProto& policy);

/// C26: after attempt `attempt` (from 1), capped by the maximum interval.
std::int64_t backoff_interval(const RetryPolicyProto& policy, int attempt);

struct RetryDecision {
  enums::RetryState state = enums::RETRY_STATE_UNSPECIFIED;  ///< IN_PROGRESS: again after `delay_ns`
  std::int64_t delay_ns = 0;
};
/// @param attempt     the one that failed, from 1.  @param expires_ns  no retry may begin after it; 0: no limit.
RetryDecision decide_retry(const RetryPolicyProto& policy, int attempt, const FailureProto& failure,
                           std::int64_t now_ns, std::int64_t expires_ns);

std::string_view timeout_name(enums::TimeoutType type);  ///< StartToClose, ...
FailureProto timeout_failure(std::string message, enums::TimeoutType type);
enum class Retryable : std::uint8_t { kYes, kNo };
/// One of the service's own words.
FailureProto server_failure(std::string message, Retryable retryable);
/// Itself up to `bytes_max`, else a server failure around what of its words fits into `bytes_kept`.
FailureProto within(const FailureProto& failure, std::size_t bytes_max, std::size_t bytes_kept, Retryable retryable);
/// Small enough for state: 4 KiB (C30).
FailureProto truncate_failure(const FailureProto& failure);

}  // namespace callimport::engine
