// Schedules as clients make, change and end them (conformance C.15).
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/schedules.h"
#include "engine/service/starts.h"
#include "engine/service/utf8_text.h"

namespace callimport::engine {
namespace {

namespace sched = ::temporal::api::schedule::v1;
using sched::SchedulePolicies;

constexpr std::size_t kIdBytesMax = 1000;
constexpr const char* kDivision = "TemporalNamespaceDivision";

std::optional<PortStatus> check_notes(const std::string& notes) {
  if (notes.size() <= kScheduleNotesBytesMax) return std::nullopt;
  return errors::invalid("Schedule notes exceeds limit.");
}

std::optional<PortStatus> check_patch(const SchedulePatch& patch) {
  if (auto wrong = check_notes(patch.pause())) return wrong;
  return check_notes(patch.unpause());
}

/// Its start as a request, with a time behind its id, is what a client may send. Fills in the queue's kind.
std::optional<PortStatus> check_action(temporal::api::workflow::v1::NewWorkflowExecutionInfo* action) {
  constexpr std::size_t kTimeBytes = sizeof("-2006-01-02T15:04:05Z") - 1;
  if (!is_utf8(action->workflow_id()) || !is_utf8(action->workflow_type().name()) ||
      !is_utf8(action->task_queue().name())) {
    return errors::invalid("WorkflowId, WorkflowType and TaskQueue must be UTF-8.");
  }
  if (action->workflow_id().size() + kTimeBytes > kIdBytesMax)
    return errors::invalid("WorkflowId length exceeds limit.");
  if (action->workflow_type().name().empty()) return errors::invalid("WorkflowType is not set on request.");
  if (action->workflow_type().name().size() > kIdBytesMax) return errors::invalid("WorkflowType length exceeds limit.");
  const std::string& queue = action->task_queue().name();
  if (queue.empty()) return errors::invalid("missing task queue name");
  if (queue.size() > kIdBytesMax) return errors::invalid("taskQueue length exceeds limit");
  if (queue.starts_with("/_sys/")) return errors::invalid("task queue name cannot start with reserved prefix /_sys/");
  const std::pair<const char*, std::int64_t> durations[] = {
      {"WorkflowExecutionTimeoutSeconds", to_nanos(action->workflow_execution_timeout())},
      {"WorkflowRunTimeoutSeconds", to_nanos(action->workflow_run_timeout())},
      {"WorkflowTaskTimeoutSeconds", to_nanos(action->workflow_task_timeout())}};
  for (const auto& [name, duration] : durations) {
    if (duration < 0)
      return errors::invalid(std::string("An invalid ") + name + " is set on request. cause: negative duration");
  }
  if (!action->cron_schedule().empty()) return errors::invalid("Scheduled workflow must not contain CronSchedule");
  const auto reuse = action->workflow_id_reuse_policy();
  if (reuse != enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED && reuse != enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
    return errors::invalid("Scheduled workflow must not contain WorkflowIDReusePolicy");
  action->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  return std::nullopt;
}

pb::SchedulePlan plan_of(const sched::Schedule& schedule) {
  pb::SchedulePlan plan;
  *plan.mutable_spec() = schedule.spec();
  *plan.mutable_action() = schedule.action();
  *plan.mutable_policies() = schedule.policies();
  return plan;
}

/// The columns by which lists find it among workflows.
void mark_schedule(temporal::api::common::v1::SearchAttributes* attributes) {
  auto& division = (*attributes->mutable_indexed_fields())[kDivision];
  (*division.mutable_metadata())["encoding"] = "json/plain";
  (*division.mutable_metadata())["type"] = "Keyword";
  division.set_data("\"TemporalScheduler\"");
}

}  // namespace

OpenRun* Service::find_schedule(const std::string& name_space, const std::string& schedule_id, PortStatus ended,
                                PortStatus* error) {
  const Namespace& of = space(name_space);
  const auto it = of.schedules.find(schedule_id);
  if (it != of.schedules.end()) return open_.at(it->second).get();
  const bool was =
      std::find(of.ended_schedules.begin(), of.ended_schedules.end(), schedule_id) != of.ended_schedules.end();
  *error = schedule_id.empty() ? errors::invalid("missing task queue name")
           : was               ? std::move(ended)
                               : errors::workflow_not_found(kScheduleWorkflowId + schedule_id);
  return nullptr;
}

/// Brings it into its one form.
std::optional<PortStatus> Service::check_schedule(const Namespace& of, sched::Schedule* schedule) const {
  schedule->mutable_action();
  fill_policies(schedule->mutable_policies());
  if (auto wrong = check_notes(schedule->state().notes())) return wrong;
  if (schedule->action().has_start_workflow()) {
    auto* action = schedule->mutable_action()->mutable_start_workflow();
    if (auto wrong = check_action(action)) return wrong;
    if (action->input().ByteSizeLong() > options_.blob_bytes_max)
      return errors::invalid("Blob data size exceeds limit.");
    if (auto wrong = check_schedule_fields(of, action->memo(), action->mutable_search_attributes())) return wrong;
    if (action->search_attributes().indexed_fields().empty()) action->clear_search_attributes();
  }
  auto spec = canonical_spec(schedule->spec());
  if (!spec) return errors::invalid("Invalid schedule spec: " + spec.error());
  const auto times = ScheduleTimes::of(*spec, "");
  if (!times) return errors::invalid("Invalid schedule spec: " + times.error());
  *schedule->mutable_spec() = std::move(*spec);
  return std::nullopt;
}

std::optional<PortStatus> Service::check_schedule_fields(
    const Namespace& of, const temporal::api::common::v1::Memo& memo,
    temporal::api::common::v1::SearchAttributes* attributes) const {
  if (memo.ByteSizeLong() > options_.memo_bytes_max) return errors::invalid("Memo size exceeds limit.");
  if (auto wrong = check_search_attributes(of.name, of.search_types, attributes)) return errors::invalid(*wrong);
  return std::nullopt;
}

void Service::CreateSchedule(const api::CreateScheduleRequest& request, CallContext context,
                             Reply<api::CreateScheduleResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const std::string& id = request.schedule_id();
  if (id.empty()) return refuse(std::move(call), errors::invalid("missing task queue name"));
  if (request.request_id().empty()) return refuse(std::move(call), errors::invalid("RequestId is not set on request."));
  if (id.size() + std::string_view(kScheduleWorkflowId).size() > kIdBytesMax || !is_utf8(id))
    return refuse(std::move(call), errors::invalid("WorkflowId length exceeds limit."));
  Namespace& of = space(request.namespace_());
  sched::Schedule schedule = request.schedule();
  auto attributes = request.search_attributes();
  if (auto wrong = check_schedule(of, &schedule)) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_patch(request.initial_patch())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_schedule_fields(of, request.memo(), &attributes))
    return refuse(std::move(call), std::move(*wrong));
  api::CreateScheduleResponse out;
  pb::ScheduleProgress progress;
  progress.set_conflict_token(1);
  out.set_conflict_token(conflict_token(progress));
  if (const auto held = of.schedules.find(id); held != of.schedules.end()) {
    const pb::RunFacts& facts = open_.at(held->second)->facts;
    if (facts.start_request_id() == request.request_id()) return answer(std::move(call), std::move(out));
    return refuse(std::move(call), errors::already_started("Workflow execution is already running. WorkflowId: " +
                                                               facts.workflow_id() + ", RunId: " + facts.run_id() + ".",
                                                           facts.start_request_id(), facts.run_id()));
  }
  pb::RunFacts facts;
  facts.set_kind(pb::RUN_KIND_SCHEDULE);
  facts.set_name_space(of.name);
  facts.set_namespace_number(of.state.number());
  facts.set_workflow_id(kScheduleWorkflowId + id);
  facts.set_run_id(random_.uuid7(to_unix_ms(clock_.now())));
  facts.set_type("temporal-sys-scheduler-workflow");
  facts.set_task_queue("temporal-sys-per-ns-tq");
  facts.set_start_request_id(request.request_id());
  facts.set_identity(request.identity());
  mark_schedule(&attributes);
  OpenRun& record = open_record(std::move(facts), [&](Draft& draft) {
    *progress.mutable_state() = schedule.state();
    set_nanos(progress.mutable_info()->mutable_create_time(), draft.now());
    progress.set_processed_ns(draft.now());
    draft.set_schedule_plan(plan_of(schedule));
    draft.edit_schedule_progress() = std::move(progress);
    draft.edit_search_attributes() = std::move(attributes);
    if (request.has_memo()) draft.edit_memo() = request.memo();
  });
  Draft draft(record, clock_.now());
  patch_schedule(request.initial_patch(), draft.now(), &draft.edit_schedule_progress());
  act_on_schedule(record, std::move(draft));
  answer(std::move(call), std::move(out));
}

void Service::UpdateSchedule(const api::UpdateScheduleRequest& request, CallContext context,
                             Reply<api::UpdateScheduleResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& of = space(request.namespace_());
  sched::Schedule schedule = request.schedule();
  auto attributes = request.search_attributes();
  if (auto wrong = check_schedule(of, &schedule)) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_schedule_fields(of, request.memo(), &attributes))
    return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  OpenRun* record = find_schedule(request.namespace_(), request.schedule_id(), errors::already_completed(), &error);
  if (record == nullptr) return refuse(std::move(call), std::move(error));
  Draft draft(*record, clock_.now());
  pb::ScheduleProgress& progress = draft.edit_schedule_progress();
  if (is_repeated(request.request_id(), &progress)) return answer(std::move(call), api::UpdateScheduleResponse());
  if (!request.conflict_token().empty() && request.conflict_token() != conflict_token(progress)) {
    return refuse(std::move(call), errors::plain(errors::kFailedPrecondition, "mismatched conflict token"));
  }
  const auto before = times_of(*record, draft.schedule_plan());
  if (before) take_due(draft.schedule_plan(), *before, draft.now(), &progress);
  draft.set_schedule_plan(plan_of(schedule));
  set_schedule_state(schedule.state(), draft.now(), &progress);
  if (request.has_memo()) draft.edit_memo() = request.memo();
  if (request.has_search_attributes()) {
    mark_schedule(&attributes);
    draft.edit_search_attributes() = std::move(attributes);
  }
  act_on_schedule(*record, std::move(draft));
  answer(std::move(call), api::UpdateScheduleResponse());
}

