#pragma once
// Between JSON text, as workflow and activity code speak it, and Temporal's payloads and failures (conformance B.9).
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <temporal/api/common/v1/message.pb.h>
#include <temporal/api/failure/v1/message.pb.h>

#include <string>
#include <string_view>

#include "engine/activity.h"
#include "engine/workflow.h"

namespace callimport::engine::worker {

namespace proto = ::temporal::api;
namespace failures = ::temporal::api::failure::v1;

inline constexpr std::string_view kFailureSource = "callimport";

/// One json/plain payload holding `json` as it is.
void set_json(proto::common::v1::Payload* payload, std::string json);
/// The same inside a list; empty text adds nothing.
void set_json(proto::common::v1::Payloads* payloads, std::string json);
/// The JSON text of a payload. json/plain and json/protobuf come as they are, binary/null as `null`, all other
/// encodings as a JSON string of base64.
std::string json_of(const proto::common::v1::Payload& payload);
/// Nothing: empty. One payload: its text. Several: a JSON array of their texts.
std::string json_of(const proto::common::v1::Payloads& payloads);

/// What happened, as workflow code sees it: wrappers (activity, child) are looked through to the cause.
Failure failure_of(const failures::Failure& failure);
void set_failure(failures::Failure* to, const Failure& failure);
void set_failure(failures::Failure* to, ActivityError error);

/// `message` with kind cancelled.
Failure cancelled(std::string message);

void set_retry(proto::common::v1::RetryPolicy* to, const RetryPolicy& policy);
/// Strings carry no type: they may be Keyword, Text or Datetime, the service knows which is registered.
void set_search_value(proto::common::v1::Payload* payload, const SearchValue& value);

void set_duration(google::protobuf::Duration* to, Nanos duration);
Nanos duration_of(const google::protobuf::Duration& duration);
Timestamp time_of(const google::protobuf::Timestamp& time);

}  // namespace callimport::engine::worker
