#include "engine/worker/payloads.h"

#include <temporal/api/enums/v1/workflow.pb.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace callimport::engine::worker {
namespace {

constexpr std::string_view kEncoding = "encoding";

std::string base64_text(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text = "\"";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    const std::size_t held = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= held ? kDigits[(group >> (18 - 6 * k)) & 63u] : '=';
    }
  }
  return text + "\"";
}

std::string_view timeout_name(proto::enums::v1::TimeoutType type) {
  switch (type) {
    case proto::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE: return "StartToClose";
    case proto::enums::v1::TIMEOUT_TYPE_SCHEDULE_TO_START: return "ScheduleToStart";
    case proto::enums::v1::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: return "ScheduleToClose";
    case proto::enums::v1::TIMEOUT_TYPE_HEARTBEAT: return "Heartbeat";
    default: return "Timeout";
  }
}

proto::enums::v1::TimeoutType timeout_type(std::string_view name) {
  if (name == "StartToClose") return proto::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE;
  if (name == "ScheduleToStart") return proto::enums::v1::TIMEOUT_TYPE_SCHEDULE_TO_START;
  if (name == "ScheduleToClose") return proto::enums::v1::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE;
  if (name == "Heartbeat") return proto::enums::v1::TIMEOUT_TYPE_HEARTBEAT;
  return proto::enums::v1::TIMEOUT_TYPE_UNSPECIFIED;
}

/// With encoded common attributes the true message is inside them.
std::string message_of(const failures::Failure& failure) {
  if (!failure.has_encoded_attributes()) return failure.message();
  const auto parsed = nlohmann::json::parse(json_of(failure.encoded_attributes()), nullptr, false);
  if (!parsed.is_object() || !parsed.contains("message") || !parsed["message"].is_string()) return failure.message();
  return parsed["message"].get<std::string>();
}

}  // namespace

void set_json(proto::common::v1::Payload* payload, std::string json) {
  (*payload->mutable_metadata())[std::string(kEncoding)] = "json/plain";
  payload->set_data(std::move(json));
}

void set_json(proto::common::v1::Payloads* payloads, std::string json) {
  if (!json.empty()) set_json(payloads->add_payloads(), std::move(json));
}

std::string json_of(const proto::common::v1::Payload& payload) {
  const auto encoding = payload.metadata().find(std::string(kEncoding));
  if (encoding == payload.metadata().end()) return base64_text(payload.data());
  if (encoding->second == "json/plain" || encoding->second == "json/protobuf") return payload.data();
  if (encoding->second == "binary/null") return "null";
  return base64_text(payload.data());
}

std::string json_of(const proto::common::v1::Payloads& payloads) {
  if (payloads.payloads_size() == 0) return {};
  if (payloads.payloads_size() == 1) return json_of(payloads.payloads(0));
  std::string text = "[";
  for (const auto& payload : payloads.payloads()) {
    if (text.size() > 1) text += ',';
    text += json_of(payload);
  }
  return text + "]";
}

Failure failure_of(const failures::Failure& failure) {
  using Kind = Failure::Kind;
  const bool wrapper = failure.has_activity_failure_info() || failure.has_child_workflow_execution_failure_info();
  if (wrapper && failure.has_cause()) return failure_of(failure.cause());
  Failure out;
  out.message = message_of(failure);
  switch (failure.failure_info_case()) {
    case failures::Failure::kTimeoutFailureInfo:
      out.kind = Kind::kTimeout;
      out.type = timeout_name(failure.timeout_failure_info().timeout_type());
      out.details = json_of(failure.timeout_failure_info().last_heartbeat_details());
      break;
    case failures::Failure::kCanceledFailureInfo:
      out.kind = Kind::kCancelled;
      out.details = json_of(failure.canceled_failure_info().details());
      break;
    case failures::Failure::kTerminatedFailureInfo: out.kind = Kind::kTerminated; break;
    case failures::Failure::kServerFailureInfo:
      out.kind = Kind::kServer;
      out.non_retryable = failure.server_failure_info().non_retryable();
      break;
    default:
      out.type = failure.application_failure_info().type();
      out.details = json_of(failure.application_failure_info().details());
      out.non_retryable = failure.application_failure_info().non_retryable();
      break;
  }
  return out;
}

