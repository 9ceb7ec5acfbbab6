#include "engine/service/successors.h"

#include <algorithm>
#include <utility>

#include "engine/service/cron.h"
#include "engine/service/proto_time.h"
#include "engine/service/search_attributes.h"
#include "engine/service/workflow_tasks.h"
#include "storage/model/ensure.h"
#include "temporal/api/command/v1/message.pb.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kRunIntervalMin = kNanosPerSecond;  // C4: at least between the starts of two runs of a chain

/// When the run's first backoff was to end.
std::int64_t due_ns(const pb::RunFacts& facts) { return add_nanos(facts.start_ns(), facts.first_backoff_ns()); }

/// @param delay  asked for; raised so far that the run before was not due less than the interval ago.
std::int64_t at_least_interval(const Draft& draft, std::int64_t delay) {
  const std::int64_t elapsed = draft.now() - due_ns(draft.facts());  // negative: its backoff was ended early
  return std::max(delay, kRunIntervalMin - elapsed);
}

/// What every successor has in common.
StartPlan follow(const Draft& draft, std::string new_run_id) {
  const pb::RunFacts& facts = draft.facts();
  StartPlan plan;
  plan.name_space = facts.name_space();
  plan.namespace_number = facts.namespace_number();
  plan.run_id = std::move(new_run_id);
  StartedAttributes& a = plan.attributes;
  a.set_workflow_id(facts.workflow_id());
  a.set_first_execution_run_id(facts.first_run_id());
  a.set_continued_execution_run_id(facts.run_id());
  if (facts.has_execution_timeout_ns()) set_nanos(a.mutable_workflow_execution_timeout(), facts.execution_timeout_ns());
  if (facts.execution_timeout_ns() > 0) {
    set_nanos(a.mutable_workflow_execution_expiration_time(), facts.execution_expires_ns());
  }
  if (facts.has_priority()) *a.mutable_priority() = facts.priority();
  if (facts.has_parent()) {
    const pb::Parent& parent = facts.parent();
    a.set_parent_workflow_namespace(parent.name_space());
    a.set_parent_workflow_namespace_id(parent.namespace_id());
    a.mutable_parent_workflow_execution()->set_workflow_id(parent.workflow_id());
    a.mutable_parent_workflow_execution()->set_run_id(parent.run_id());
    a.set_parent_initiated_event_id(parent.initiated_event_id());
    a.mutable_root_workflow_execution()->set_workflow_id(facts.root_workflow_id());
    a.mutable_root_workflow_execution()->set_run_id(facts.root_run_id());
    const bool left = draft.progress().parent_left();
    plan.parent_close_policy = left ? enums::PARENT_CLOSE_POLICY_ABANDON : parent.close_policy();
  }
  *a.mutable_prev_auto_reset_points() = reset_points(facts, draft.progress(), draft.run().reset_points);
  return plan;
}

constexpr auto kRetry = enums::CONTINUE_AS_NEW_INITIATOR_RETRY;
constexpr auto kCron = enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE;

RetryDecision decide_run_retry(const Draft& draft, const FailureProto& failure) {
  const pb::RunFacts& facts = draft.facts();
  if (!facts.has_retry_policy()) return {enums::RETRY_STATE_RETRY_POLICY_NOT_SET};
  return decide_retry(facts.retry_policy(), facts.attempt(), failure, draft.now(), facts.execution_expires_ns());
}

/// Until the cron schedule comes round; nothing: it does not, or there is none.
std::optional<std::int64_t> cron_delay(const Draft& draft) {
  const pb::RunFacts& facts = draft.facts();
  if (facts.cron_schedule().empty()) return std::nullopt;
  const auto cron = parse_cron(facts.cron_schedule());
  if (!cron) return std::nullopt;  // its time zone is not there any more
  return cron_backoff(*cron, due_ns(facts), draft.now());
}

