#include "engine/service/internal/core.h"

#include <algorithm>
#include <utility>

#include "engine/service/port_errors.h"
#include "engine/service/transition_check.h"
#include "engine/service/uuid_text.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kFirstTaskId = (1 << 20) + 11;
constexpr std::chrono::seconds kRetryReset{1};
constexpr std::size_t kEndedPerTrim = 1024;

std::string lost_namespace(RunKey run) {
  return "journal: run " + std::to_string(run) + " is of a namespace that is not there";
}

}  // namespace

Service::Service(storage::Journal& journal, Executor& loop, Clock& clock, Random& random, EmbeddedOptions options)
    : journal_(journal),
      loop_(loop),
      clock_(clock),
      callers_clock_(options.callers_clock != nullptr ? *options.callers_clock : clock),
      random_(random),
      options_(std::move(options)),
      alive_(std::make_shared<bool>(true)),
      next_task_id_(kFirstTaskId),
      run_deadlines_(clock, [this](RunKey key) { run_due(key); }),
      retention_(callers_clock_, [this](RunKey key) { expire_closed(key); }),
      poll_deadlines_(callers_clock_, [this](std::uint64_t id) { poll_expired(id); }),
      wait_deadlines_(callers_clock_, [this](std::uint64_t id) { wait_expired(id); }),
      query_deadlines_(callers_clock_, [this](std::uint64_t id) { query_due(id); }),
      update_deadlines_(callers_clock_, [this](std::uint64_t id) { update_wait_due(id); }) {}

Service::~Service() { *alive_ = false; }

Result<std::unique_ptr<EmbeddedService>> EmbeddedService::open(storage::Journal& journal, Executor& loop, Clock& clock,
                                                               Random& random, EmbeddedOptions options) {
  auto service = std::make_unique<Service>(journal, loop, clock, random, std::move(options));
  TRY_VOID(service->recover());
  return service;
}

Result<> Service::recover() {
  TRY(auto recovered, journal_.recover(kSnapshotVersion));
  next_row_ = recovered.last + 1;
  next_run_ = recovered.last_run + 1;
  TRY_VOID(recover_open(recovered));
  std::int64_t last_task_id = 0;
  std::vector<RunKey> keys;
  open_system_namespace();
  for (const auto& [key, run] : open_) {
    keys.push_back(key);
    last_task_id = std::max(last_task_id, run->last_task_id);
    if (run->facts.kind() != pb::RUN_KIND_NAMESPACE || !run->open()) continue;
    if (!may_adopt(*run->namespace_state)) {
      return fail(Code::kCorrupt, "journal: run " + std::to_string(key) + ": namespace " +
                                      run->namespace_state->name() + " is another one, too");
    }
    adopt_namespace(*run);
  }
  for (auto& closed : recovered.closed) {
    pb::RunSummary summary;
    if (!summary.ParseFromString(closed.summary) || !is_uuid(summary.facts().run_id())) {
      return fail(Code::kCorrupt, "journal: the summary of run " + std::to_string(closed.run) + " does not parse");
    }
    last_task_id = std::max(last_task_id, summary.last_task_id());
    ClosedRun run{.key = closed.run, .space = recovered_space(summary.facts()), .summary = std::move(closed.summary)};
    if (run.space == nullptr) return fail(Code::kCorrupt, lost_namespace(run.key));
    index_reset(run.key, summary.facts().base_run_id());
    index_closed(std::move(run), summary);
  }
  next_task_id_ = std::max(kFirstTaskId, last_task_id + 1);
  TRY_VOID(open_namespaces());
  for (const RunKey key : keys) {
    OpenRun& run = *open_.at(key);
    if (recovered_space(run.facts) == nullptr) return fail(Code::kCorrupt, lost_namespace(key));
    index_open(run);
  }
  for (const RunKey key : keys) {
    if (const auto it = open_.find(key); it != open_.end() && !options_.own_workers.empty()) {
      give_up_lost_work(*it->second);
    }
  }
  find_orphans();
  return {};
}

