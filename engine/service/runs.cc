// Finding runs, what follows a change of one, and how they end.
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/limits.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/successors.h"
#include "engine/service/uuid_text.h"
#include "engine/service/workflow_tasks.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

/// Transitions between snapshots of one run: few, so that a restart replays few rows; more for a run with much state,
/// so that what is written stays in proportion.
std::int64_t snapshot_every(const Run& run) {
  constexpr std::int64_t kLeast = 16, kPartsPerTransition = 4;
  const std::size_t parts = run.activities.size() + run.timers.size() + run.children.size() + run.buffered.size() +
                            run.signal_requests.size() + run.updates.size();
  return kLeast + static_cast<std::int64_t>(parts) / kPartsPerTransition;
}

}  // namespace

Service::Found Service::find(RunKey key) {
  if (const auto it = open_.find(key); it != open_.end()) return {it->second.get(), nullptr};
  if (const auto it = closed_.find(key); it != closed_.end()) return {nullptr, &it->second};
  return {};
}

Service::Found Service::find_id(const std::string& run_id) {
  const auto key = run_ids_.find(run_id);
  return key ? find(*key) : Found{};
}

Service::Found Service::find_current(const std::string& name_space, const std::string& workflow_id) {
  const Namespace* space = find_space(name_space);
  if (space == nullptr) return {};
  const auto it = space->current_runs.find(workflow_id);
  return it == space->current_runs.end() ? Found{} : find(it->second);
}

Service::Found Service::find_run(const std::string& name_space, const std::string& workflow_id,
                                 const std::string& run_id, PortStatus* error) {
  if (workflow_id.empty()) {
    *error = errors::invalid("WorkflowId is not set on request.");
    return {};
  }
  if (run_id.empty()) {
    const Found found = find_current(name_space, workflow_id);
    if (!found) *error = errors::workflow_not_found(workflow_id);
    return found;
  }
  if (!is_uuid(run_id)) {
    *error = errors::invalid("Invalid RunId.");
    return {};
  }
  const Found found = find_id(run_id);
  const Namespace* wanted = find_space(name_space);
  if (found && found.space() == wanted && found.workflow_id() == workflow_id) return found;
  const bool known = wanted != nullptr && wanted->current_runs.contains(workflow_id);
  *error = known ? errors::run_not_found(workflow_id, run_id) : errors::workflow_not_found(workflow_id);
  return {};
}

pb::RunSummary Service::summary_of(const Found& found) const {
  if (found.open != nullptr) return to_summary(*found.open);
  pb::RunSummary summary;
  ENSURE(summary.ParseFromString(found.closed->summary));
  return summary;
}

pb::RunFacts Service::facts_of(const Found& found) const {
  return found.open != nullptr ? found.open->facts : summary_of(found).facts();
}

/// Everything that follows from the run's state: queue entries, deadlines, woken waits, its end.
void Service::settle(OpenRun& run, const std::vector<std::int64_t>& activities, bool events_came) {
  if (run.facts.kind() != pb::RUN_KIND_WORKFLOW) return settle_record(run);
  touch(run);
  if (events_came && !run.waits.empty()) wake_waits(run);
  if (!run.update_news.empty() || !run.admitted.empty() || !run.update_waits.empty()) settle_updates(run);
  if (!run.open()) {
    leave_family(run);
    end_run(run);
    return;
  }
  if (run.task.state() != pb::WorkflowTask::SCHEDULED) run.task_queued = false;
  arm(run);
  maybe_snapshot(run);
  const std::int64_t now = now_ns();
  for (const std::int64_t id : activities) {
    const auto it = run.activities.find(id);
    if (it != run.activities.end()) enqueue_if_due(run, it->second, now);
  }
  if (run.task.state() == pb::WorkflowTask::SCHEDULED && !run.task_queued && !run.paused()) enqueue_workflow_task(run);
}

void Service::enqueue_if_due(OpenRun& run, Activity& activity, std::int64_t now) {
  const bool due = may_begin(run, activity.state) && activity.state.attempt_scheduled_ns() <= now;
  if (due && activity.queued != ticket_of(activity.state)) enqueue_activity(run, activity);
}