void set_failure(failures::Failure* to, const Failure& failure) {
  using Kind = Failure::Kind;
  to->set_message(failure.message);
  to->set_source(std::string(kFailureSource));
  switch (failure.kind) {
    case Kind::kApplication: {
      auto* info = to->mutable_application_failure_info();
      info->set_type(failure.type);
      info->set_non_retryable(failure.non_retryable);
      if (!failure.details.empty()) set_json(info->mutable_details(), failure.details);
      break;
    }
    case Kind::kTimeout: {
      auto* info = to->mutable_timeout_failure_info();
      info->set_timeout_type(timeout_type(failure.type));
      if (!failure.details.empty()) set_json(info->mutable_last_heartbeat_details(), failure.details);
      break;
    }
    case Kind::kCancelled: {
      auto* info = to->mutable_canceled_failure_info();
      if (!failure.details.empty()) set_json(info->mutable_details(), failure.details);
      break;
    }
    case Kind::kTerminated: to->mutable_terminated_failure_info(); break;
    case Kind::kServer: to->mutable_server_failure_info()->set_non_retryable(failure.non_retryable); break;
  }
}

void set_failure(failures::Failure* to, ActivityError error) {
  to->set_message(std::move(error.message));
  to->set_source(std::string(kFailureSource));
  auto* info = to->mutable_application_failure_info();
  info->set_type(std::move(error.type));
  info->set_non_retryable(error.non_retryable);
  if (!error.details.empty()) set_json(info->mutable_details(), std::move(error.details));
  if (error.next_retry_delay) set_duration(info->mutable_next_retry_delay(), *error.next_retry_delay);
}

Failure cancelled(std::string message) {
  Failure failure;
  failure.kind = Failure::Kind::kCancelled;
  failure.message = std::move(message);
  return failure;
}

void set_retry(proto::common::v1::RetryPolicy* to, const RetryPolicy& policy) {
  set_duration(to->mutable_initial_interval(), policy.initial);
  to->set_backoff_coefficient(policy.coefficient);
  if (policy.maximum > Nanos{0}) set_duration(to->mutable_maximum_interval(), policy.maximum);
  to->set_maximum_attempts(policy.attempts_max);
  for (const auto& type : policy.non_retryable) to->add_non_retryable_error_types(type);
}

void set_search_value(proto::common::v1::Payload* payload, const SearchValue& value) {
  static constexpr const char* kTypes[] = {"", "Int", "Double", "Bool", "KeywordList"};
  const auto json = std::visit([](const auto& held) { return nlohmann::json(held); }, value);
  set_json(payload, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const std::string type = kTypes[value.index()];
  if (!type.empty()) (*payload->mutable_metadata())["type"] = type;
}

void set_duration(google::protobuf::Duration* to, Nanos duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  to->set_seconds(seconds.count());
  to->set_nanos(static_cast<std::int32_t>((duration - seconds).count()));
}

Nanos duration_of(const google::protobuf::Duration& duration) {
  // Beyond what 64 bits of nanoseconds hold (292 years) means "no limit" everywhere it is used.
  constexpr std::int64_t kSecondsMax = 9'000'000'000;
  const std::int64_t seconds = std::min(std::max<std::int64_t>(duration.seconds(), -kSecondsMax), kSecondsMax);
  return std::chrono::seconds{seconds} + Nanos{duration.nanos()};
}

Timestamp time_of(const google::protobuf::Timestamp& time) {
  return Timestamp{std::chrono::seconds{time.seconds()} + Nanos{time.nanos()}};
}

}  // namespace callimport::engine::worker
