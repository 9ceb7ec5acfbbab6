#include "engine/service/workflow_tasks.h"

#include <algorithm>
#include <utility>

#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/task_events.h"
#include "engine/service/utf8_text.h"
#include "storage/model/ensure.h"
#include "temporal/api/failure/v1/message.pb.h"

namespace callimport::engine {
namespace {

constexpr int kPatientAttempts = 3;  // C14: from the next one on, start-to-close grows
constexpr std::int64_t kFirstPatience = 5 * kNanosPerSecond, kPatienceMax = 600 * kNanosPerSecond;

/// 0.8 to 1.0, the same for the same run and attempt: jitter that needs no chance.
double jitter(const std::string& run_id, int attempt) {
  std::uint64_t hash = 1469598103934665603ull + static_cast<std::uint64_t>(attempt);
  for (const char c : run_id) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return 0.8 + 0.2 * static_cast<double>(hash >> 40) / static_cast<double>(1 << 24);
}

std::int64_t start_to_close(const pb::RunFacts& facts, int attempt) {
  if (attempt <= kPatientAttempts) return facts.task_timeout_ns();
  std::int64_t extra = kFirstPatience;
  for (int n = kPatientAttempts + 1; n < attempt && extra < kPatienceMax; ++n) extra *= 2;
  extra = std::min(extra, kPatienceMax);
  return facts.task_timeout_ns() +
         static_cast<std::int64_t>(static_cast<double>(extra) * jitter(facts.run_id(), attempt));
}

/// The next attempt, nothing written.
void schedule_transient(Draft& draft, int attempt) {
  pb::WorkflowTask& task = draft.edit_task();
  task.Clear();
  task.set_state(pb::WorkflowTask::SCHEDULED);
  task.set_scheduled_event_id(draft.next_event_id());
  task.set_attempt(attempt);
  task.set_scheduled_ns(draft.now());
  task.set_original_scheduled_ns(draft.now());
  task.set_start_to_close_ns(start_to_close(draft.facts(), attempt));
}

/// After the failed or timed-out event: C13's choice between a written attempt 1 and the next transient one.
void schedule_after_failure(Draft& draft, int attempt, bool was_sticky) {
  draft.edit_task().Clear();
  if (was_sticky) draft.edit_progress().clear_sticky_queue();
  const bool flushed = draft.flush_buffer();
  if (flushed || (was_sticky && attempt == 1)) {
    schedule_task(draft);
  } else {
    schedule_transient(draft, attempt + 1);
  }
}

}  // namespace

void schedule_task(Draft& draft, std::int64_t original_ns) {
  if (draft.progress().backoff_until_ns() != 0) draft.edit_progress().set_backoff_until_ns(0);
  pb::WorkflowTask& task = draft.edit_task();
  task.Clear();
  task.set_state(pb::WorkflowTask::SCHEDULED);
  task.set_attempt(1);
  task.set_scheduled_ns(draft.now());
  task.set_original_scheduled_ns(original_ns == 0 ? draft.now() : original_ns);
  task.set_start_to_close_ns(draft.facts().task_timeout_ns());
  task.set_sticky(!draft.progress().sticky_queue().empty());
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  task.set_scheduled_event_id(event.event_id());
  fill_task_scheduled(draft.facts(), task, draft.progress().sticky_queue(), &event);
}

void schedule_speculative_task(Draft& draft) {
  ENSURE(draft.task().state() == pb::WorkflowTask::NONE);
  pb::WorkflowTask& task = draft.edit_task();
  task.set_state(pb::WorkflowTask::SCHEDULED);
  task.set_speculative(true);
  task.set_scheduled_event_id(draft.next_event_id());
  task.set_attempt(1);
  task.set_scheduled_ns(draft.now());
  task.set_original_scheduled_ns(draft.now());
  task.set_start_to_close_ns(draft.facts().task_timeout_ns());
  task.set_sticky(!draft.progress().sticky_queue().empty());
  task.set_sticky_queue(draft.progress().sticky_queue());
}

void schedule_task_if_idle(Draft& draft) {
  if (draft.task().state() != pb::WorkflowTask::NONE || draft.progress().backoff_until_ns() != 0) return;
  schedule_task(draft);
}

void start_task(Draft& draft, const TaskStart& start, const EmbeddedOptions& options) {
  pb::WorkflowTask& task = draft.edit_task();
  ENSURE(task.state() == pb::WorkflowTask::SCHEDULED);
  if (task.attempt() > 1 && task.scheduled_event_id() != draft.next_event_id()) {
    task.set_attempt(1);
    task.set_start_to_close_ns(draft.facts().task_timeout_ns());
    HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    task.set_scheduled_event_id(event.event_id());
    fill_task_scheduled(draft.facts(), task, "", &event);
  }
  task.set_state(pb::WorkflowTask::STARTED);
  task.set_started_ns(draft.now());
  task.set_identity(start.identity);
  task.set_request_id(start.request_id);
  task.set_history_size_bytes(draft.history_bytes());
  task.set_suggest_continue_as_new(draft.next_event_id() - 1 >= options.history_events_suggest ||
                                   task.history_size_bytes() >=
                                       static_cast<std::int64_t>(options.history_bytes_suggest) ||
                                   start.updates * 10 >= options.updates_max * kSuggestUpdateTenths);
  if (task.attempt() > 1 || task.speculative()) {
    task.set_started_event_id(task.scheduled_event_id() + 1);
    return;
  }
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  task.set_started_event_id(event.event_id());
  fill_task_started(task, &event);
  draft.cut_batch();
}

void write_transient(Draft& draft) {
  const pb::WorkflowTask& task = draft.task();
  if (task.attempt() <= 1) return;
  ENSURE(task.scheduled_event_id() == draft.next_event_id());
  HistoryEvent& scheduled = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  set_nanos(scheduled.mutable_event_time(), task.scheduled_ns());
  fill_task_scheduled(draft.facts(), task, "", &scheduled);
  HistoryEvent& started = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  set_nanos(started.mutable_event_time(), task.started_ns());
  fill_task_started(task, &started);
  draft.cut_batch();
}

void fail_task(Draft& draft, const TaskFailure& failure) {
  const pb::WorkflowTask task = draft.task();
  ENSURE(task.state() == pb::WorkflowTask::STARTED);
  if (task.attempt() == 1) {
    HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto* out = event.mutable_workflow_task_failed_event_attributes();
    out->set_scheduled_event_id(task.scheduled_event_id());
    out->set_started_event_id(task.started_event_id());
    out->set_cause(failure.cause);
    FailureProto repaired;
    if (failure.failure != nullptr) *out->mutable_failure() = readable(*failure.failure, &repaired);
    out->set_identity(std::string(failure.identity));
    out->set_binary_checksum(std::string(failure.binary_checksum));
    if (failure.worker_version != nullptr) *out->mutable_worker_version() = *failure.worker_version;
  }
  schedule_after_failure(draft, task.attempt(), !draft.progress().sticky_queue().empty());
}

void time_out_task(Draft& draft) {
  const pb::WorkflowTask task = draft.task();
  ENSURE(task.state() == pb::WorkflowTask::STARTED);
  if (task.attempt() == 1) {
    HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
    auto* out = event.mutable_workflow_task_timed_out_event_attributes();
    out->set_scheduled_event_id(task.scheduled_event_id());
    out->set_started_event_id(task.started_event_id());
    out->set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
  }
  schedule_after_failure(draft, task.attempt(), !draft.progress().sticky_queue().empty());
}

void time_out_scheduled_task(Draft& draft) {
  const pb::WorkflowTask task = draft.task();
  ENSURE(task.state() == pb::WorkflowTask::SCHEDULED && (task.sticky() || task.speculative()));
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
  auto* out = event.mutable_workflow_task_timed_out_event_attributes();
  out->set_scheduled_event_id(task.scheduled_event_id());
  out->set_timeout_type(enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  if (task.sticky()) draft.edit_progress().clear_sticky_queue();
  draft.edit_task().Clear();
  schedule_task(draft);
}

void fail_task_for_buffer(Draft& draft) {
  const int attempt = draft.task().attempt();
  force_close_task(draft);
  draft.edit_progress().clear_sticky_queue();
  schedule_transient(draft, attempt + 1);
}

void force_close_task(Draft& draft) {
  const pb::WorkflowTask task = draft.task();
  const bool started = task.state() == pb::WorkflowTask::STARTED;
  if (started && task.attempt() == 1) {
    HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto* out = event.mutable_workflow_task_failed_event_attributes();
    out->set_scheduled_event_id(task.scheduled_event_id());
    out->set_started_event_id(task.started_event_id());
    out->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND);
    out->set_identity(std::string(kHistoryService));
  }
  draft.edit_task().Clear();
  if (started) draft.flush_buffer();
}

void close_run(Draft& draft, enums::WorkflowExecutionStatus status) {
  pb::RunProgress& progress = draft.edit_progress();
  progress.set_status(status);
  progress.set_closed_ns(draft.now());
  draft.edit_task().Clear();
  draft.discard_buffer();
}

void terminate_run(Draft& draft, const std::string& reason, const temporal::api::common::v1::Payloads* details,
                   std::string_view identity) {
  force_close_task(draft);
  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  auto* out = event.mutable_workflow_execution_terminated_event_attributes();
  out->set_reason(reason);
  if (details != nullptr) *out->mutable_details() = *details;
  out->set_identity(std::string(identity));
  close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

}  // namespace callimport::engine