void Service::index_new(OpenRun& run, const pb::RunFacts& facts) {
  run.space = &space_of(facts);
  run_ids_.set(facts.run_id(), run.key);
  run.space->current_runs[facts.workflow_id()] = run.key;
  index_reset(run.key, facts.base_run_id());
}

VisibilityKey Service::visibility_key(const Found& found) {
  if (found.open != nullptr) return {VisibilityKey::kOpen, found.open->facts.start_ns(), found.open->key};
  if (found.closed == nullptr) return {};
  return {found.closed->row->closed_ns, found.closed->row->start_ns, found.closed->key};
}

void Service::show(const OpenRun& run) {
  run.space->visibility.insert_or_assign(
      {VisibilityKey::kOpen, run.facts.start_ns(), run.key},
      visible_row(run.facts, run.progress, run.search_attributes, run.space->search_types));
}

void Service::index_reset(RunKey run, const std::string& base_run_id) {
  if (base_run_id.empty()) return;
  auto& runs = resets_[base_run_id];
  const auto at = std::lower_bound(runs.begin(), runs.end(), run);
  if (at == runs.end() || *at != run) runs.insert(at, run);  // known already when it is read back after a failed write
}

std::string Service::reset_of(const std::string& run_id) {
  const auto it = resets_.find(run_id);
  if (it == resets_.end()) return "";
  for (auto run = it->second.rbegin(); run != it->second.rend(); ++run) {
    const Found found = find(*run);
    if (found) return found.run_id();
  }
  return "";
}

void Service::index_open(OpenRun& run) {
  run.space = &space_of(run.facts);
  if (run.facts.kind() != pb::RUN_KIND_WORKFLOW) {
    ++records_;
    return settle_record(run);
  }
  run_ids_.set(run.facts.run_id(), run.key);
  RunKey& current = run.space->current_runs[run.facts.workflow_id()];
  current = std::max(current, run.key);
  show(run);
  index_reset(run.key, run.facts.base_run_id());
  held_bytes_ += run.history.held_bytes();
  if (!run.open()) {  // closed, but its history was not written before the process ended
    end_run(run);
    return;
  }
  std::vector<std::int64_t> activities;
  for (const auto& [id, activity] : run.activities) activities.push_back(id);
  settle(run, activities, false);
}

void Service::index_closed(ClosedRun closed, const pb::RunSummary& summary) {
  const RunKey key = closed.key;
  VisibleRow row = visible_row(summary, closed.space->search_types);
  const VisibilityKey place{row.closed_ns, row.start_ns, key};
  closed.row = &closed.space->visibility.insert_or_assign(place, std::move(row)).first->second;
  run_ids_.set(closed.row->run_id, key);
  RunKey& current = closed.space->current_runs[closed.row->workflow_id];
  current = std::max(current, key);
  retention_.set(add_nanos(closed.row->closed_ns, closed.space->retention_ns), key);
  closed_[key] = std::move(closed);
}

void Service::expire_closed(RunKey key) {
  const auto it = closed_.find(key);
  if (it == closed_.end()) return;
  const ClosedRun& run = it->second;
  const std::int64_t due = add_nanos(run.row->closed_ns, run.space->retention_ns);
  if (due > callers_now_ns() || run.held != nullptr || starting_over_) {  // closed anew since, or not stored yet
    retention_.set(std::max(due, callers_now_ns() + kNanosPerSecond), key);
    return;
  }
  erase_closed(key);
}

void Service::end_run(OpenRun& run) {
  if (run.armed_ns != 0) run_deadlines_.remove(run.armed_ns, run.key);
  run.space->visibility.erase({VisibilityKey::kOpen, run.facts.start_ns(), run.key});
  held_bytes_ -= run.history.held_bytes();
  if (run.in_recent) recent_.erase(run.recent);
  run.in_recent = false;
  if (run.progress.erase()) return erase_ended(run);
  pb::RunSummary summary = to_summary(run);
  ClosedRun closed{.key = run.key,
                   .space = run.space,
                   .last_row = run.last_row,
                   .summary = summary.SerializeAsString(),
                   .held = &run};
  index_closed(std::move(closed), summary);
  const auto it = open_.find(run.key);
  ENSURE(it != open_.end());
  std::unique_ptr<OpenRun> ended = std::move(it->second);
  open_.erase(it);
  release_queries(*ended);
  store_closed(std::move(ended));
}

