#include "engine/service/completion.h"

#include <utility>

#include "engine/service/successors.h"
#include "engine/service/utf8_text.h"
#include "engine/service/workflow_tasks.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace callimport::engine {
namespace {

using Request = api::RespondWorkflowTaskCompletedRequest;
using temporal::api::command::v1::Command;

std::int64_t write_completed(Draft& draft, const Request& request) {
  write_transient(draft);
  const pb::WorkflowTask task = draft.task();
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  auto* out = event.mutable_workflow_task_completed_event_attributes();
  out->set_scheduled_event_id(task.scheduled_event_id());
  out->set_started_event_id(task.started_event_id());
  out->set_identity(request.identity());
  out->set_binary_checksum(request.binary_checksum());
  if (request.has_worker_version_stamp()) *out->mutable_worker_version() = request.worker_version_stamp();
  if (request.has_sdk_metadata()) *out->mutable_sdk_metadata() = request.sdk_metadata();
  if (request.has_metering_metadata()) *out->mutable_metering_metadata() = request.metering_metadata();
  pb::RunProgress& progress = draft.edit_progress();
  progress.set_previous_started_event_id(task.started_event_id());
  progress.set_close_attempted(false);
  if (progress.first_completed_event_id() == 0) {
    progress.set_first_completed_event_id(event.event_id());
    progress.set_first_completed_ns(draft.now());
  }
  return event.event_id();
}

void close_failed(Draft& draft, const CommandContext& context, Random& random, Completion* out) {
  FailureProto repaired;
  const FailureProto& failure = readable(*context.failed, &repaired);
  const RetryDecision retry = decide_run_retry(draft, failure);
  const bool again = retry.state == enums::RETRY_STATE_IN_PROGRESS;
  const std::string new_run_id = again ? random.uuid4() : "";
  if (again) out->successor = retry_run(draft, failure, retry.delay_ns, new_run_id);
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
  auto* attributes = event.mutable_workflow_execution_failed_event_attributes();
  *attributes->mutable_failure() = failure;
  attributes->set_retry_state(retry.state);
  attributes->set_workflow_task_completed_event_id(context.completed_id);
  if (again) {
    attributes->set_new_execution_run_id(new_run_id);
    draft.edit_progress().set_new_run_id(new_run_id);
  }
  close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_FAILED);
}

void close(Draft& draft, const CommandContext& context, Random& random, Completion* out) {
  const Command& command = *context.closing;
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: {
      const auto& asked = command.complete_workflow_execution_command_attributes();
      auto* event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
                        .mutable_workflow_execution_completed_event_attributes();
      if (asked.has_result()) *event->mutable_result() = asked.result();
      event->set_workflow_task_completed_event_id(context.completed_id);
      close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
      return;
    }
    case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: {
      const auto& asked = command.cancel_workflow_execution_command_attributes();
      auto* event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED)
                        .mutable_workflow_execution_canceled_event_attributes();
      if (asked.has_details()) *event->mutable_details() = asked.details();
      event->set_workflow_task_completed_event_id(context.completed_id);
      close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_CANCELED);
      return;
    }
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: close_failed(draft, context, random, out); return;
    default:
      out->successor = continue_as_new(draft, *context.continue_as_new, context.completed_id, random.uuid4());
      return;
  }
}

/// The commands are void: what happens instead (C15, C20).
void fail_instead(const Run& run, const Request& request, Timestamp now, CommandError error, Completion* out) {
  out->draft.reset();
  out->successor.reset();
  out->external.clear();
  out->status = error.status;
  if (error.reaction == CommandError::Reaction::kRefuse) return;
  const bool unhandled = error.cause == enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  if (run.task.attempt() > 1 && error.reaction == CommandError::Reaction::kFailTask && !unhandled) return;
  Draft& draft = out->draft.emplace(run, now);
  temporal::api::failure::v1::Failure failure;
  failure.set_message(error.text);
  failure.mutable_server_failure_info();
  fail_task(draft, {error.cause, &failure, request.identity()});
  if (unhandled) draft.edit_progress().set_close_attempted(true);
}

