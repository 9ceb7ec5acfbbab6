#include "engine/service/crossing_commands.h"

#include <utility>

#include "engine/service/children.h"
#include "engine/service/cron.h"
#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/starts.h"
#include "engine/service/utf8_text.h"
#include "engine/service/uuid_text.h"

namespace callimport::engine {
namespace {

using temporal::api::command::v1::Command;
using Bad = std::optional<CommandError>;
using StartChild = temporal::api::command::v1::StartChildWorkflowExecutionCommandAttributes;

constexpr std::size_t kIdBytesMax = 1000;

/// The namespace a command names, or the run's own; null: there is none of that name (C19).
const Namespace* target_of(const std::string& asked, const Draft& draft, const CommandContext& context) {
  const auto it = context.namespaces.find(asked.empty() ? draft.facts().name_space() : asked);
  return it == context.namespaces.end() ? nullptr : &it->second;
}

Bad over_limit(enums::WorkflowTaskFailedCause cause, const char* what, std::size_t count, int limit) {
  if (count < static_cast<std::size_t>(limit)) return std::nullopt;
  return CommandError::fail_task(cause, "the number of " + std::string(what) + ", " + std::to_string(count) +
                                            ", has reached the per-workflow limit of " + std::to_string(limit));
}

/// Requests that this task sends; those of earlier tasks are resolved (they were in the append that initiated them).
std::size_t pending(const CommandContext& context, enums::CommandType type) {
  std::size_t count = 0;
  for (const Crossing& crossing : context.crossings) count += crossing.command->command_type() == type ? 1 : 0;
  return count;
}

std::optional<std::string> queue_error(const std::string& queue) {
  if (!is_utf8(queue)) return "task queue name is not a valid UTF-8 string";
  if (queue.size() > kIdBytesMax) return "taskQueue length exceeds limit";
  if (queue.starts_with("/_sys/")) return "task queue name cannot start with reserved prefix /_sys/";
  return std::nullopt;
}

/// What is wrong with the names, times and policies of a child. For some of it the server fails the task, for the rest
/// it only refuses the completion, and the task stays started.
Bad check_child(const StartChild& asked, const std::string& name_space, std::int64_t now_ns) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  constexpr const char* kName = "StartChildWorkflowExecutionCommand";
  const std::string& id = asked.workflow_id();
  const std::string& type = asked.workflow_type().name();
  const std::string who = ". WorkflowId=" + id + " WorkflowType=" + type + " Namespace=" + name_space;
  const auto bad = [](const std::string& text) { return CommandError::fail_task(kCause, text); };
  const auto refused = [&who](const std::string& text) { return CommandError::refuse(errors::invalid(text + who)); };
  const auto too_long = [](const std::string& text) {
    return " Length=" + std::to_string(text.size()) + " Limit=" + std::to_string(kIdBytesMax);
  };
  if (id.empty()) {
    return bad(std::string("Required field WorkflowId is not set on ") + kName + ". WorkflowType=" + type +
               " Namespace=" + name_space);
  }
  if (type.empty()) {
    return bad(std::string("Required field WorkflowType is not set on ") + kName + ". WorkflowId=" + id +
               " Namespace=" + name_space);
  }
  if (!is_utf8(id) || !is_utf8(type)) return bad("WorkflowId and WorkflowType must be UTF-8.");
  if (id.size() > kIdBytesMax) {
    return bad(std::string("WorkflowId on ") + kName + " exceeds length limit. WorkflowId=" + id + too_long(id) +
               " WorkflowType=" + type + " Namespace=" + name_space);
  }
  if (type.size() > kIdBytesMax) {
    return bad(std::string("WorkflowType on ") + kName + " exceeds length limit. WorkflowId=" + id +
               " WorkflowType=" + type + too_long(type) + " Namespace=" + name_space);
  }
  const std::pair<const char*, const google::protobuf::Duration*> durations[] = {
      {"WorkflowExecutionTimeout", &asked.workflow_execution_timeout()},
      {"WorkflowRunTimeout", &asked.workflow_run_timeout()},
      {"WorkflowTaskTimeout", &asked.workflow_task_timeout()}};
  for (const auto& [name, duration] : durations) {
    if (to_nanos(*duration) < 0)
      return bad(std::string("Invalid ") + name + " on " + kName + ": negative duration" + who);
  }
  if (asked.has_retry_policy()) {
    if (auto wrong = retry_policy_error(asked.retry_policy())) {
      return refused(std::string("invalid WorkflowRetryPolicy on ") + kName + ": " + *wrong);
    }
  }
  if (auto wrong = cron_error(asked.cron_schedule(), now_ns)) {
    return refused(std::string("invalid CronSchedule on ") + kName + ": " + *wrong);
  }
  if (auto wrong = queue_error(asked.task_queue().name())) {
    return refused(std::string("invalid TaskQueue on ") + kName + ": " + *wrong);
  }
  return std::nullopt;
}

/// The command with everything filled in that it may leave out.
StartChild complete_child(const StartChild& command, const Draft& draft, const Namespace& target) {
  StartChild asked = command;
  asked.set_namespace_(target.name);
  if (asked.task_queue().name().empty()) asked.mutable_task_queue()->set_name(draft.facts().task_queue());
  asked.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  const RunTimeouts timeouts =
      clip_timeouts({to_nanos(command.workflow_execution_timeout()), to_nanos(command.workflow_run_timeout()),
                     to_nanos(command.workflow_task_timeout())});
  set_nanos(asked.mutable_workflow_run_timeout(), timeouts.run);
  set_nanos(asked.mutable_workflow_task_timeout(), timeouts.task);
  if (asked.has_retry_policy()) fill_retry_defaults(asked.mutable_retry_policy());
  if (asked.parent_close_policy() == enums::PARENT_CLOSE_POLICY_UNSPECIFIED) {
    asked.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_TERMINATE);
  }
  if (asked.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED) {
    asked.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
  }
  return asked;
}

}  // namespace