/// Hands the whole history to the journal; the run stays readable in memory until that is durable.
void Service::store_closed(std::unique_ptr<OpenRun> run) {
  const auto put = [this](OpenRun& ended) {
    std::string whole;  // a pb::ClosedRunHistory
    whole.reserve(ended.history.held_bytes() + 16 * ended.history.batches().size());
    for (const auto& batch : ended.history.batches()) append_element(batch, &whole);
    const std::int64_t retention_ms = ended.space->retention_ns / 1'000'000;
    const std::int64_t closed_ms = ended.progress.closed_ns() / 1'000'000;
    turn_.closed.push_back({.run = ended.key,
                            .name_space = ended.facts.name_space(),
                            .workflow_id = ended.facts.workflow_id(),
                            .run_id = ended.facts.run_id(),
                            .closed_ms = closed_ms,
                            .delete_after_ms = closed_ms + retention_ms,
                            .summary = closed_.at(ended.key).summary,
                            .history = std::move(whole)});
  };
  if (run->history.whole()) {
    put(*run);
    turn_.ended.push_back(std::move(run));
    schedule_flush();
    return;
  }
  const RunKey key = run->key;
  const storage::Seq last = run->last_row;
  closing_[key] = std::move(run);
  auto loaded = [this, key, put, alive = alive_](Result<std::vector<storage::JournalRow>> rows) {
    if (!*alive) return;
    const auto it = closing_.find(key);
    if (it == closing_.end() || !rows) return;  // forgotten, or the disk failed: the next start writes it
    load_batches(*it->second, *rows);
    put(*it->second);
    turn_.ended.push_back(std::move(it->second));
    closing_.erase(it);
    schedule_flush();
  };
  after_flush([this, last, loaded = std::move(loaded)] { journal_.read_run(last, loaded); });
}

void Service::load_batches(OpenRun& run, const std::vector<storage::JournalRow>& rows) {
  std::vector<pb::Batch> batches;
  for (const auto& row : rows) {
    pb::Transition change;
    ENSURE(change.ParseFromString(row.body));
    take_batches(change, &batches);
  }
  run.history.load(std::move(batches));
}

void Service::forget_run(RunKey key) {
  std::unique_ptr<OpenRun> run;
  if (const auto closed = closed_.find(key); closed != closed_.end()) {
    run_ids_.erase(closed->second.row->run_id);
    closed->second.space->visibility.erase(visibility_key({nullptr, &closed->second}));
    closed_.erase(closed);
    closing_.erase(key);
  }
  const auto it = open_.find(key);
  if (it == open_.end()) return;
  run = std::move(it->second);
  open_.erase(it);
  if (run->armed_ns != 0) run_deadlines_.remove(run->armed_ns, key);
  if (run->facts.kind() != pb::RUN_KIND_WORKFLOW) {
    leave_index(*run);
    --records_;
    return;
  }
  run->space->visibility.erase({VisibilityKey::kOpen, run->facts.start_ns(), key});
  run_ids_.erase(run->facts.run_id());
  held_bytes_ -= run->history.held_bytes();
  if (run->in_recent) recent_.erase(run->recent);
  const PortStatus lost = errors::unavailable("the journal could not be written; nothing was changed");
  for (const std::uint64_t id : run->queries) refuse_query(id, lost);
  for (const std::uint64_t id : run->update_waits) end_update_wait(id, {.error = lost});
  for (const std::uint64_t id : run->waits) {
    const auto wait = history_waits_.find(id);
    if (wait == history_waits_.end()) continue;
    refuse(std::move(wait->second.call), lost);
    history_waits_.erase(wait);
  }
}

void Service::arm(OpenRun& run) {
  const std::int64_t next = next_deadline_of(run);
  if (next == 0 || (run.armed_ns != 0 && run.armed_ns <= next)) return;  // an earlier entry looks again
  if (run.armed_ns != 0) run_deadlines_.remove(run.armed_ns, run.key);
  run.armed_ns = next;
  run_deadlines_.set(next, run.key);
}

