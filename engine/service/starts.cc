#include "engine/service/starts.h"

#include <algorithm>
#include <utility>

#include "engine/service/cron.h"
#include "engine/service/proto_time.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kTaskTimeoutDefault = 10 * kNanosPerSecond, kTaskTimeoutMax = 120 * kNanosPerSecond;

pb::RunFacts facts_of(const StartPlan& plan, std::int64_t now) {
  const StartedAttributes& a = plan.attributes;
  pb::RunFacts facts;
  facts.set_name_space(plan.name_space);
  facts.set_namespace_number(plan.namespace_number);
  facts.set_workflow_id(a.workflow_id());
  facts.set_run_id(plan.run_id);
  facts.set_type(a.workflow_type().name());
  facts.set_task_queue(a.task_queue().name());
  facts.set_start_ns(now);
  facts.set_original_start_ns(now);
  if (a.has_workflow_execution_timeout()) facts.set_execution_timeout_ns(to_nanos(a.workflow_execution_timeout()));
  facts.set_run_timeout_ns(to_nanos(a.workflow_run_timeout()));
  facts.set_task_timeout_ns(to_nanos(a.workflow_task_timeout()));
  facts.set_first_run_id(a.first_execution_run_id());
  facts.set_original_run_id(a.original_execution_run_id());
  facts.set_attempt(a.attempt());
  if (a.has_retry_policy()) *facts.mutable_retry_policy() = a.retry_policy();
  facts.set_cron_schedule(a.cron_schedule());
  facts.set_first_backoff_ns(to_nanos(a.first_workflow_task_backoff()));
  if (a.has_workflow_execution_expiration_time()) {
    facts.set_execution_expires_ns(to_nanos(a.workflow_execution_expiration_time()));
  }
  if (facts.run_timeout_ns() > 0) {
    facts.set_run_expires_ns(add_nanos(add_nanos(now, facts.first_backoff_ns()), facts.run_timeout_ns()));
  }
  facts.set_start_request_id(plan.request_id);
  if (plan.user_metadata != nullptr) *facts.mutable_user_metadata() = *plan.user_metadata;
  if (a.has_priority()) *facts.mutable_priority() = a.priority();
  facts.set_identity(a.identity());
  if (a.has_parent_workflow_execution()) {
    auto* parent = facts.mutable_parent();
    parent->set_name_space(a.parent_workflow_namespace());
    parent->set_namespace_id(a.parent_workflow_namespace_id());
    parent->set_workflow_id(a.parent_workflow_execution().workflow_id());
    parent->set_run_id(a.parent_workflow_execution().run_id());
    parent->set_initiated_event_id(a.parent_initiated_event_id());
    parent->set_close_policy(plan.parent_close_policy);
    facts.set_root_workflow_id(a.root_workflow_execution().workflow_id());
    facts.set_root_run_id(a.root_workflow_execution().run_id());
  }
  return facts;
}

}  // namespace

RunTimeouts clip_timeouts(RunTimeouts asked) {
  RunTimeouts t = asked;
  if (t.execution > 0) t.run = t.run > 0 ? std::min(t.run, t.execution) : t.execution;
  t.task = t.task > 0 ? std::min(t.task, kTaskTimeoutMax) : kTaskTimeoutDefault;
  if (t.run > 0) t.task = std::min(t.task, t.run);
  return t;
}

void start_run(Draft& draft, StartPlan plan) {
  StartedAttributes& attributes = plan.attributes;
  attributes.set_original_execution_run_id(plan.run_id);
  if (attributes.first_execution_run_id().empty()) attributes.set_first_execution_run_id(plan.run_id);
  draft.set_facts(facts_of(plan, draft.now()));
  if (attributes.has_memo()) draft.edit_memo() = attributes.memo();
  if (attributes.has_search_attributes()) draft.edit_search_attributes() = attributes.search_attributes();
  if (attributes.has_prev_auto_reset_points()) draft.edit_reset_points() = attributes.prev_auto_reset_points();
  if (attributes.has_retry_policy() || !attributes.cron_schedule().empty()) draft.keep_started_event();
  const bool first_of_child =
      attributes.has_parent_workflow_execution() && attributes.continued_execution_run_id().empty();
  pb::RunProgress& progress = draft.edit_progress();
  progress.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  const std::int64_t backoff = draft.facts().first_backoff_ns();
  if (backoff > 0) progress.set_backoff_until_ns(add_nanos(draft.now(), backoff));

  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  if (plan.user_metadata != nullptr) *event.mutable_user_metadata() = *plan.user_metadata;
  *event.mutable_workflow_execution_started_event_attributes() = std::move(attributes);
  if (plan.signal != nullptr) signal_run(draft, *plan.signal);
  if (first_of_child) draft.cut_batch();
  schedule_task_if_idle(draft);
}

void set_first_backoff(const std::string& cron_schedule, std::int64_t now_ns, StartedAttributes* out) {
  std::int64_t backoff = 0;
  if (const auto cron = cron_schedule.empty() ? std::nullopt : parse_cron(cron_schedule)) {
    backoff = cron_backoff(*cron, now_ns, now_ns).value_or(0);
    out->set_cron_schedule(cron_schedule);
    out->set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  }
  set_nanos(out->mutable_first_workflow_task_backoff(), backoff);
}

void set_expiration(std::int64_t when_ns, StartedAttributes* out) {
  constexpr std::int64_t kNanosPerMs = 1'000'000;
  set_nanos(out->mutable_workflow_execution_expiration_time(), when_ns / kNanosPerMs * kNanosPerMs);
}

bool request_cancel_run(Draft& draft, const CancelRequest& request) {
  if (draft.progress().cancel_requested()) return false;
  auto* event = draft.record(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
                    .mutable_workflow_execution_cancel_requested_event_attributes();
  event->set_cause(request.cause);
  event->set_identity(request.identity);
  if (request.external != nullptr) *event->mutable_external_workflow_execution() = *request.external;
  event->set_external_initiated_event_id(request.external_initiated);
  draft.edit_progress().set_cancel_requested(true);
  draft.edit_progress().set_cancel_request_id(request.request_id);
  draft.edit_progress().set_backoff_until_ns(0);  // C.6: ends a first backoff
  if (!draft.buffering()) schedule_task_if_idle(draft);
  return true;
}

void signal_run(Draft& draft, const FirstSignal& signal, const temporal::api::common::v1::WorkflowExecution* external) {
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  auto* out = event.mutable_workflow_execution_signaled_event_attributes();
  out->set_signal_name(signal.name);
  if (signal.input != nullptr) *out->mutable_input() = *signal.input;
  out->set_identity(signal.identity);
  if (signal.header != nullptr) *out->mutable_header() = *signal.header;
  if (external != nullptr) *out->mutable_external_workflow_execution() = *external;
  out->set_request_id(signal.request_id);
  if (!signal.request_id.empty()) draft.add_signal_request(signal.request_id);
  draft.edit_progress().set_signals(draft.progress().signals() + 1);
}

}  // namespace callimport::engine
