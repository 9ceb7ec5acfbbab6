// Parents and children (conformance C.12). A child's first row and its parent's knowledge of it are in the append that
// wrote the command; a child's close and its parent's event are in one append too: in one process no message between
// them can be lost. What a closed parent does to its children may be more than one append holds, so it goes in
// portions; who is still owed the policy follows from the runs themselves (`find_orphans`), whenever the process ended.
#include <utility>

#include "engine/service/children.h"
#include "engine/service/id_policies.h"
#include "engine/service/internal/core.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

HistoryEvent closing_event(const Run& run) {
  const std::int64_t last = run.history.next_event_id() - 1;
  History events;
  add_events(run.history.batches().back(), last, last, &events);
  return std::move(*events.mutable_events(0));
}

}  // namespace

void Service::start_child(RunKey source, Crossing& crossing) {
  const auto parent = open_.find(source);
  if (parent == open_.end()) return;  // it closed with the command: no child, whatever its policy
  StartPlan& plan = *crossing.child;
  const auto& command = crossing.command->start_child_workflow_execution_command_attributes();
  plan.run_id = random_.uuid7(to_unix_ms(clock_.now()));
  plan.request_id = parent->second->facts.run_id() + ":" + std::to_string(crossing.initiated_event_id) + ":0";
  const std::string& child_space_id = space(plan.name_space).id;
  const bool free = make_room_for_child(*parent->second, plan, command.workflow_id_reuse_policy());
  Draft draft(*parent->second, clock_.now());
  if (free) {
    record_child_started(draft, plan, child_space_id);
  } else {
    record_child_not_started(draft, command, plan, child_space_id,
                             enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
  }
  hear_back(*parent->second, std::move(draft));
  if (free) start(std::move(plan));
}

/// C3, C5. @return whether the child may have its id.
bool Service::make_room_for_child(const OpenRun& parent, const StartPlan& plan, enums::WorkflowIdReusePolicy reuse) {
  const Found current = find_current(plan.name_space, plan.attributes.workflow_id());
  if (!current) return true;
  IdPolicies policies{reuse, enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED};
  if (resolve_policies(&policies, enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL)) return false;
  if (current.open == nullptr) return !check_reuse(policies.reuse, summary_of(current));
  if (current.open->key == parent.key) return false;
  const pb::Parent& others = current.open->facts.parent();
  const bool before_reset = !parent.facts.base_run_id().empty() && current.open->facts.has_parent() &&
                            others.workflow_id() == parent.facts.workflow_id() &&
                            others.run_id() != parent.facts.run_id();  // its parent will not remember it
  if (policies.conflict != enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING && !before_reset) return false;
  Draft draft(*current.open, clock_.now());
  terminate_for(draft, plan.run_id);
  commit(*current.open, std::move(draft));
  return true;
}

void Service::leave_family(const OpenRun& run) {
  const bool last = run.progress.new_run_id().empty();
  const bool reset = !run.progress.reset_run_id().empty();
  if (run.facts.has_parent() && last && !reset) {
    Report report{.parent = run.facts.parent(), .close = {}};
    report.close.initiated = run.facts.parent().initiated_event_id();
    report.close.namespace_id = run.space->id;
    report.close.first_run_id = run.facts.first_run_id();
    report.close.execution = execution_of(run.key);
    report.close.event = closing_event(run);
    reports_.push_back(std::move(report));
  }
  const auto watched = watched_.find(run.facts.first_run_id());
  if (watched != watched_.end() && last && !reset)
    scheduled_ends_.push_back({watched->second, run.facts.first_run_id(), closing_event(run)});
  for (const auto& [id, child] : run.children) {
    if (reset || child.run_id().empty() || child.close_policy() == enums::PARENT_CLOSE_POLICY_ABANDON) continue;
    orphans_.push_back({child, execution_of(run.key)});
  }
  if (!orphans_.empty() || !reports_.empty() || !scheduled_ends_.empty()) schedule_flush();
}

void Service::settle_families() {
  while (!reports_.empty() || !scheduled_ends_.empty() || (!orphans_.empty() && turn_.rows.size() < kRowsPerTurn)) {
    if (!reports_.empty()) {
      const Report report = std::move(reports_.front());
      reports_.pop_front();
      tell_parent(report);
      continue;
    }
    if (!scheduled_ends_.empty()) {
      const ScheduledEnd end = std::move(scheduled_ends_.front());
      scheduled_ends_.pop_front();
      hear_ended(end);
      continue;
    }
    const Orphan orphan = std::move(orphans_.front());
    orphans_.pop_front();
    apply_close_policy(orphan);
  }
  if (!orphans_.empty()) schedule_flush();
}

/// To the run that started the child, or the one that a reset made of it and that has it pending.
void Service::tell_parent(const Report& report) {
  Found parent = find_id(report.parent.run_id());
  if (parent.open == nullptr) parent = find_current(report.parent.name_space(), report.parent.workflow_id());
  if (parent.open == nullptr) return;
  Draft draft(*parent.open, clock_.now());
  record_child_closed(draft, report.close);
  if (draft.changed()) hear_back(*parent.open, std::move(draft));
}

/// To the run that the child's chain is at now.
void Service::apply_close_policy(const Orphan& orphan) {
  const Found found = find_current(orphan.child.name_space(), orphan.child.workflow_id());
  if (found.open == nullptr) return;
  OpenRun& child = *found.open;
  if (child.facts.first_run_id() != orphan.child.run_id() || child.progress.parent_left()) return;
  Draft draft(child, clock_.now());
  draft.edit_progress().set_parent_left(true);
  if (orphan.child.close_policy() == enums::PARENT_CLOSE_POLICY_TERMINATE) {
    terminate_run(draft, "by parent close policy", nullptr, kHistoryService);
  } else {
    (void)request_cancel_run(draft, {.cause = "",
                                     .identity = std::string(kHistoryService),
                                     .request_id = "",
                                     .external = &orphan.parent,
                                     .external_initiated = 0});
  }
  (void)grow(child, std::move(draft));
}

void Service::find_orphans() {
  for (const auto& [key, run] : open_) {
    if (!run->facts.has_parent() || run->progress.parent_left()) continue;
    if (run->facts.parent().close_policy() == enums::PARENT_CLOSE_POLICY_ABANDON) continue;
    if (auto orphan = orphan_of(*run)) orphans_.push_back(std::move(*orphan));
  }
  if (!orphans_.empty()) schedule_flush();
}

/// Whether the run that has `child` closed, and what it said about it.
std::optional<Service::Orphan> Service::orphan_of(const OpenRun& child) {
  std::string run_id = child.facts.parent().run_id();
  while (true) {
    const Found parent = find_id(run_id);
    if (parent.closed == nullptr) return std::nullopt;  // open, or forgotten long after it closed
    const pb::RunSummary summary = summary_of(parent);
    if (!summary.progress().reset_run_id().empty()) {
      run_id = summary.progress().reset_run_id();
      continue;
    }
    for (const auto& left : summary.children()) {
      if (left.run_id() == child.facts.first_run_id()) return Orphan{left, execution_of(parent.closed->key)};
    }
    return std::nullopt;
  }
}

}  // namespace callimport::engine
