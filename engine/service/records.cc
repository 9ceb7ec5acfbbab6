// Records of the service's own (RunKind): a run without events whose Transitions carry its state. It begins and ends in
// the journal as any run does, but leaves nothing behind when it ends: no history, no place in a list.
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/schedules.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

/// Rows that may pass before a record is written anew, so that the journal can be trimmed behind it; more where there
/// are many records, so that renewing them stays a small part of what is written.
constexpr storage::Seq kRenewAfterRows = 10'000, kRenewAfterRowsPerRecord = 100;

constexpr std::size_t kEndedSchedulesMax = 1000;

/// A schedule that is gone is refused in other words than one that never was.
void remember_ended(const OpenRun& record) {
  if (record.facts.kind() != pb::RUN_KIND_SCHEDULE) return;
  const std::string id = schedule_id_of(record.facts);
  const auto named = record.space->schedules.find(id);
  if (named == record.space->schedules.end() || named->second != record.key) return;  // it was renewed
  auto& ended = record.space->ended_schedules;
  if (ended.size() == kEndedSchedulesMax) ended.pop_front();
  ended.push_back(id);
}

}  // namespace

OpenRun& Service::open_record(pb::RunFacts facts, const std::function<void(Draft&)>& fill) {
  const RunKey key = next_run_++;
  OpenRun& record = add_run(key);
  Draft draft(record, clock_.now());
  if (facts.start_ns() == 0) facts.set_start_ns(draft.now());  // else it was renewed
  record.space = &space_of(facts);
  ++records_;
  draft.set_facts(std::move(facts));
  draft.edit_progress().set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  fill(draft);
  commit(record, std::move(draft));
  return record;
}

void Service::end_record(OpenRun& record) {
  Draft draft(record, clock_.now());
  draft.edit_progress().set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  draft.edit_progress().set_closed_ns(draft.now());
  commit(record, std::move(draft));
}

void Service::settle_record(OpenRun& record) {
  if (!record.open()) {
    if (record.armed_ns != 0) run_deadlines_.remove(record.armed_ns, record.key);
    remember_ended(record);
    leave_index(record);
    --records_;
    turn_.erased.push_back(record.key);
    open_.erase(record.key);
    schedule_flush();
    return;
  }
  arm(record);
  maybe_snapshot(record);
  index_record(record);
  if (record.facts.kind() == pb::RUN_KIND_NAMESPACE) adopt_namespace(record);
}

void Service::index_record(OpenRun& record) {
  if (record.batch != nullptr) record.space->batches[record.facts.workflow_id()] = record.key;
  if (record.facts.kind() != pb::RUN_KIND_SCHEDULE) return;
  record.space->schedules[schedule_id_of(record.facts)] = record.key;
  for (const auto& run : record.schedule->progress.info().running_workflows()) watched_[run.run_id()] = record.key;
  show(record);
}

void Service::leave_index(const OpenRun& record) {
  if (record.batch != nullptr) forget_batch(record);
  if (record.facts.kind() != pb::RUN_KIND_SCHEDULE) return;
  record.space->visibility.erase({VisibilityKey::kOpen, record.facts.start_ns(), record.key});
  const auto named = record.space->schedules.find(schedule_id_of(record.facts));
  if (named != record.space->schedules.end() && named->second == record.key) record.space->schedules.erase(named);
  for (const auto& run : record.schedule->progress.info().running_workflows()) {
    const auto it = watched_.find(run.run_id());
    if (it != watched_.end() && it->second == record.key) watched_.erase(it);
  }
}

/// The same state under a new key. Rows of the old one are needed no more.
void Service::renew_record(RunKey key) {
  OpenRun& old = *open_.at(key);
  pb::RunSnapshot state = to_snapshot(old);
  open_record(old.facts, [&state](Draft& draft) {
    if (state.has_namespace_state()) draft.set_namespace_state(std::move(*state.mutable_namespace_state()));
    if (state.has_batch()) {
      draft.set_batch(std::move(*state.mutable_batch()));
      draft.set_batch_progress(std::move(*state.mutable_batch_progress()));
    }
    if (!state.has_schedule_plan()) return;
    draft.set_schedule_plan(std::move(*state.mutable_schedule_plan()));
    draft.edit_schedule_progress() = std::move(*state.mutable_schedule_progress());
    draft.edit_schedule_outcome() = std::move(*state.mutable_schedule_outcome());
    draft.edit_memo() = std::move(*state.mutable_memo());
    draft.edit_search_attributes() = std::move(*state.mutable_search_attributes());
  });
  end_record(*open_.at(key));
}

/// Records live for years; rows behind the oldest of them must not pile up.
void Service::renew_old_records() {
  const storage::Seq patience = kRenewAfterRows + kRenewAfterRowsPerRecord * static_cast<storage::Seq>(records_);
  std::vector<RunKey> old;
  for (const auto& [key, run] : open_) {  // first rows grow with keys
    if (run->facts.kind() == pb::RUN_KIND_WORKFLOW || next_row_ - run->first_row < patience) break;
    if (run->batch_step == 0) old.push_back(key);
  }
  for (const RunKey key : old) renew_record(key);
}

}  // namespace callimport::engine
