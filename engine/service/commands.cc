#include "engine/service/commands.h"

#include <utility>

#include "engine/service/activities.h"
#include "engine/service/cron.h"
#include "engine/service/crossing_commands.h"
#include "engine/service/limits.h"
#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/search_attributes.h"

namespace callimport::engine {
namespace {

using temporal::api::command::v1::Command;
using Bad = std::optional<CommandError>;

Bad start_timer(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
  if (!command.has_start_timer_command_attributes()) return CommandError::missing(kCause, "StartTimerCommand");
  const auto& asked = command.start_timer_command_attributes();
  if (asked.timer_id().empty()) return CommandError::fail_task(kCause, "TimerId is not set on StartTimerCommand.");
  if (asked.timer_id().size() > 1000) return CommandError::fail_task(kCause, "TimerId length exceeds limit.");
  const std::int64_t duration = to_nanos(asked.start_to_fire_timeout());
  if (duration < 0) {
    return CommandError::fail_task(
        kCause,
        "An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=" + asked.timer_id());
  }
  if (draft.timer(asked.timer_id()) != nullptr) {
    return CommandError::fail_task(
        enums::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
        "invalid history builder state for action: add-timer-started-event, TimerID: " + asked.timer_id());
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_TIMER_STARTED);
  if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
  auto* out = event.mutable_timer_started_event_attributes();
  out->set_timer_id(asked.timer_id());
  set_nanos(out->mutable_start_to_fire_timeout(), duration);
  out->set_workflow_task_completed_event_id(context.completed_id);
  pb::TimerState timer;
  timer.set_timer_id(asked.timer_id());
  timer.set_started_event_id(event.event_id());
  timer.set_fires_ns(add_nanos(draft.now(), duration));
  draft.add_timer(std::move(timer));
  return std::nullopt;
}

Bad cancel_timer(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
  if (!command.has_cancel_timer_command_attributes()) return CommandError::missing(kCause, "CancelTimerCommand");
  const std::string& id = command.cancel_timer_command_attributes().timer_id();
  if (id.empty()) return CommandError::fail_task(kCause, "TimerId is not set on CancelTimerCommand.");
  std::int64_t started = 0;
  if (const pb::TimerState* timer = draft.timer(id)) {
    started = timer->started_event_id();
    draft.remove_timer(id);
  } else if (const auto fired = draft.drop_buffered_timer(id)) {
    started = *fired;  // it fired while this task was started; the workflow never hears of it (E9)
  } else {
    return CommandError::fail_task(
        kCause, "invalid history builder state for action: add-timer-canceled-event, TimerID: " + id);
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_TIMER_CANCELED);
  auto* out = event.mutable_timer_canceled_event_attributes();
  out->set_timer_id(id);
  out->set_started_event_id(started);
  out->set_workflow_task_completed_event_id(context.completed_id);
  out->set_identity(context.identity);
  return std::nullopt;
}

Bad record_marker(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
  if (!command.has_record_marker_command_attributes()) return CommandError::missing(kCause, "RecordMarkerCommand");
  const auto& asked = command.record_marker_command_attributes();
  if (asked.marker_name().empty())
    return CommandError::fail_task(kCause, "MarkerName is not set on RecordMarkerCommand.");
  if (asked.ByteSizeLong() > context.options.blob_bytes_max) {
    return CommandError::terminate(kCause, "RecordMarkerCommandAttributes.Details exceeds size limit.");
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_MARKER_RECORDED);
  if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
  auto* out = event.mutable_marker_recorded_event_attributes();
  out->set_marker_name(asked.marker_name());
  *out->mutable_details() = asked.details();
  out->set_workflow_task_completed_event_id(context.completed_id);
  if (asked.has_header()) *out->mutable_header() = asked.header();
  if (asked.has_failure()) *out->mutable_failure() = asked.failure();
  return std::nullopt;
}

Bad upsert_search(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  constexpr const char* kName = "UpsertWorkflowSearchAttributesCommand";
  if (!command.has_upsert_workflow_search_attributes_command_attributes()) return CommandError::missing(kCause, kName);
  temporal::api::common::v1::SearchAttributes asked =
      command.upsert_workflow_search_attributes_command_attributes().search_attributes();
  if (asked.indexed_fields().empty()) {
    return CommandError::fail_task(kCause, std::string("IndexedFields is not set on ") + kName + ".");
  }
  if (fields_bytes(asked.indexed_fields()) > context.options.blob_bytes_max) {
    return CommandError::terminate(kCause, "UpsertWorkflowSearchAttributesCommandAttributes exceeds size limit.");
  }
  if (auto wrong = check_search_attributes(draft.facts().name_space(), context.own.search_types, &asked)) {
    return CommandError::fail_task(kCause, *wrong);
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto* out = event.mutable_upsert_workflow_search_attributes_event_attributes();
  out->set_workflow_task_completed_event_id(context.completed_id);
  merge_fields(*asked.mutable_indexed_fields(), draft.edit_search_attributes().mutable_indexed_fields());
  *out->mutable_search_attributes() = std::move(asked);
  return std::nullopt;
}

Bad modify_properties(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
  constexpr const char* kName = "ModifyWorkflowPropertiesCommand";
  if (!command.has_modify_workflow_properties_command_attributes()) return CommandError::missing(kCause, kName);
  const auto& memo = command.modify_workflow_properties_command_attributes().upserted_memo();
  if (memo.fields().empty()) {
    return CommandError::fail_task(kCause, std::string("UpsertedMemo.Fields is not set on ") + kName + ".");
  }
  if (fields_bytes(memo.fields()) > context.options.blob_bytes_max) {
    return CommandError::terminate(kCause, "ModifyWorkflowPropertiesCommandAttributes exceeds size limit.");
  }
  merge_fields(memo.fields(), draft.edit_memo().mutable_fields());
  if (draft.memo().ByteSizeLong() > context.options.memo_bytes_max) {
    return CommandError::terminate(kCause, "ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit.");
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED);
  auto* out = event.mutable_workflow_properties_modified_event_attributes();
  out->set_workflow_task_completed_event_id(context.completed_id);
  *out->mutable_upserted_memo() = memo;
  return std::nullopt;
}

Bad protocol_message(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;
  if (!command.has_protocol_message_command_attributes()) {
    return CommandError::missing(kCause, "ProtocolMessageCommand");
  }
  const std::string& id = command.protocol_message_command_attributes().message_id();
  if (id.empty()) return CommandError::fail_task(kCause, "MessageID is not set on ProtocolMessageCommand.");
  return context.updates->take(draft, id);
}

Bad check_closing(const Command& command, std::int64_t now_ns, CommandContext& context) {
  context.closing = &command;
  const auto too_large = [&context](const google::protobuf::Message& blob) {
    return blob.ByteSizeLong() > context.options.blob_bytes_max;
  };
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      if (!command.has_complete_workflow_execution_command_attributes()) {
        return CommandError::missing(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
                                     "CompleteWorkflowExecutionCommand");
      }
      if (too_large(
              command.complete_workflow_execution_command_attributes().result())) {  // C20: not a cause of its own
        return CommandError::terminate(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
                                       "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.");
      }
      return std::nullopt;
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: {
      constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
      if (!command.has_fail_workflow_execution_command_attributes()) {
        return CommandError::missing(kCause, "FailWorkflowExecutionCommand");
      }
      const auto& asked = command.fail_workflow_execution_command_attributes();
      if (!asked.has_failure())
        return CommandError::fail_task(kCause, "Failure is not set on FailWorkflowExecutionCommand.");
      if (too_large(asked.failure())) {
        return CommandError::terminate(kCause, "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.");
      }
      context.failed = &asked.failure();
      return std::nullopt;
    }
    case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
      if (!command.has_cancel_workflow_execution_command_attributes()) {
        return CommandError::missing(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
                                     "CancelWorkflowExecutionCommand");
      }
      return std::nullopt;  // its details may be of any size
    default: {
      constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
      if (!command.has_continue_as_new_workflow_execution_command_attributes()) {
        return CommandError::missing(kCause, "ContinueAsNewWorkflowExecutionCommand");
      }
      auto asked = command.continue_as_new_workflow_execution_command_attributes();
      if (asked.has_retry_policy()) {
        if (auto wrong = retry_policy_error(asked.retry_policy())) return CommandError::fail_task(kCause, *wrong);
      }
      if (auto wrong = cron_error(asked.cron_schedule(), now_ns)) return CommandError::fail_task(kCause, *wrong);
      if (too_large(asked.input())) {
        return CommandError::terminate(kCause,
                                       "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.");
      }
      if (asked.memo().ByteSizeLong() > context.options.memo_bytes_max) {
        return CommandError::terminate(kCause,
                                       "ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit.");
      }
      if (asked.has_search_attributes()) {
        if (auto wrong = check_search_attributes("", context.own.search_types, asked.mutable_search_attributes())) {
          return CommandError::fail_task(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, *wrong);
        }
      }
      context.continue_as_new = std::move(asked);
      return std::nullopt;
    }
  }
}

Bad lacking(const char* what) {
  return CommandError::fail_task(enums::WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
                                 std::string("the embedded service does not support ") + what + " yet");
}

}  // namespace

bool is_closing(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION || type == enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION;
}

std::optional<PortStatus> check_sequence(const google::protobuf::RepeatedPtrField<Command>& commands) {
  const auto name = [](int type) -> std::string {
    constexpr std::string_view kPrefix = "COMMAND_TYPE_";
    const std::string full = enums::CommandType_IsValid(type)
                                 ? enums::CommandType_Name(static_cast<enums::CommandType>(type))
                                 : std::string();
    return full.empty() ? std::to_string(type) : camel_case(full.substr(kPrefix.size()));
  };
  for (int i = 0; i < commands.size(); ++i) {
    const auto type = commands[i].command_type();
    if (type == enums::COMMAND_TYPE_UNSPECIFIED || !enums::CommandType_IsValid(type)) {
      return errors::invalid("unknown command type: " + name(type));
    }
    if (!is_closing(type) || i + 1 == commands.size()) continue;
    std::string all;
    for (const auto& command : commands) all += (all.empty() ? "" : ", ") + name(command.command_type());
    return errors::invalid("invalid command sequence: [" + all + "], command " + name(type) +
                           " must be the last command.");
  }
  return std::nullopt;
}

std::optional<CommandError> run_command(Draft& draft, const Command& command, CommandContext& context) {
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
      return schedule_activity(draft, command, context.completed_id, context.options);
    case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
      return request_cancel_activity(draft, command, context.completed_id, context.identity, &context.task_due);
    case enums::COMMAND_TYPE_START_TIMER: return start_timer(draft, command, context);
    case enums::COMMAND_TYPE_CANCEL_TIMER: return cancel_timer(draft, command, context);
    case enums::COMMAND_TYPE_RECORD_MARKER: return record_marker(draft, command, context);
    case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: return upsert_search(draft, command, context);
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: return modify_properties(draft, command, context);
    case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: return signal_external(draft, command, context);
    case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return cancel_external(draft, command, context);
    case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: return start_child(draft, command, context);
    case enums::COMMAND_TYPE_PROTOCOL_MESSAGE: return protocol_message(draft, command, context);
    case enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION:
    case enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION: return lacking("Nexus operations");
    default: return check_closing(command, draft.now(), context);
  }
}

}  // namespace callimport::engine