void Service::maybe_snapshot(OpenRun& run) {
  if (run.transitions - run.snapshot_at < snapshot_every(run)) return;
  run.snapshot_at = run.transitions;
  turn_.snapshots.push_back({run.key, run.last_row, kSnapshotVersion, to_snapshot(run).SerializeAsString()});
}

void Service::touch(OpenRun& run) {
  if (run.in_recent) {
    recent_.splice(recent_.end(), recent_, run.recent);
    return;
  }
  if (run.history.held_bytes() == 0) return;
  run.recent = recent_.insert(recent_.end(), run.key);
  run.in_recent = true;
}

void Service::evict_histories() {
  while (held_bytes_ > options_.history_cache_bytes_max && !recent_.empty()) {
    OpenRun& run = *open_.at(recent_.front());
    recent_.pop_front();
    run.in_recent = false;
    held_bytes_ -= run.history.held_bytes();
    run.history.drop();
  }
}

void Service::with_history(OpenRun& run, std::function<void(OpenRun&)> then) {
  if (run.history.whole()) {
    then(run);
    return;
  }
  const RunKey key = run.key;
  run.loading.push_back([this, key, then = std::move(then)] {
    if (const auto it = open_.find(key); it != open_.end()) then(*it->second);
  });
  if (run.is_loading) return;
  run.is_loading = true;
  auto read = [this, key, alive = alive_](Result<std::vector<storage::JournalRow>> rows) {
    if (!*alive) return;
    const auto it = open_.find(key);
    if (it == open_.end()) return;
    OpenRun& loaded = *it->second;
    loaded.is_loading = false;
    if (rows && !loaded.history.whole()) adopt_loaded(loaded, *rows);
    for (auto& resume : std::exchange(loaded.loading, {})) {
      if (!open_.contains(key)) break;
      resume();
    }
  };
  after_flush([this, last = run.last_row, read = std::move(read)] { journal_.read_run(last, read); });
}

/// Events may have come while the rows were read: they are in memory.
void Service::adopt_loaded(OpenRun& run, const std::vector<storage::JournalRow>& rows) {
  std::vector<pb::Batch> batches;
  for (const auto& row : rows) {
    pb::Transition change;
    ENSURE(change.ParseFromString(row.body));
    take_batches(change, &batches);
  }
  std::int64_t next = batches.empty() ? 1 : batches.back().first_event_id() + batches.back().count();
  for (const auto& batch : run.history.batches()) {
    if (batch.first_event_id() < next) continue;
    if (batch.first_event_id() > next) return;  // evicted again meanwhile: not whole, the reader asks once more
    batches.push_back(batch);
    next += batch.count();
  }
  if (next != run.history.next_event_id()) return;
  held_bytes_ -= run.history.held_bytes();
  run.history.load(std::move(batches));
  held_bytes_ += run.history.held_bytes();
  touch(run);
}

RunKey Service::start(StartPlan plan) {
  const RunKey key = next_run_++;
  OpenRun& run = add_run(key);
  if (plan.update != nullptr) run.admitted[plan.update->meta().update_id()] = {next_id_++, *plan.update};
  Draft draft(run, clock_.now());
  if (plan.namespace_number == 0) plan.namespace_number = space(plan.name_space).state.number();
  if (plan.attributes.has_search_attributes()) {
    fill_types(namespaces_by_number_.at(plan.namespace_number)->search_types,
               plan.attributes.mutable_search_attributes());
  }
  start_run(draft, std::move(plan));
  index_new(run, draft.facts());
  commit(run, std::move(draft));
  return key;
}

std::optional<PortStatus> Service::grow(OpenRun& run, Draft draft) {
  if (auto wrong = growth_error(draft, options_)) {
    Draft instead(run, clock_.now());
    terminate_run(instead, *wrong, nullptr, kHistoryService);
    commit(run, std::move(instead));
    return errors::invalid(std::move(*wrong));
  }
  if (buffers_too_much(draft, options_)) fail_task_for_buffer(draft);
  commit(run, std::move(draft));
  return std::nullopt;
}

}  // namespace callimport::engine
