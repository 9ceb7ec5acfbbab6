#include "tests/engine/transcript.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cctype>
#include <set>

namespace callimport::engine::testing_world {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Runs = std::map<std::string, std::string>;

const std::map<std::string, std::string> kShort = {{"task_queue", "queue"},
                                                   {"workflow_task_timeout", "wft_timeout"},
                                                   {"workflow_run_timeout", "run_timeout"},
                                                   {"original_execution_run_id", "original_run"},
                                                   {"first_execution_run_id", "first_run"},
                                                   {"continued_execution_run_id", "continued_run"},
                                                   {"new_execution_run_id", "new_run"},
                                                   {"first_workflow_task_backoff", "backoff"},
                                                   {"scheduled_event_id", "scheduled"},
                                                   {"started_event_id", "started"},
                                                   {"latest_cancel_requested_event_id", "cancel_requested"},
                                                   {"workflow_task_completed_event_id", "wtc"},
                                                   {"protocol_instance_id", "instance"},
                                                   {"accepted_request_message_id", "message"},
                                                   {"accepted_request_sequencing_event_id", "sequencing"},
                                                   {"accepted_event_id", "accepted"},
                                                   {"schedule_to_close_timeout", "s2c"},
                                                   {"schedule_to_start_timeout", "s2s"},
                                                   {"start_to_close_timeout", "st2c"},
                                                   {"heartbeat_timeout", "hb"},
                                                   {"initiated_event_id", "initiated"},
                                                   {"workflow_execution", "execution"},
                                                   {"external_workflow_execution", "external"},
                                                   {"workflow_id_reuse_policy", "reuse"},
                                                   {"application_failure_info", "app"},
                                                   {"timeout_failure_info", "timeout"},
                                                   {"initial_interval", "initial"},
                                                   {"backoff_coefficient", "coef"},
                                                   {"maximum_interval", "max"},
                                                   {"maximum_attempts", "max_attempts"}};
const std::set<std::string> kNever = {"request_id",
                                      "history_size_bytes",
                                      "namespace",
                                      "namespace_id",
                                      "parent_workflow_namespace",
                                      "parent_workflow_namespace_id",
                                      "workflow_type",
                                      "activity_type"};
const std::set<std::string> kOwn = {"cli", "wk", "ak"};

std::string number(double value) {
  std::string out = std::to_string(value);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

std::string enum_text(const FieldDescriptor& field, int value) {
  std::string prefix;  // RETRY_STATE_ of RetryState
  for (const char c : field.enum_type()->name()) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !prefix.empty()) prefix.push_back('_');
    prefix.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  prefix.push_back('_');
  std::string name = field.enum_type()->FindValueByNumber(value)->name();
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::string fields_of(const Message& message, const Runs& runs);

std::string message_text(const Message& message, const Runs& runs) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Duration") {
    const auto& d = static_cast<const google::protobuf::Duration&>(message);
    return number(static_cast<double>(d.seconds()) + static_cast<double>(d.nanos()) / 1e9) + "s";
  }
  if (type == "temporal.api.common.v1.Payloads") {
    std::string out;
    for (const auto& payload : static_cast<const temporal::api::common::v1::Payloads&>(message).payloads()) {
      out += (out.empty() ? "" : " ") + payload.data();
    }
    return "[" + out + "]";
  }
  if (type == "temporal.api.taskqueue.v1.TaskQueue") {
    const auto& queue = static_cast<const temporal::api::taskqueue::v1::TaskQueue&>(message);
    if (queue.kind() == temporal::api::enums::v1::TASK_QUEUE_KIND_STICKY) {
      return queue.name() + "(STICKY of " + queue.normal_name() + ")";
    }
    return queue.name();
  }
  return "{" + fields_of(message, runs) + "}";
}

bool left_out(const std::string& name, const std::string& value, const Message& parent) {
  if (kNever.contains(name)) return true;
  if (name == "identity" && kOwn.contains(value)) return true;
  if (name == "task_queue" && value == "W") return true;
  if (name == "workflow_id" && value == "W" && parent.GetDescriptor()->name() != "WorkflowExecution") return true;
  if ((name == "workflow_task_timeout" || name == "start_to_close_timeout") && value == "10s") return true;
  if (name == "retry_policy" && value == "{initial=1s coef=2 max=100s}") return true;
  const bool activity = parent.GetDescriptor()->name() == "ActivityTaskScheduledEventAttributes";
  return activity && value == "0s";
}

std::string field_text(const Message& message, const FieldDescriptor& field, const Runs& runs) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection->GetString(message, &field);
      const auto run = runs.find(text);
      return run == runs.end() ? text : run->second;
    }
    case FieldDescriptor::CPPTYPE_ENUM: return enum_text(field, reflection->GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL: return "true";
    case FieldDescriptor::CPPTYPE_DOUBLE: return number(reflection->GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_INT32: return std::to_string(reflection->GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64: return std::to_string(reflection->GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE: return message_text(reflection->GetMessage(message, &field), runs);
    default: return "?";
  }
}

std::string fields_of(const Message& message, const Runs& runs) {
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  std::string out;
  for (const auto* field : set) {
    std::string name = field->name();
    std::string value;
    if (!field->is_repeated()) value = "=" + field_text(message, *field, runs);
    if (name == "prev_auto_reset_points") value.clear();
    if (left_out(name, value.empty() ? value : value.substr(1), message)) continue;
    const auto shorter = kShort.find(name);
    out += (out.empty() ? "" : " ") + (shorter == kShort.end() ? name : shorter->second) + value;
  }
  return out;
}

std::string type_name(const temporal::api::history::v1::HistoryEvent& event) {
  const std::string full = temporal::api::enums::v1::EventType_Name(event.event_type());
  std::string out;
  bool upper = true;
  for (const char c : full.substr(std::string("EVENT_TYPE_").size())) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out.push_back(upper ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    upper = false;
  }
  return out;
}

}  // namespace

std::string render(const std::vector<temporal::api::history::v1::History>& batches, const Runs& run_names,
                   std::int64_t from) {
  std::string out;
  for (const auto& batch : batches) {
    bool first = true;
    for (const auto& event : batch.events()) {
      const bool starts = std::exchange(first, false);
      if (event.event_id() < from) continue;
      out += (starts ? "[" : " ") + std::to_string(event.event_id()) + " " + type_name(event);
      const auto* oneof = event.GetDescriptor()->FindOneofByName("attributes");
      const auto* field = event.GetReflection()->GetOneofFieldDescriptor(event, oneof);
      const std::string fields =
          field == nullptr ? "" : fields_of(event.GetReflection()->GetMessage(event, field), run_names);
      out += (fields.empty() ? "" : " " + fields) + "\n";
    }
  }
  return out;
}

}  // namespace callimport::engine::testing_world
