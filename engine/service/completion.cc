#include "engine/service/completion.h"

#include <utility>

#include "engine/service/limits.h"
#include "engine/service/proto_time.h"
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

void follow(Draft& draft, Succession next, std::string* new_run_id, Completion* out) {
  if (!next.plan) return;
  *new_run_id = next.plan->run_id;
  draft.edit_progress().set_new_run_id(next.plan->run_id);
  out->successor = std::move(next.plan);
}

void close_completed(Draft& draft, const CommandContext& context, Random& random, Completion* out) {
  const auto& asked = context.closing->complete_workflow_execution_command_attributes();
  Succession next = after_completion(draft, asked.has_result() ? &asked.result() : nullptr, random);
  auto* event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
                    .mutable_workflow_execution_completed_event_attributes();
  if (asked.has_result()) *event->mutable_result() = asked.result();
  event->set_workflow_task_completed_event_id(context.completed_id);
  follow(draft, std::move(next), event->mutable_new_execution_run_id(), out);
  close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
}

void close_failed(Draft& draft, const CommandContext& context, Random& random, Completion* out) {
  FailureProto repaired;
  const FailureProto& failure = readable(*context.failed, &repaired);
  Succession next = after_failure(draft, failure, random);
  auto* event =
      draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED).mutable_workflow_execution_failed_event_attributes();
  *event->mutable_failure() = failure;
  event->set_retry_state(next.retry_state);
  event->set_workflow_task_completed_event_id(context.completed_id);
  follow(draft, std::move(next), event->mutable_new_execution_run_id(), out);
  close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_FAILED);
}

void close(Draft& draft, const CommandContext& context, Random& random, Completion* out) {
  const Command& command = *context.closing;
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: close_completed(draft, context, random, out); return;
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

/// All that the commands would have done.
void discard(Completion* out) {
  out->draft.reset();
  out->successor.reset();
  out->crossings.clear();
  out->updates.clear();
  out->left_no_trace = false;
}

/// Beyond a limit nothing of it is done, and the run is ended (C.16). @return whether that happened.
bool end_beyond_limit(const Run& run, Timestamp now, const EmbeddedOptions& options, int more_events, Completion* out) {
  const auto limit = growth_error(*out->draft, options, more_events);
  if (!limit) return false;
  discard(out);
  terminate_run(out->draft.emplace(run, now), *limit, nullptr, kHistoryService);
  out->status = errors::invalid(*limit);
  return true;
}

/// The answer is void and the task stays started, but for a speculative one: the worker drops what it holds of the run
/// now, and history reads know nothing of such a task. Another takes its place, which carries everything (C24).
void refuse_instead(const Run& run, Timestamp now, PortStatus status, Completion* out) {
  out->status = std::move(status);
  if (!run.task.speculative()) return;
  Draft& draft = out->draft.emplace(run, now);
  if (!run.progress.sticky_queue().empty()) draft.edit_progress().clear_sticky_queue();
  draft.edit_task().Clear();
  schedule_speculative_task(draft);
}

/// The commands are void: what happens instead (C15, C20).
void fail_instead(const Run& run, const Request& request, Timestamp now, CommandError error, Completion* out) {
  if (error.reaction == CommandError::Reaction::kRefuse) return refuse_instead(run, now, std::move(error.status), out);
  out->status = error.status;
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

void react(const Run& run, const Request& request, Timestamp now, const CommandError& error, UpdateReplies* replies,
           Completion* out) {
  discard(out);
  if (error.reaction == CommandError::Reaction::kTerminate) {
    terminate_instead(run, request, now, error, out);
  } else {
    fail_instead(run, request, now, error, out);
    if (error.reaction != CommandError::Reaction::kRefuse && out->draft) {
      replies->abort_sent();
      out->updates = replies->take_news();
    }
  }
}

void set_sticky(Draft& draft, const Request& request) {
  const auto& sticky = request.sticky_attributes();
  const std::string& name = sticky.worker_task_queue().name();
  const std::int64_t timeout = to_nanos(sticky.schedule_to_start_timeout());
  const pb::RunProgress& now = draft.progress();
  if (now.sticky_queue() == name && now.sticky_timeout_ns() == timeout) return;
  pb::RunProgress& progress = draft.edit_progress();
  progress.set_sticky_queue(name);
  progress.set_sticky_timeout_ns(timeout);
}

bool heartbeat_expired(const Run& run, Timestamp now) {
  return to_unix_ns(now) - run.task.original_scheduled_ns() > kHeartbeatLimitNs;
}

/// The run goes on: what waits for a worker now becomes its next task.
void schedule_next(Draft& draft, const Request& request, bool due, std::int64_t original_ns,
                   const UpdateReplies& replies) {
  draft.edit_task().Clear();
  const bool flushed = draft.flush_buffer();
  if (flushed || due) {
    schedule_task(draft, original_ns);
  } else if (replies.any_left() && request.return_new_workflow_task()) {
    schedule_speculative_task(draft);
  } else if (replies.any_left()) {
    schedule_task(draft);
  }
}

}  // namespace

Completion decide_completion(const Run& run, const AdmittedUpdates& admitted, const Request& request, Timestamp now,
                             const EmbeddedOptions& options, const Namespaces& namespaces, Random& random) {
  Completion out;
  if (auto wrong = check_sequence(request.commands())) {
    refuse_instead(run, now, std::move(*wrong), &out);
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
  UpdateReplies replies(request.messages(), admitted, options);
  CommandContext context{.options = options,
                         .namespaces = namespaces,
                         .own = namespaces.at(run.facts.name_space()),
                         .identity = request.identity(),
                         .updates = &replies};
  out.left_no_trace = leaves_no_trace(run, request);
  if (!out.left_no_trace) context.completed_id = write_completed(draft, request);
  std::optional<CommandError> wrong;
  for (const Command& command : request.commands()) {
    if ((wrong = run_command(draft, command, context))) break;
  }
  if (!wrong) wrong = replies.take_rest(draft, context.closing != nullptr);
  if (!wrong && context.closing != nullptr && draft.has_buffered_before()) {
    wrong = CommandError{.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
                         .text = "UnhandledCommand",
                         .status = errors::invalid("UnhandledCommand")};
  }
  if (wrong) {
    react(run, request, now, *wrong, &replies, &out);
    if (out.draft) (void)end_beyond_limit(run, now, options, 0, &out);
    return out;
  }
  out.crossings = std::move(context.crossings);
  if (context.closing != nullptr) {
    close(draft, context, random, &out);
    out.updates = replies.take_news();
    return out;
  }
  if (!request.force_create_new_workflow_task()) replies.reject_unanswered();
  set_sticky(draft, request);
  const bool due = context.task_due || request.force_create_new_workflow_task();
  schedule_next(draft, request, due, heartbeat ? run.task.original_scheduled_ns() : 0, replies);
  // A task that goes back with the answer is started in this change, too.
  const pb::WorkflowTask& next = draft.task();
  const bool starts =
      request.return_new_workflow_task() && next.state() == pb::WorkflowTask::SCHEDULED && !next.speculative();
  if (end_beyond_limit(run, now, options, starts ? 1 : 0, &out)) return out;
  out.updates = replies.take_news();
  return out;
}

}  // namespace callimport::engine
