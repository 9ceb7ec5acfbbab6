#include "engine/service/retry.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/service/proto_time.h"

namespace callimport::engine {
namespace {

constexpr std::string_view kTimeoutPrefix = "TemporalTimeout:";
constexpr std::size_t kFailureBytesMax = 4096;
constexpr std::int64_t kFieldOverhead = 4;
constexpr int kCausesKept = 20;

bool listed(const RetryPolicyProto& policy, std::string_view type) {
  return std::find(policy.non_retryable_error_types().begin(), policy.non_retryable_error_types().end(), type) !=
         policy.non_retryable_error_types().end();
}

bool retryable(const FailureProto& failure, const RetryPolicyProto& policy) {
  switch (failure.failure_info_case()) {
    case FailureProto::kTerminatedFailureInfo:
    case FailureProto::kCanceledFailureInfo: return false;
    case FailureProto::kTimeoutFailureInfo: {
      const auto type = failure.timeout_failure_info().timeout_type();
      if (type != enums::TIMEOUT_TYPE_START_TO_CLOSE && type != enums::TIMEOUT_TYPE_HEARTBEAT) return false;
      return !listed(policy, std::string(kTimeoutPrefix) + std::string(timeout_name(type)));
    }
    case FailureProto::kServerFailureInfo: return !failure.server_failure_info().non_retryable();
    case FailureProto::kApplicationFailureInfo: {
      const auto& info = failure.application_failure_info();
      return !info.non_retryable() && !listed(policy, info.type());
    }
    default: return true;
  }
}

bool valid_timeout_type(std::string_view name) {
  return name == "StartToClose" || name == "ScheduleToStart" || name == "ScheduleToClose" || name == "Heartbeat";
}

/// What of `text` fits into `room`, in whole characters. Takes its place from `room`.
std::string cut(const std::string& text, std::int64_t* room) {
  auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(0, *room));
  if (text.size() > bytes) {
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0u) == 0x80u) --bytes;
  }
  std::string out = text.substr(0, bytes);
  *room -= static_cast<std::int64_t>(out.size());
  if (!out.empty()) *room -= kFieldOverhead;
  return out;
}

/// The words of a failure that fit into `room`, the most telling ones first; then its cause, down to `depth`.
void cut_down(const FailureProto& failure, std::int64_t room, int depth, FailureProto* out) {
  if (failure.has_application_failure_info()) {
    auto* info = out->mutable_application_failure_info();
    info->set_non_retryable(failure.application_failure_info().non_retryable());
    info->set_type(cut(failure.application_failure_info().type(), &room));
    room -= 2 * kFieldOverhead;
  } else if (failure.has_server_failure_info()) {
    out->mutable_server_failure_info()->set_non_retryable(failure.server_failure_info().non_retryable());
    room -= kFieldOverhead;
  }
  out->set_source(cut(failure.source(), &room));
  out->set_message(cut(failure.message(), &room));
  out->set_stack_trace(cut(failure.stack_trace(), &room));
  if (failure.has_cause() && room > kFieldOverhead && depth > 0) {
    cut_down(failure.cause(), room - kFieldOverhead, depth - 1, out->mutable_cause());
  }
}

}  // namespace

void fill_retry_defaults(RetryPolicyProto* policy) {
  if (!policy->has_initial_interval() || to_nanos(policy->initial_interval()) == 0) {
    set_nanos(policy->mutable_initial_interval(), kNanosPerSecond);
  }
  if (policy->backoff_coefficient() == 0) policy->set_backoff_coefficient(2.0);
  if (!policy->has_maximum_interval() || to_nanos(policy->maximum_interval()) == 0) {
    const std::int64_t initial = to_nanos(policy->initial_interval());
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    set_nanos(policy->mutable_maximum_interval(), initial > kMax / 100 ? kMax : initial * 100);
  }
}

