// StartWorkflowExecution and SignalWithStartWorkflowExecution (conformance C1 to C10).
#include <utility>

#include "engine/service/cron.h"
#include "engine/service/id_policies.h"
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/run_options.h"
#include "engine/service/utf8_text.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kIdBytesMax = 1000;

using StartRequest = api::StartWorkflowExecutionRequest;
using SignalStartRequest = api::SignalWithStartWorkflowExecutionRequest;

std::optional<std::string> priority_error(const temporal::api::common::v1::Priority& priority) {
  constexpr std::size_t kFairnessKeyBytesMax = 64;
  if (priority.priority_key() < 0) return "PriorityKey can't be negative";
  if (priority.fairness_key().size() > kFairnessKeyBytesMax) return "FairnessKey length exceeds limit";
  if (priority.fairness_weight() < 0) return "FairnessWeight can't be negative";
  return std::nullopt;
}

/// What both requests must have right; they share these fields by name.
template <class Request>
std::optional<PortStatus> check_start(const Request& r, const EmbeddedOptions& options, std::int64_t now_ns) {
  if (r.workflow_id().empty()) return errors::invalid("WorkflowId is not set on request.");
  if (!is_utf8(r.workflow_id()) || !is_utf8(r.workflow_type().name()) || !is_utf8(r.task_queue().name())) {
    return errors::invalid("WorkflowId, WorkflowType and TaskQueue must be UTF-8.");
  }
  if (r.workflow_id().size() > kIdBytesMax) return errors::invalid("WorkflowId length exceeds limit.");
  if (r.workflow_type().name().empty()) return errors::invalid("WorkflowType is not set on request.");
  if (r.workflow_type().name().size() > kIdBytesMax) return errors::invalid("WorkflowType length exceeds limit.");
  if (r.request_id().size() > kIdBytesMax) return errors::invalid("RequestId length exceeds limit.");
  const std::string& queue = r.task_queue().name();
  if (queue.empty()) return errors::invalid(r.has_task_queue() ? "missing task queue name" : "taskQueue is not set");
  if (queue.size() > kIdBytesMax) return errors::invalid("taskQueue length exceeds limit");
  if (queue.starts_with("/_sys/")) return errors::invalid("task queue name cannot start with reserved prefix /_sys/");
  const std::pair<const char*, const google::protobuf::Duration*> durations[] = {
      {"WorkflowExecutionTimeoutSeconds", &r.workflow_execution_timeout()},
      {"WorkflowRunTimeoutSeconds", &r.workflow_run_timeout()},
      {"WorkflowTaskTimeoutSeconds", &r.workflow_task_timeout()}};
  for (const auto& [name, duration] : durations) {
    if (to_nanos(*duration) < 0) {
      return errors::invalid(std::string("An invalid ") + name + " is set on request. cause: negative duration");
    }
  }
  if (to_nanos(r.workflow_start_delay()) < 0) {
    return errors::invalid("An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration");
  }
  if (!r.cron_schedule().empty() && to_nanos(r.workflow_start_delay()) > 0) {
    return errors::invalid("CronSchedule and WorkflowStartDelay may not be used together.");
  }
  if (auto wrong = cron_error(r.cron_schedule(), now_ns)) return errors::invalid(*wrong);
  if (r.has_retry_policy()) {
    if (auto wrong = retry_policy_error(r.retry_policy())) return errors::invalid(*wrong);
  }
  if (auto wrong = priority_error(r.priority())) return errors::invalid(*wrong);
  if (r.input().ByteSizeLong() > options.blob_bytes_max) return errors::invalid("Blob data size exceeds limit.");
  if (r.memo().ByteSizeLong() > options.memo_bytes_max) return errors::invalid("Memo size exceeds limit.");
  return std::nullopt;
}