Bad start_child(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  constexpr const char* kName = "StartChildWorkflowExecutionCommand";
  if (!command.has_start_child_workflow_execution_command_attributes()) return CommandError::missing(kCause, kName);
  const auto& sent = command.start_child_workflow_execution_command_attributes();
  const Namespace* target = target_of(sent.namespace_(), draft, context);
  if (target == nullptr) return CommandError::refuse(errors::namespace_not_found(sent.namespace_()));
  if (auto wrong = check_child(sent, target->name, draft.now())) return wrong;
  StartChild asked = complete_child(sent, draft, *target);
  if (asked.has_search_attributes()) {
    if (auto wrong = check_search_attributes(target->name, target->search_types, asked.mutable_search_attributes())) {
      return CommandError::fail_task(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, *wrong);
    }
  }
  if (asked.input().ByteSizeLong() > context.options.blob_bytes_max) {
    return CommandError::terminate(kCause, "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.");
  }
  if (asked.memo().ByteSizeLong() > context.options.memo_bytes_max) {
    return CommandError::terminate(kCause, "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.");
  }
  if (auto wrong =
          over_limit(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
                     "pending child workflow executions", draft.child_count(), context.options.pending_children_max)) {
    return wrong;
  }
  const std::int64_t initiated = initiate_child(draft, asked, command, target->id, context.completed_id);
  Crossing crossing{.initiated_event_id = initiated, .command = &command};
  crossing.child = plan_child(draft, asked, context.own, initiated);
  if (command.has_user_metadata()) crossing.child->user_metadata = &command.user_metadata();
  context.children.insert(asked.workflow_id());
  context.crossings.push_back(std::move(crossing));
  return std::nullopt;
}

