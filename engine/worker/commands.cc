#include "engine/worker/commands.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "engine/worker/payloads.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

std::string_view kind_name(CommandKind kind) {
  switch (kind) {
    case CommandKind::ScheduleActivityTask: return "ScheduleActivityTask";
    case CommandKind::RequestCancelActivityTask: return "RequestCancelActivityTask";
    case CommandKind::StartTimer: return "StartTimer";
    case CommandKind::CancelTimer: return "CancelTimer";
    case CommandKind::RecordPatch: return "RecordMarker core_patch";
    case CommandKind::RecordSideEffect: return "RecordMarker SideEffect";
    case CommandKind::RecordLocalActivity: return "RecordMarker core_local_activity";
    case CommandKind::StartChild: return "StartChildWorkflowExecution";
    case CommandKind::SignalExternal: return "SignalExternalWorkflowExecution";
    case CommandKind::RequestCancelExternal: return "RequestCancelExternalWorkflowExecution";
    case CommandKind::UpsertSearchAttributes: return "UpsertWorkflowSearchAttributes";
    case CommandKind::ModifyProperties: return "ModifyWorkflowProperties";
    case CommandKind::AcceptUpdate: return "acceptance of update";
    case CommandKind::CompleteUpdate: return "outcome of update";
    case CommandKind::CompleteWorkflow: return "CompleteWorkflowExecution";
    case CommandKind::FailWorkflow: return "FailWorkflowExecution";
    case CommandKind::CancelWorkflow: return "CancelWorkflowExecution";
    case CommandKind::ContinueAsNew: return "ContinueAsNewWorkflowExecution";
  }
  return "unknown command";
}

std::string named(std::string_view what, const std::string& id, const std::string& type) {
  std::string text(what);
  if (!id.empty()) text += " " + id;
  if (!type.empty()) text += " of type " + type;
  return text;
}

/// The JSON text of the first payload under `key` of a marker's details; empty when absent.
std::string marker_detail(const HistoryEvent& event, std::string_view key) {
  const auto& details = event.marker_recorded_event_attributes().details();
  const auto found = details.find(std::string(key));
  if (found == details.end() || found->second.payloads_size() == 0) return {};
  const auto& payload = found->second.payloads(0);
  return payload.metadata().empty() ? payload.data() : json_of(payload);
}

const std::string& update_id(const HistoryEvent& event) {
  return event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
             ? event.workflow_execution_update_accepted_event_attributes().protocol_instance_id()
             : event.workflow_execution_update_completed_event_attributes().meta().update_id();
}

}  // namespace

bool is_marker(const HistoryEvent& event, std::string_view marker_name) {
  return event.event_type() == enums::EVENT_TYPE_MARKER_RECORDED &&
         event.marker_recorded_event_attributes().marker_name() == marker_name;
}

PatchMark patch_mark(const HistoryEvent& event) {
  PatchMark mark;
  const auto parsed = nlohmann::json::parse(marker_detail(event, "patch-data"), nullptr, false);
  if (parsed.is_object()) {
    if (parsed.contains("id") && parsed["id"].is_string()) mark.id = parsed["id"].get<std::string>();
    mark.deprecated = parsed.contains("deprecated") && parsed["deprecated"] == true;
    return mark;
  }
  const auto plain = [](std::string text) {  // the older form: raw bytes, or the same as a JSON string
    const auto value = nlohmann::json::parse(text, nullptr, false);
    return value.is_string() ? value.get<std::string>() : text;
  };
  mark.id = plain(marker_detail(event, "patch_id"));
  const std::string deprecated = marker_detail(event, "deprecated");
  mark.deprecated = deprecated == "true" || deprecated == std::string_view("\x01", 1);
  return mark;
}

SideEffectMark side_effect_mark(const HistoryEvent& event) {
  SideEffectMark mark;
  const std::string number = marker_detail(event, "side-effect-id");
  const auto read = std::from_chars(number.data(), number.data() + number.size(), mark.number);
  if (read.ec != std::errc{}) mark.number = 0;
  mark.data = marker_detail(event, "data");
  return mark;
}

namespace {

/// As core writes them: {"seconds": .., "nanos": ..}.
nlohmann::json parts(Nanos time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {{"seconds", seconds.count()}, {"nanos", (time - seconds).count()}};
}

Nanos time_of_parts(const nlohmann::json& parts) {
  if (!parts.is_object()) return Nanos{0};
  return std::chrono::seconds{parts.value("seconds", std::int64_t{0})} + Nanos{parts.value("nanos", std::int64_t{0})};
}

}  // namespace

LocalMark local_mark(const HistoryEvent& event) {
  LocalMark mark;
  const auto data = nlohmann::json::parse(marker_detail(event, "data"), nullptr, false);
  try {
    mark.number = data.at("seq").get<std::int64_t>();
    mark.attempt = data.value("attempt", 1);
    mark.id = data.value("activity_id", std::string());
    mark.type = data.value("activity_type", std::string());
    if (data.contains("backoff") && data["backoff"].is_object()) mark.backoff = time_of_parts(data["backoff"]);
  } catch (const nlohmann::json::exception&) {
    mark.number = 0;
  }
  const auto& marker = event.marker_recorded_event_attributes();
  if (marker.has_failure()) {
    mark.outcome = tl::unexpected(failure_of(marker.failure()));
  } else {
    mark.outcome = marker_detail(event, "result");
  }
  return mark;
}