void Service::PatchSchedule(const api::PatchScheduleRequest& request, CallContext context,
                            Reply<api::PatchScheduleResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_patch(request.patch())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  OpenRun* record = find_schedule(request.namespace_(), request.schedule_id(), errors::already_completed(), &error);
  if (record == nullptr) return refuse(std::move(call), std::move(error));
  Draft draft(*record, clock_.now());
  pb::ScheduleProgress& progress = draft.edit_schedule_progress();
  if (is_repeated(request.request_id(), &progress)) return answer(std::move(call), api::PatchScheduleResponse());
  const auto times = times_of(*record, draft.schedule_plan());
  if (times) take_due(draft.schedule_plan(), *times, draft.now(), &progress);
  patch_schedule(request.patch(), draft.now(), &progress);
  act_on_schedule(*record, std::move(draft));
  answer(std::move(call), api::PatchScheduleResponse());
}

void Service::DeleteSchedule(const api::DeleteScheduleRequest& request, CallContext context,
                             Reply<api::DeleteScheduleResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  OpenRun* record = find_schedule(request.namespace_(), request.schedule_id(), errors::already_completed(), &error);
  if (record == nullptr) return refuse(std::move(call), std::move(error));
  end_record(*record);
  answer(std::move(call), api::DeleteScheduleResponse());
}

}  // namespace callimport::engine