/// Runs that are open, or closed with their history not stored yet, as their snapshots and rows say.
Result<> Service::recover_open(storage::Journal::Recovered& recovered) {
  for (auto& snapshot : recovered.snapshots) {
    const auto corrupt = [&snapshot](const std::string& why) {
      return fail(Code::kCorrupt, "journal: the snapshot of run " + std::to_string(snapshot.run) + why);
    };
    pb::RunSnapshot body;
    if (!body.ParseFromString(snapshot.body)) return corrupt(" does not parse");
    if (auto wrong = contradiction(body)) return corrupt(": " + *wrong);
    OpenRun& run = add_run(snapshot.run);
    from_snapshot(std::move(body), &run);
    run.last_row = snapshot.seq;
    run.snapshot_at = run.transitions;
  }
  for (auto& row : recovered.rows) {
    OpenRun& run = add_run(row.run);
    pb::Transition change;
    const auto corrupt = [&row](const std::string& why) {
      return fail(Code::kCorrupt,
                  "journal: row " + std::to_string(row.seq) + " of run " + std::to_string(row.run) + why);
    };
    if (row.previous != run.last_row || !change.ParseFromString(row.body)) {
      return corrupt(" does not parse or does not follow its run");
    }
    if (auto wrong = contradiction(run, change)) return corrupt(": " + *wrong);
    if (run.first_row == 0) run.first_row = row.seq;
    apply(run, std::move(change));
    run.last_row = row.seq;
    std::string().swap(row.body);
  }
  return {};
}

std::optional<PortStatus> Service::gate(const std::string& name_space) const {
  if (stopping_) return errors::unavailable("the service is shutting down");
  if (starting_over_) return errors::unavailable("the journal could not be written; recovering, try again");
  return check_namespace(name_space);
}

OpenRun& Service::add_run(RunKey key) {
  auto& slot = open_[key];
  if (slot == nullptr) {
    slot = std::make_unique<OpenRun>();
    slot->key = key;
  }
  return *slot;
}

void Service::add_effect(std::unique_ptr<Effect> effect) {
  turn_.effects.push_back(std::move(effect));
  schedule_flush();
}

/// The journal never sees a speculative task: for it, and after a restart, there is none.
void Service::serialize(pb::Transition* change, std::string* body) {
  pb::WorkflowTask task;
  const bool speculative = change->task().speculative();
  if (speculative) task.Swap(change->mutable_task());
  ENSURE(change->SerializeToString(body));
  if (speculative) task.Swap(change->mutable_task());
}

void Service::commit(OpenRun& run, Draft draft) {
  if (!draft.changed()) return;
  if (draft.in_memory_only()) {
    run.task = draft.task();
    settle(run, {}, false);
    return;
  }
  commit(run, std::move(draft).finish(&next_task_id_));
}

void Service::commit(OpenRun& run, pb::Transition change) {
  storage::JournalRow row{next_row_++, run.key, run.last_row, {}};
  serialize(&change, &row.body);
  std::vector<std::int64_t> activities;
  for (const auto& activity : change.activities()) activities.push_back(activity.scheduled_event_id());
  for (const auto& activity : change.rebuilt().activities()) {
    activities.push_back(activity.state().scheduled_event_id());
  }
  const bool events_came = change.batches_size() > 0;
  const std::size_t held = run.history.held_bytes();
  const bool listed = run.facts.kind() == pb::RUN_KIND_WORKFLOW && run.transitions > 0;
  const bool attributes_came = change.has_search_attributes();
  const int status = shown_status(run.progress);
  const bool ran = run.progress.first_completed_event_id() != 0;
  apply(run, std::move(change));
  if (run.facts.kind() == pb::RUN_KIND_WORKFLOW && run.open()) {
    const bool same = listed && !attributes_came && status == shown_status(run.progress) &&
                      ran == (run.progress.first_completed_event_id() != 0);
    if (!same) show(run);
  }
  held_bytes_ += run.history.held_bytes() - held;
  if (run.first_row == 0) run.first_row = row.seq;
  run.last_row = row.seq;
  turn_.rows.push_back(std::move(row));
  schedule_flush();
  settle(run, activities, events_came);
}