template <class Request>
StartPlan plan_of(const Request& r, const std::string& run_id, std::int64_t now) {
  StartPlan plan;
  plan.name_space = r.namespace_();
  plan.run_id = run_id;
  plan.request_id = r.request_id();
  if (r.has_user_metadata()) plan.user_metadata = &r.user_metadata();
  StartedAttributes& a = plan.attributes;
  *a.mutable_workflow_type() = r.workflow_type();
  a.mutable_task_queue()->set_name(r.task_queue().name());
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (r.has_input()) *a.mutable_input() = r.input();
  const RunTimeouts timeouts = clip_timeouts({to_nanos(r.workflow_execution_timeout()),
                                              to_nanos(r.workflow_run_timeout()), to_nanos(r.workflow_task_timeout())});
  // A zero that the client wrote is kept: Go's writes both always.
  if (r.has_workflow_execution_timeout()) set_nanos(a.mutable_workflow_execution_timeout(), timeouts.execution);
  if (timeouts.execution > 0) {
    set_expiration(add_nanos(add_nanos(now, to_nanos(r.workflow_start_delay())), timeouts.execution), &a);
  }
  if (r.has_workflow_run_timeout() || timeouts.run > 0) set_nanos(a.mutable_workflow_run_timeout(), timeouts.run);
  set_nanos(a.mutable_workflow_task_timeout(), timeouts.task);
  a.set_identity(r.identity());
  a.set_attempt(1);
  set_first_backoff(r.cron_schedule(), now, &a);
  if (to_nanos(r.workflow_start_delay()) > 0) *a.mutable_first_workflow_task_backoff() = r.workflow_start_delay();
  a.set_workflow_id(r.workflow_id());
  if (r.has_retry_policy()) {
    *a.mutable_retry_policy() = r.retry_policy();
    fill_retry_defaults(a.mutable_retry_policy());
  }
  if (r.has_memo()) *a.mutable_memo() = r.memo();
  if (r.has_search_attributes()) *a.mutable_search_attributes() = r.search_attributes();
  if (r.has_header()) *a.mutable_header() = r.header();
  if (r.has_priority()) *a.mutable_priority() = r.priority();
  return plan;
}

std::optional<PortStatus> check_attributes(const SearchTypes& types, StartPlan* plan) {
  if (!plan->attributes.has_search_attributes()) return std::nullopt;
  auto wrong = check_search_attributes(plan->name_space, types, plan->attributes.mutable_search_attributes());
  if (wrong) return errors::invalid(*wrong);
  return std::nullopt;
}

const pb::AttachedRequest* attached(const pb::RunSummary& run, const std::string& request_id) {
  if (request_id.empty()) return nullptr;
  for (const auto& request : run.attached_requests()) {
    if (request.request_id() == request_id) return &request;
  }
  return nullptr;
}

}  // namespace

api::StartWorkflowExecutionResponse Service::started_reply(const std::string& name_space,
                                                           const std::string& workflow_id, const std::string& run_id,
                                                           bool started, int status) {
  api::StartWorkflowExecutionResponse out;
  out.set_run_id(run_id);
  out.set_started(started);
  out.set_status(static_cast<enums::WorkflowExecutionStatus>(status));
  auto* event = out.mutable_link()->mutable_workflow_event();
  event->set_namespace_(name_space);
  event->set_workflow_id(workflow_id);
  event->set_run_id(run_id);
  event->mutable_event_ref()->set_event_id(1);
  event->mutable_event_ref()->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  return out;
}

void Service::StartWorkflowExecution(const StartRequest& request, CallContext context,
                                     Reply<api::StartWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  StartAnswer out = start_workflow(request, nullptr);
  if (!out.status.ok()) return refuse(std::move(call), std::move(out.status));
  answer(std::move(call), std::move(out.reply));
}

std::optional<PortStatus> Service::check_start_request(const StartRequest& request) const {
  return check_start(request, options_, now_ns());
}