void set_local_mark(CommandMessage* message, const LocalMark& mark, Timestamp scheduled, Timestamp completed) {
  message->set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
  auto* marker = message->mutable_record_marker_command_attributes();
  marker->set_marker_name(std::string(kLocalActivityMarker));
  nlohmann::json data{{"seq", mark.number},
                      {"attempt", mark.attempt},
                      {"activity_id", mark.id},
                      {"activity_type", mark.type},
                      {"complete_time", parts(completed.time_since_epoch())},
                      {"original_schedule_time", parts(scheduled.time_since_epoch())}};
  data["backoff"] = mark.backoff ? parts(*mark.backoff) : nlohmann::json();
  set_json(&(*marker->mutable_details())["data"], data.dump());
  if (!mark.outcome) {
    set_failure(marker->mutable_failure(), mark.outcome.error());
  } else if (!mark.outcome->empty()) {
    set_json(&(*marker->mutable_details())["result"], *mark.outcome);
  }
}

bool upserts_change_version(const HistoryEvent& event) {
  if (event.event_type() != enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) return false;
  const auto& fields = event.upsert_workflow_search_attributes_event_attributes().search_attributes().indexed_fields();
  return fields.contains(std::string(kChangeVersion));
}

std::string describe(const PendingCommand& command) { return named(kind_name(command.kind), command.id, command.type); }

std::string describe(const HistoryEvent& event) {
  const std::string name = event_name(event);
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
      const auto& scheduled = event.activity_task_scheduled_event_attributes();
      return named(name, scheduled.activity_id(), scheduled.activity_type().name());
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
      return name + " of event " +
             std::to_string(event.activity_task_cancel_requested_event_attributes().scheduled_event_id());
    case enums::EVENT_TYPE_TIMER_STARTED: return named(name, event.timer_started_event_attributes().timer_id(), {});
    case enums::EVENT_TYPE_TIMER_CANCELED: return named(name, event.timer_canceled_event_attributes().timer_id(), {});
    case enums::EVENT_TYPE_MARKER_RECORDED: {
      const std::string& marker = event.marker_recorded_event_attributes().marker_name();
      if (marker == kPatchMarker) return named(name + " " + marker, patch_mark(event).id, {});
      if (marker == kSideEffectMarker) {
        return named(name + " " + marker, std::to_string(side_effect_mark(event).number), {});
      }
      if (marker == kLocalActivityMarker) {
        const auto mark = local_mark(event);
        return named(name + " " + marker, std::to_string(mark.number), mark.type);
      }
      return name + " " + marker;
    }
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
      const auto& child = event.start_child_workflow_execution_initiated_event_attributes();
      return named(name, child.workflow_id(), child.workflow_type().name());
    }
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const auto& signal = event.signal_external_workflow_execution_initiated_event_attributes();
      return named(name, signal.workflow_execution().workflow_id(), signal.signal_name());
    }
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      return named(name,
                   event.request_cancel_external_workflow_execution_initiated_event_attributes()
                       .workflow_execution()
                       .workflow_id(),
                   {});
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: return named(name, update_id(event), {});
    default: return name;
  }
}

bool matches(const PendingCommand& command, const HistoryEvent& event) {
  const auto type = event.event_type();
  switch (command.kind) {
    case CommandKind::ScheduleActivityTask: {
      if (type != enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) return false;
      const auto& scheduled = event.activity_task_scheduled_event_attributes();
      return scheduled.activity_id() == command.id && scheduled.activity_type().name() == command.type;
    }
    case CommandKind::RequestCancelActivityTask:
      return type == enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED &&
             event.activity_task_cancel_requested_event_attributes().scheduled_event_id() ==
                 command.cancelled_activity->scheduled_event_id;
    case CommandKind::StartTimer:
      return type == enums::EVENT_TYPE_TIMER_STARTED && event.timer_started_event_attributes().timer_id() == command.id;
    case CommandKind::CancelTimer:
      return type == enums::EVENT_TYPE_TIMER_CANCELED &&
             event.timer_canceled_event_attributes().timer_id() == command.id;
    case CommandKind::RecordPatch: return is_marker(event, kPatchMarker) && patch_mark(event).id == command.id;
    case CommandKind::RecordSideEffect:
      return is_marker(event, kSideEffectMarker) && std::to_string(side_effect_mark(event).number) == command.id;
    case CommandKind::RecordLocalActivity: {
      if (!is_marker(event, kLocalActivityMarker)) return false;
      const auto mark = local_mark(event);
      return std::to_string(mark.number) == command.id && mark.id == command.id && mark.type == command.type;
    }
    case CommandKind::StartChild: {
      if (type != enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED) return false;
      const auto& child = event.start_child_workflow_execution_initiated_event_attributes();
      return child.workflow_id() == command.id && child.workflow_type().name() == command.type;
    }
    case CommandKind::SignalExternal: {
      if (type != enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) return false;
      const auto& signal = event.signal_external_workflow_execution_initiated_event_attributes();
      return signal.workflow_execution().workflow_id() == command.id && signal.signal_name() == command.type;
    }
    case CommandKind::RequestCancelExternal:
      return type == enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED &&
             event.request_cancel_external_workflow_execution_initiated_event_attributes()
                     .workflow_execution()
                     .workflow_id() == command.id;
    case CommandKind::UpsertSearchAttributes: return type == enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES;
    case CommandKind::ModifyProperties: return type == enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED;
    case CommandKind::AcceptUpdate:
      return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED && update_id(event) == command.id;
    case CommandKind::CompleteUpdate:
      return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED && update_id(event) == command.id;
    case CommandKind::CompleteWorkflow: return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED;
    case CommandKind::FailWorkflow: return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED;
    case CommandKind::CancelWorkflow: return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED;
    case CommandKind::ContinueAsNew: return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
  }
  return false;
}

}  // namespace callimport::engine::worker