void Service::schedule_flush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    flush_posted_ = false;
    flush();
  });
}

void Service::after_flush(std::function<void()> task) {
  schedule_flush();
  loop_.post([task = std::move(task), alive = alive_] {
    if (*alive) task();
  });
}

void Service::flush() {
  if (!starting_over_) settle_families();
  if (turn_.rows.empty() && !turn_.erased.empty()) {  // a commit wants a row: an empty one of a run that is erased, too
    const RunKey tomb = next_run_++;
    turn_.rows.push_back({next_row_++, tomb, 0, pb::Transition().SerializeAsString()});
    turn_.erased.push_back(tomb);
  }
  if (turn_.rows.empty()) {
    if (!in_flight_.empty()) {  // what was decided before must be seen to be written before
      for (auto& effect : turn_.effects) in_flight_.back().effects.push_back(std::move(effect));
      turn_.effects.clear();
      return;
    }
    auto effects = std::exchange(turn_.effects, {});
    for (auto& effect : effects) effect->act();
    maybe_finish_stop();
    if (options_.settled) options_.settled();
    return;
  }
  Group group = std::exchange(turn_, {});
  if (starting_over_) {  // nothing decided now may be written
    for (auto& effect : group.effects)
      effect->refuse(errors::unavailable("the journal could not be written; try again"));
    return;
  }
  for (auto& closed : group.closed) journal_.put_closed(std::move(closed));
  group.closed.clear();
  if (!group.erased.empty()) journal_.erase_closed(std::exchange(group.erased, {}));
  if (!group.snapshots.empty()) journal_.put_snapshots(std::exchange(group.snapshots, {}));
  std::vector<storage::JournalRow> rows = std::exchange(group.rows, {});
  for (const auto& row : rows) group.written.push_back({row.run, row.previous});
  in_flight_.push_back(std::move(group));
  hand_to_journal(std::move(rows));
  evict_histories();
}

/// One append, or several of one turn, which the journal commits as one; the last one's answer counts.
void Service::hand_to_journal(std::vector<storage::JournalRow> rows) {
  constexpr std::size_t kMost = storage::kRowsPerAppendMax;
  std::size_t at = 0;
  while (rows.size() - at > kMost) {
    std::vector<storage::JournalRow> part(
        std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(at)),
        std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(at + kMost)));
    journal_.append(std::move(part), [](const Result<>&) {});
    at += kMost;
  }
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(at));
  journal_.append(std::move(rows), [this, alive = alive_](Result<> result) {
    if (*alive) committed(std::move(result));
  });
}

void Service::committed(Result<> result) {
  if (starting_over_) return;  // a later append of a failed one
  ENSURE(!in_flight_.empty());
  if (!result) {
    ENSURE(result.error().code == Code::kUnavailable);  // anything else is a bug of ours
    start_over();
    return;
  }
  Group group = std::move(in_flight_.front());
  in_flight_.pop_front();
  for (const auto& run : group.ended) {
    const auto closed = closed_.find(run->key);
    if (closed != closed_.end()) closed->second.held = nullptr;
  }
  for (auto& effect : group.effects) effect->act();
  ended_since_trim_ += group.ended.size();
  if (ended_since_trim_ >= kEndedPerTrim) maybe_trim();
  maybe_finish_stop();
  if (options_.settled) options_.settled();
}