/// WorkflowExecutionStarted; nothing: the journal does not have it, and the run cannot come again.
std::optional<HistoryEvent> first_event(const Draft& draft) {
  HistoryEvent first;
  const bool parses = first.ParseFromString(draft.run().started_event);
  if (!parses || !first.has_workflow_execution_started_event_attributes()) return std::nullopt;
  return first;
}

struct Again {
  enums::ContinueAsNewInitiator initiator;
  std::int64_t delay_ns = 0;
  const FailureProto* failure = nullptr;                             ///< of the run before
  const temporal::api::common::v1::Payloads* last_result = nullptr;  ///< of the last run that had one
};

/// The same run once more. @param first  its WorkflowExecutionStarted.
StartPlan run_again(const Draft& draft, const HistoryEvent& first, const Again& again, Random& random) {
  StartPlan plan = follow(draft, random.uuid4());
  const StartedAttributes& before = first.workflow_execution_started_event_attributes();
  StartedAttributes& a = plan.attributes;
  *a.mutable_workflow_type() = before.workflow_type();
  *a.mutable_task_queue() = before.task_queue();
  if (before.has_input()) *a.mutable_input() = before.input();
  if (before.has_header()) *a.mutable_header() = before.header();
  if (before.has_workflow_run_timeout()) *a.mutable_workflow_run_timeout() = before.workflow_run_timeout();
  *a.mutable_workflow_task_timeout() = before.workflow_task_timeout();
  if (before.has_retry_policy()) *a.mutable_retry_policy() = before.retry_policy();
  a.set_cron_schedule(before.cron_schedule());
  if (again.last_result != nullptr) *a.mutable_last_completion_result() = *again.last_result;
  if (before.has_memo()) *a.mutable_memo() = before.memo();  // what was upserted since is not handed on
  if (before.has_search_attributes()) *a.mutable_search_attributes() = before.search_attributes();
  a.set_initiator(again.initiator);
  if (again.failure != nullptr) *a.mutable_continued_failure() = *again.failure;
  a.set_attempt(again.initiator == kRetry ? draft.facts().attempt() + 1 : 1);
  set_nanos(a.mutable_first_workflow_task_backoff(), at_least_interval(draft, again.delay_ns));
  if (first.has_user_metadata()) plan.user_metadata = &draft.facts().user_metadata();
  return plan;
}

/// @param keep_result  a retry, too, hands on the last result; a cron run always does.
Succession after_ending(const Draft& draft, const FailureProto& failure, bool keep_result, Random& random) {
  const RetryDecision retry = decide_run_retry(draft, failure);
  const bool again = retry.state == enums::RETRY_STATE_IN_PROGRESS;
  const std::optional<std::int64_t> delay = again ? retry.delay_ns : cron_delay(draft);
  Succession out{.retry_state = retry.state, .plan = std::nullopt};
  if (!delay) return out;
  const auto first = first_event(draft);
  if (!first) return out;
  const StartedAttributes& before = first->workflow_execution_started_event_attributes();
  const bool kept = before.has_last_completion_result() && (keep_result || !again);
  const auto* result = kept ? &before.last_completion_result() : nullptr;
  out.plan = run_again(draft, *first, {again ? kRetry : kCron, *delay, &failure, result}, random);
  return out;
}

}  // namespace

temporal::api::workflow::v1::ResetPoints reset_points(const pb::RunFacts& facts, const pb::RunProgress& progress,
                                                      const temporal::api::workflow::v1::ResetPoints& inherited) {
  temporal::api::workflow::v1::ResetPoints out = inherited;
  if (progress.first_completed_event_id() == 0) return out;
  auto* point = out.add_points();
  point->set_run_id(facts.run_id());
  point->set_first_workflow_task_completed_id(progress.first_completed_event_id());
  set_nanos(point->mutable_create_time(), progress.first_completed_ns());
  point->set_resettable(true);
  return out;
}