Bad signal_external(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  constexpr const char* kName = "SignalExternalWorkflowExecutionCommand";
  if (!command.has_signal_external_workflow_execution_command_attributes()) return CommandError::missing(kCause, kName);
  const auto& asked = command.signal_external_workflow_execution_command_attributes();
  const auto bad = [](const std::string& text) { return CommandError::fail_task(kCause, text); };
  if (!asked.has_execution()) return bad(std::string("Execution is not set on ") + kName + ".");
  const Namespace* target = target_of(asked.namespace_(), draft, context);
  if (target == nullptr) return CommandError::refuse(errors::namespace_not_found(asked.namespace_()));
  const std::string& id = asked.execution().workflow_id();
  const std::string& run = asked.execution().run_id();
  const std::string where = " Namespace=" + asked.namespace_();
  const std::string which = " RunId=" + run + " SignalName=" + asked.signal_name();
  if (id.empty()) return bad(std::string("WorkflowId is not set on ") + kName + "." + where + which);
  if (id.size() > kIdBytesMax) {
    return bad(std::string("WorkflowId on ") + kName + " exceeds length limit. WorkflowId=" + id +
               " Length=" + std::to_string(id.size()) + " Limit=" + std::to_string(kIdBytesMax) + where + which);
  }
  if (!run.empty() && !is_uuid(run)) {
    return bad(std::string("Invalid RunId set on ") + kName + ". WorkflowId=" + id + where + which);
  }
  if (asked.signal_name().empty()) {
    return bad(std::string("SignalName is not set on ") + kName + ". WorkflowId=" + id + where + " RunId=" + run);
  }
  if (auto wrong = over_limit(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
                              "pending signals to external workflows", pending(context, command.command_type()),
                              context.options.pending_signals_max)) {
    return wrong;
  }
  if (asked.input().ByteSizeLong() > context.options.blob_bytes_max) {
    return CommandError::terminate(kCause,
                                   "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.");
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
  if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
  auto* out = event.mutable_signal_external_workflow_execution_initiated_event_attributes();
  out->set_workflow_task_completed_event_id(context.completed_id);
  out->set_namespace_(asked.namespace_());  // as it came; the id says which
  out->set_namespace_id(target->id);
  *out->mutable_workflow_execution() = asked.execution();
  out->set_signal_name(asked.signal_name());
  if (asked.has_input()) *out->mutable_input() = asked.input();
  out->set_control(asked.control());
  out->set_child_workflow_only(asked.child_workflow_only());
  if (asked.has_header()) *out->mutable_header() = asked.header();
  context.crossings.push_back({.initiated_event_id = event.event_id(), .command = &command});
  return std::nullopt;
}

Bad cancel_external(Draft& draft, const Command& command, CommandContext& context) {
  constexpr auto kCause = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  constexpr const char* kName = "RequestCancelExternalWorkflowExecutionCommand";
  if (!command.has_request_cancel_external_workflow_execution_command_attributes())
    return CommandError::missing(kCause, kName);
  const auto& asked = command.request_cancel_external_workflow_execution_command_attributes();
  const auto bad = [](const std::string& text) { return CommandError::fail_task(kCause, text); };
  const Namespace* target = target_of(asked.namespace_(), draft, context);
  if (target == nullptr) return CommandError::refuse(errors::namespace_not_found(asked.namespace_()));
  const std::string& id = asked.workflow_id();
  const std::string where = " RunId=" + asked.run_id() + " Namespace=" + asked.namespace_();
  if (id.empty()) {
    return bad(std::string("WorkflowId is not set on ") + kName + ". Namespace=" + asked.namespace_() +
               " RunId=" + asked.run_id());
  }
  if (id.size() > kIdBytesMax) {
    return bad(std::string("WorkflowId on ") + kName + " exceeds length limit. WorkflowId=" + id +
               " Length=" + std::to_string(id.size()) + " Limit=" + std::to_string(kIdBytesMax) + where);
  }
  if (!asked.run_id().empty() && !is_uuid(asked.run_id())) {
    return bad(std::string("Invalid RunId set on ") + kName + ". WorkflowId=" + id + where);
  }
  if (context.children.contains(id)) {
    return bad("Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=" + id +
               where);
  }
  if (auto wrong = over_limit(enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
                              "pending requests to cancel external workflows", pending(context, command.command_type()),
                              context.options.pending_cancels_max)) {
    return wrong;
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
  if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
  auto* out = event.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
  out->set_workflow_task_completed_event_id(context.completed_id);
  out->set_namespace_(asked.namespace_());
  out->set_namespace_id(target->id);
  out->mutable_workflow_execution()->set_workflow_id(id);
  out->mutable_workflow_execution()->set_run_id(asked.run_id());
  out->set_control(asked.control());
  out->set_child_workflow_only(asked.child_workflow_only());
  out->set_reason(asked.reason());
  context.crossings.push_back({.initiated_event_id = event.event_id(), .command = &command});
  return std::nullopt;
}

}  // namespace callimport::engine