/// Rows before the first that is still somebody's history are wanted no more.
void Service::maybe_trim() {
  ended_since_trim_ = 0;
  renew_old_records();
  storage::Seq floor = next_row_;
  const auto keep = [&floor](const Run& run) { floor = std::min(floor, run.first_row); };
  if (!open_.empty()) keep(*open_.begin()->second);  // keys and first rows grow together
  for (const auto& [key, run] : closing_) keep(*run);
  for (const auto& run : turn_.ended) keep(*run);
  for (const auto& group : in_flight_) {
    for (const auto& run : group.ended) keep(*run);
  }
  journal_.trim(floor);
}

/// A write failed: nothing after the last durable row is true. Affected runs are rebuilt from their rows.
void Service::start_over() {
  starting_over_ = true;
  reports_.clear();
  scheduled_ends_.clear();
  orphans_.clear();
  in_flight_.push_back(std::exchange(turn_, {}));
  std::vector<std::unique_ptr<Effect>> effects;
  for (auto& group : in_flight_) {
    for (const auto& row : group.rows) group.written.push_back({row.run, row.previous});
    for (const auto& written : group.written)
      to_rebuild_.emplace(written.run, written.previous);  // the first one counts
    for (auto& effect : group.effects) effects.push_back(std::move(effect));
    group.effects.clear();
  }
  for (auto& effect : effects)
    effect->refuse(errors::unavailable("the journal could not be written; nothing was changed"));
  for (auto& group : in_flight_) {  // closed durably before; only their stored history was on its way
    for (auto& run : group.ended) {
      if (!to_rebuild_.contains(run->key)) unstored_.push_back(std::move(run));
    }
  }
  for (const auto& [key, last] : to_rebuild_) forget_run(key);
  for (auto& group : in_flight_) {
    for (auto& run : group.removed) {
      if (to_rebuild_.contains(run->key)) continue;
      const pb::RunSummary summary = summary_of({nullptr, run.get()});
      index_closed(std::move(*run), summary);
    }
  }
  in_flight_.clear();
  const Timestamp due = last_reset_ + kRetryReset;  // a disk that stays full must not keep the loop busy
  if (clock_.now() >= due) return reset_journal();
  clock_.at(due, [this, alive = alive_] {
    if (*alive) reset_journal();
  });
}

void Service::reset_journal() {
  last_reset_ = clock_.now();
  journal_.reset([this, alive = alive_](Result<storage::Seq> last) {
    if (!*alive) return;
    if (!last) {  // still no disk: look again later
      clock_.at(clock_.now() + kRetryReset, [this, alive] {
        if (*alive) reset_journal();
      });
      return;
    }
    next_row_ = *last + 1;
    rebuild_next();
  });
}

void Service::rebuild_next() {
  while (!to_rebuild_.empty() && to_rebuild_.begin()->second == 0) to_rebuild_.erase(to_rebuild_.begin());
  if (to_rebuild_.empty()) {
    finish_start_over();
    return;
  }
  const RunKey key = to_rebuild_.begin()->first;
  const storage::Seq last = to_rebuild_.begin()->second;
  journal_.read_run(last, [this, key, alive = alive_](Result<std::vector<storage::JournalRow>> rows) {
    if (*alive) rebuild(key, std::move(rows));
  });
}

void Service::rebuild(RunKey key, Result<std::vector<storage::JournalRow>> rows) {
  if (!rows) {
    ENSURE(rows.error().code == Code::kUnavailable);
    clock_.at(clock_.now() + kRetryReset, [this, alive = alive_] {
      if (*alive) rebuild_next();
    });
    return;
  }
  OpenRun& run = add_run(key);
  for (auto& row : *rows) {
    pb::Transition change;
    ENSURE(change.ParseFromString(row.body));
    if (run.first_row == 0) run.first_row = row.seq;
    apply(run, std::move(change));
    run.last_row = row.seq;
  }
  to_rebuild_.erase(to_rebuild_.begin());
  rebuilt_.push_back(key);
  rebuild_next();
}