Service::StartAnswer Service::start_workflow(const StartRequest& request, const UpdateRequest* update) {
  if (auto wrong = check_start_request(request)) return {std::move(*wrong), {}};
  IdPolicies policies{request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy()};
  if (auto wrong = resolve_policies(&policies, enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL)) {
    return {std::move(*wrong), {}};
  }
  const std::string run_id = random_.uuid7(to_unix_ms(clock_.now()));
  StartPlan plan = plan_of(request, run_id, now_ns());
  if (plan.request_id.empty()) plan.request_id = new_uuid();
  if (request.has_continued_failure()) *plan.attributes.mutable_continued_failure() = request.continued_failure();
  if (request.has_last_completion_result()) {
    *plan.attributes.mutable_last_completion_result() = request.last_completion_result();
  }
  if (auto wrong = check_attributes(space(plan.name_space).search_types, &plan)) return {std::move(*wrong), {}};

  if (const Found current = find_current(request.namespace_(), request.workflow_id())) {
    const pb::RunSummary last = summary_of(current);
    const std::string& id = last.facts().run_id();
    const auto same = [&](bool started) {
      return StartAnswer{
          {}, started_reply(request.namespace_(), request.workflow_id(), id, started, shown_status(last.progress()))};
    };
    if (!request.request_id().empty() && last.facts().start_request_id() == request.request_id()) return same(true);
    if (attached(last, request.request_id()) != nullptr) return same(false);
    if (current.open == nullptr) {
      if (auto wrong = check_reuse(policies.reuse, last)) return {std::move(*wrong), {}};
    } else if (policies.conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) {
      return {errors::already_started("Workflow execution is already running. WorkflowId: " + request.workflow_id() +
                                          ", RunId: " + id + ".",
                                      last.facts().start_request_id(), id),
              {}};
    } else if (policies.conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING) {
      if (request.on_conflict_options().attach_request_id()) {
        if (auto wrong = attach_request(*current.open, request)) return {std::move(*wrong), {}};
      }
      return same(false);
    } else {
      Draft draft(*current.open, clock_.now());
      terminate_for(draft, run_id);
      commit(*current.open, std::move(draft));
    }
  }
  plan.update = update;
  start(std::move(plan));
  return {{},
          started_reply(request.namespace_(), request.workflow_id(), run_id, true,
                        enums::WORKFLOW_EXECUTION_STATUS_RUNNING)};
}

/// C6: remembered with an event of its own, no workflow task.
std::optional<PortStatus> Service::attach_request(OpenRun& run, const StartRequest& request) {
  Draft draft(run, clock_.now());
  OptionsUpdated attached_request;
  attached_request.set_attached_request_id(request.request_id());
  update_options(draft, attached_request);
  return grow(run, std::move(draft));
}

void Service::SignalWithStartWorkflowExecution(const SignalStartRequest& request, CallContext context,
                                               Reply<api::SignalWithStartWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_start(request, options_, now_ns())) return refuse(std::move(call), std::move(*wrong));
  if (request.signal_name().empty())
    return refuse(std::move(call), errors::invalid("SignalName is not set on request."));
  if (request.signal_input().ByteSizeLong() > options_.blob_bytes_max) {
    return refuse(std::move(call), errors::invalid("Blob data size exceeds limit."));
  }
  if (request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) {
    return refuse(std::move(call),
                  errors::invalid("Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is "
                                  "not supported for this operation."));
  }
  IdPolicies policies{request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy()};
  if (auto wrong = resolve_policies(&policies, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)) {
    return refuse(std::move(call), std::move(*wrong));
  }
  const FirstSignal signal{.name = request.signal_name(),
                           .identity = request.identity(),
                           .request_id = request.request_id(),
                           .input = request.has_signal_input() ? &request.signal_input() : nullptr,
                           .header = request.has_header() ? &request.header() : nullptr};
  const auto done = [&](const std::string& run_id, bool started) {
    api::SignalWithStartWorkflowExecutionResponse out;
    out.set_run_id(run_id);
    out.set_started(started);
    answer(std::move(call), std::move(out));
  };
  const std::string run_id = new_uuid();
  StartPlan plan = plan_of(request, run_id, now_ns());
  plan.signal = &signal;
  if (plan.request_id.empty()) plan.request_id = new_uuid();
  if (auto wrong = check_attributes(space(plan.name_space).search_types, &plan))
    return refuse(std::move(call), std::move(*wrong));

  if (const Found current = find_current(request.namespace_(), request.workflow_id())) {
    const pb::RunSummary last = summary_of(current);
    if (current.open == nullptr) {
      if (auto wrong = check_reuse(policies.reuse, last)) return refuse(std::move(call), std::move(*wrong));
    } else if (policies.conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING) {
      OpenRun& run = *current.open;
      if (!run.signal_requests.contains(request.request_id())) {
        if (auto wrong = check_signal_limit(run)) return refuse(std::move(call), std::move(*wrong));
        Draft draft(run, clock_.now());
        signal_run(draft, signal);
        if (draft.progress().backoff_until_ns() != 0)
          draft.edit_progress().set_backoff_until_ns(0);  // C.6: ends the wait
        if (!draft.buffering()) schedule_task_if_idle(draft);
        if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
      }
      return done(last.facts().run_id(), false);
    } else {
      Draft draft(*current.open, clock_.now());
      terminate_for(draft, run_id);
      commit(*current.open, std::move(draft));
    }
  }
  start(std::move(plan));
  done(run_id, true);
}

}  // namespace callimport::engine