StartPlan continue_as_new(Draft& draft,
                          const temporal::api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes& command,
                          std::int64_t completed_id, std::string new_run_id) {
  const pb::RunFacts& facts = draft.facts();
  StartPlan plan = follow(draft, new_run_id);
  StartedAttributes& a = plan.attributes;
  a.mutable_workflow_type()->set_name(command.workflow_type().name().empty() ? facts.type()
                                                                             : command.workflow_type().name());
  a.mutable_task_queue()->set_name(command.task_queue().name().empty() ? facts.task_queue()
                                                                       : command.task_queue().name());
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  RunTimeouts asked{0, to_nanos(command.workflow_run_timeout()), to_nanos(command.workflow_task_timeout())};
  if (asked.run == 0) asked.run = facts.run_timeout_ns();
  if (asked.task == 0) asked.task = facts.task_timeout_ns();
  const RunTimeouts timeouts = clip_timeouts(asked);
  set_nanos(a.mutable_workflow_run_timeout(), timeouts.run);
  set_nanos(a.mutable_workflow_task_timeout(), timeouts.task);
  a.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
  a.set_attempt(1);
  if (command.has_input()) *a.mutable_input() = command.input();
  if (command.has_header()) *a.mutable_header() = command.header();
  if (command.has_memo()) *a.mutable_memo() = command.memo();
  if (command.has_search_attributes()) *a.mutable_search_attributes() = command.search_attributes();
  if (command.has_failure()) *a.mutable_continued_failure() = command.failure();
  if (command.has_last_completion_result()) *a.mutable_last_completion_result() = command.last_completion_result();
  a.set_cron_schedule(command.cron_schedule());
  if (command.has_retry_policy()) {
    *a.mutable_retry_policy() = command.retry_policy();
    fill_retry_defaults(a.mutable_retry_policy());
  }
  const std::int64_t backoff = at_least_interval(draft, to_nanos(command.backoff_start_interval()));
  if (backoff > 0) set_nanos(a.mutable_first_workflow_task_backoff(), backoff);

  HistoryEvent& event = draft.append(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
  auto* out = event.mutable_workflow_execution_continued_as_new_event_attributes();
  out->set_new_execution_run_id(new_run_id);
  *out->mutable_workflow_type() = a.workflow_type();
  *out->mutable_task_queue() = a.task_queue();
  if (command.has_input()) *out->mutable_input() = command.input();
  *out->mutable_workflow_run_timeout() = a.workflow_run_timeout();
  *out->mutable_workflow_task_timeout() = a.workflow_task_timeout();
  out->set_workflow_task_completed_event_id(completed_id);
  if (command.has_backoff_start_interval()) *out->mutable_backoff_start_interval() = command.backoff_start_interval();
  out->set_initiator(command.initiator());
  if (command.has_last_completion_result()) *out->mutable_last_completion_result() = command.last_completion_result();
  if (command.has_header()) *out->mutable_header() = command.header();
  if (command.has_memo()) *out->mutable_memo() = command.memo();
  if (command.has_search_attributes()) *out->mutable_search_attributes() = command.search_attributes();
  draft.edit_progress().set_new_run_id(std::move(new_run_id));
  close_run(draft, enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW);
  return plan;
}

Succession after_completion(const Draft& draft, const temporal::api::common::v1::Payloads* result, Random& random) {
  Succession out;
  const auto delay = cron_delay(draft);
  const auto first = delay ? first_event(draft) : std::nullopt;
  if (first) out.plan = run_again(draft, *first, {kCron, *delay, nullptr, result}, random);
  return out;
}

Succession after_failure(const Draft& draft, const FailureProto& failure, Random& random) {
  return after_ending(draft, failure, false, random);
}

Succession after_timeout(const Draft& draft, Random& random) {
  const std::int64_t end = draft.facts().execution_expires_ns();
  if (end != 0 && end <= draft.now()) return {.retry_state = enums::RETRY_STATE_TIMEOUT, .plan = std::nullopt};
  return after_ending(draft, timeout_failure("workflow timeout", enums::TIMEOUT_TYPE_START_TO_CLOSE), true, random);
}

}  // namespace callimport::engine