void Service::finish_start_over() {
  for (const RunKey key : rebuilt_) {
    const OpenRun& run = *open_.at(key);
    if (run.facts.kind() == pb::RUN_KIND_NAMESPACE && run.open()) adopt_namespace(run);
  }
  remove_lost_namespaces();
  for (auto& [name, space] : namespaces_) space.current_runs.clear();
  for (const auto& [key, run] : closed_) {
    RunKey& current = run.space->current_runs[run.row->workflow_id];
    current = std::max(current, key);
  }
  for (const auto& [key, run] : open_) {
    if (run->facts.kind() != pb::RUN_KIND_WORKFLOW) continue;
    RunKey& current = space_of(run->facts).current_runs[run->facts.workflow_id()];
    current = std::max(current, key);
  }
  starting_over_ = false;
  std::sort(rebuilt_.begin(), rebuilt_.end());
  for (const RunKey key : std::exchange(rebuilt_, {})) index_open(*open_.at(key));
  for (auto& run : std::exchange(unstored_, {})) store_closed(std::move(run));
  for (const RunKey key : std::exchange(overdue_, {})) {
    if (const auto it = open_.find(key); it != open_.end() && it->second->open()) arm(*it->second);
  }
  find_orphans();
  // Those the service was told to have: their first row may be what could not be written. Their types were checked
  // then.
  const bool all_there = std::all_of(options_.namespaces.begin(), options_.namespaces.end(),
                                     [this](const std::string& name) { return namespaces_.contains(name); });
  if (!all_there) static_cast<void>(open_namespaces());
  for (auto& [space_name, space] : namespaces_) {  // tasks may have met polls while nothing could be handed out
    std::vector<std::string> names;
    for (const auto& [name, queue] : space.workflow_queues) names.push_back(name);
    std::sort(names.begin(), names.end());
    for (const auto& name : names) match(space.workflow_queues[name]);
  }
}

void Service::cancel(std::uint64_t call) {
  if (call == 0) return;
  calls_.erase(call);
  const auto drop = [call](auto& waiting) {
    std::erase_if(waiting, [call](const auto& entry) { return entry.second.call_number() == call; });
  };
  drop(polls_);
  drop(history_waits_);
  drop(update_waits_);
}

EmbeddedService::Figures Service::figures() const { return {open_.size() - records_, closed_.size(), polls_.size()}; }

bool Service::at_rest() const {
  if (starting_over_ || stopping_ || flush_posted_ || !all_written()) return false;
  if (!queries_.empty()) return false;
  const std::int64_t now = now_ns();
  for (const auto& [key, run] : open_) {
    if (run->is_loading || (run->task.state() != pb::WorkflowTask::NONE && !run->paused())) return false;
    for (const auto& [id, activity] : run->activities) {
      const bool waits = may_begin(*run, activity.state) && activity.state.attempt_scheduled_ns() <= now;
      if (waits || activity.state.started_ns() != 0) return false;
    }
  }
  return true;
}

void Service::stop(std::function<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, poll] : polls_) ids.push_back(id);
  for (const std::uint64_t id : ids) poll_expired(id);
  ids.clear();
  for (const auto& [id, wait] : history_waits_) ids.push_back(id);
  for (const std::uint64_t id : ids) wait_expired(id);
  ids.clear();
  for (const auto& [id, wait] : update_waits_) ids.push_back(id);
  for (const std::uint64_t id : ids)
    end_update_wait(id, {.error = errors::unavailable("the service is shutting down")});
  ids.clear();
  for (const auto& [id, query] : queries_) ids.push_back(id);
  for (const std::uint64_t id : ids) refuse_query(id, errors::unavailable("the service is shutting down"));
  schedule_flush();
}

void Service::maybe_finish_stop() {
  if (!stopping_ || stopped_ == nullptr || !all_written() || !turn_.effects.empty()) return;
  auto done = std::exchange(stopped_, nullptr);
  done();
}

}  // namespace callimport::engine