std::optional<std::string> retry_policy_error(const RetryPolicyProto& policy) {
  if (policy.maximum_attempts() == 1) return std::nullopt;
  const std::int64_t initial = to_nanos(policy.initial_interval());
  const std::int64_t maximum = to_nanos(policy.maximum_interval());
  if (initial < 0) return "invalid InitialInterval set on retry policy: negative duration";
  if (policy.backoff_coefficient() < 1 && policy.backoff_coefficient() != 0) {
    return "BackoffCoefficient cannot be less than 1 on retry policy.";
  }
  if (maximum < 0) return "invalid MaximumInterval set on retry policy: negative duration";
  if (maximum != 0 && maximum < initial) return "MaximumInterval cannot be less than InitialInterval on retry policy.";
  if (policy.maximum_attempts() < 0) return "MaximumAttempts cannot be negative on retry policy.";
  for (const auto& type : policy.non_retryable_error_types()) {
    if (!type.starts_with(kTimeoutPrefix)) continue;
    const std::string name = type.substr(kTimeoutPrefix.size());
    if (!valid_timeout_type(name)) return "Invalid timeout type value: " + name + ".";
  }
  return std::nullopt;
}

std::int64_t backoff_interval(const RetryPolicyProto& policy, int attempt) {
  const double maximum = static_cast<double>(to_nanos(policy.maximum_interval()));
  double interval = static_cast<double>(to_nanos(policy.initial_interval())) *
                    std::pow(policy.backoff_coefficient(), static_cast<double>(attempt - 1));
  if (maximum > 0) interval = std::min(interval, maximum);
  return interval >= 9.2e18 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(interval);
}

RetryDecision decide_retry(const RetryPolicyProto& policy, int attempt, const FailureProto& failure,
                           std::int64_t now_ns, std::int64_t expires_ns) {
  if (!retryable(failure, policy)) return {enums::RETRY_STATE_NON_RETRYABLE_FAILURE};
  if (policy.maximum_attempts() > 0 && attempt >= policy.maximum_attempts()) {
    return {enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED};
  }
  std::int64_t delay = backoff_interval(policy, attempt);
  if (failure.has_application_failure_info() && failure.application_failure_info().has_next_retry_delay()) {
    delay = std::max<std::int64_t>(0, to_nanos(failure.application_failure_info().next_retry_delay()));
  }
  if (expires_ns != 0 && add_nanos(now_ns, delay) > expires_ns) return {enums::RETRY_STATE_TIMEOUT};
  return {enums::RETRY_STATE_IN_PROGRESS, delay};
}

std::string_view timeout_name(enums::TimeoutType type) {
  switch (type) {
    case enums::TIMEOUT_TYPE_START_TO_CLOSE: return "StartToClose";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_START: return "ScheduleToStart";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: return "ScheduleToClose";
    case enums::TIMEOUT_TYPE_HEARTBEAT: return "Heartbeat";
    default: return "Unspecified";
  }
}

FailureProto timeout_failure(std::string message, enums::TimeoutType type) {
  FailureProto out;
  out.set_message(std::move(message));
  out.set_source("Server");
  out.mutable_timeout_failure_info()->set_timeout_type(type);
  return out;
}

FailureProto server_failure(std::string message, Retryable retryable) {
  FailureProto out;
  out.set_message(std::move(message));
  out.mutable_server_failure_info()->set_non_retryable(retryable == Retryable::kNo);
  return out;
}

FailureProto within(const FailureProto& failure, std::size_t bytes_max, std::size_t bytes_kept, Retryable retryable) {
  if (failure.ByteSizeLong() <= bytes_max) return failure;
  FailureProto out = server_failure("Failure exceeds size limit.", retryable);
  cut_down(failure, static_cast<std::int64_t>(bytes_kept), kCausesKept, out.mutable_cause());
  return out;
}

FailureProto truncate_failure(const FailureProto& failure) {
  return within(failure, kFailureBytesMax, kFailureBytesMax, Retryable::kYes);
}

}  // namespace callimport::engine