void terminate_instead(const Run& run, const Request& request, Timestamp now, const CommandError& error,
                       Completion* out) {
  out->successor.reset();
  out->external.clear();
  out->status = error.status;
  Draft& draft = out->draft.emplace(run, now);
  const pb::WorkflowTask task = draft.task();
  if (task.attempt() == 1) {
    auto* event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED).mutable_workflow_task_failed_event_attributes();
    event->set_scheduled_event_id(task.scheduled_event_id());
    event->set_started_event_id(task.started_event_id());
    event->set_cause(error.cause);
    event->mutable_failure()->set_message(error.text);
    event->mutable_failure()->mutable_server_failure_info();
    event->set_identity(request.identity());
  }
  draft.edit_task().Clear();
  draft.flush_buffer();
  terminate_run(draft, error.text, nullptr, kHistoryService);
}

void react(const Run& run, const Request& request, Timestamp now, const CommandError& error, Completion* out) {
  if (error.reaction == CommandError::Reaction::kTerminate) {
    terminate_instead(run, request, now, error, out);
  } else {
    fail_instead(run, request, now, error, out);
  }
}

void set_sticky(Draft& draft, const Request& request) {
  const auto& sticky = request.sticky_attributes();
  pb::RunProgress& progress = draft.edit_progress();
  progress.set_sticky_queue(sticky.worker_task_queue().name());
  const auto& timeout = sticky.schedule_to_start_timeout();
  progress.set_sticky_timeout_ns(timeout.seconds() * 1'000'000'000 + timeout.nanos());
}

bool heartbeat_expired(const Run& run, Timestamp now) {
  return to_unix_ns(now) - run.task.original_scheduled_ns() > kHeartbeatLimitNs;
}

}  // namespace

std::optional<std::string> history_limit_error(const Draft& draft, const EmbeddedOptions& options) {
  if (draft.next_event_id() - 1 > options.history_events_max) return "Workflow history count exceeds limit.";
  if (draft.history_bytes() > static_cast<std::int64_t>(options.history_bytes_max)) {
    return "Workflow history size exceeds limit.";
  }
  return std::nullopt;
}

Completion decide_completion(const Run& run, const Request& request, Timestamp now, const EmbeddedOptions& options,
                             const SearchTypes& search_types, Random& random) {
  Completion out;
  if (auto wrong = check_sequence(request.commands())) {
    out.status = std::move(*wrong);
    return out;
  }
  const bool heartbeat =
      request.force_create_new_workflow_task() && request.commands().empty() && request.messages().empty();
  if (heartbeat && heartbeat_expired(run, now)) {
    time_out_task(out.draft.emplace(run, now));
    out.status = errors::not_found("workflow task heartbeat timeout");
    return out;
  }
  Draft& draft = out.draft.emplace(run, now);
  const std::int64_t original = run.task.original_scheduled_ns();
  CommandContext context(options, search_types, request.identity());
  context.completed_id = write_completed(draft, request);
  for (const Command& command : request.commands()) {
    if (auto wrong = run_command(draft, command, context)) {
      react(run, request, now, *wrong, &out);
      return out;
    }
  }
  if (context.closing != nullptr) {
    if (draft.has_buffered()) {
      CommandError unhandled{.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
                             .text = "UnhandledCommand",
                             .status = errors::invalid("UnhandledCommand")};
      react(run, request, now, unhandled, &out);
      return out;
    }
    close(draft, context, random, &out);
    out.external = std::move(context.external);
    return out;
  }
  set_sticky(draft, request);
  draft.edit_task().Clear();
  const bool flushed = draft.flush_buffer();
  if (flushed || context.task_due || request.force_create_new_workflow_task())
    schedule_task(draft, heartbeat ? original : 0);
  if (auto wrong = history_limit_error(draft, options)) {
    Draft& last = out.draft.emplace(run, now);
    terminate_run(last, *wrong, nullptr, kHistoryService);
    out.status = errors::invalid(*wrong);
    return out;
  }
  out.external = std::move(context.external);
  return out;
}

}  // namespace callimport::engine
