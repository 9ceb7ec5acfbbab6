#include "engine/service/run_state.h"

#include <algorithm>
#include <utility>

#include "storage/model/ensure.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {
namespace enums = ::temporal::api::enums::v1;
namespace {

/// `with` takes the place of `held`, and counts.
template <class Message>
void replace(Run& run, Message& held, Message* with) {
  run.state_bytes += static_cast<std::int64_t>(with->ByteSizeLong()) - static_cast<std::int64_t>(held.ByteSizeLong());
  held.Swap(with);
}

template <class Held, class Key>
void erase(Run& run, Held& held, const Key& key) {
  const auto it = held.find(key);
  if (it == held.end()) return;
  run.state_bytes -= static_cast<std::int64_t>(it->second.ByteSizeLong());
  held.erase(it);
}

void add_signal_request(Run& run, std::string id) {
  const auto bytes = static_cast<std::int64_t>(id.size());
  if (run.signal_requests.insert(std::move(id)).second) run.state_bytes += bytes;
}

void apply_activities(Run& run, pb::Transition& change) {
  for (auto& set : *change.mutable_activities()) {
    const std::int64_t id = set.scheduled_event_id();
    Activity& activity = run.activities[id];
    if (set.event_batch() > 0) {
      ENSURE(set.event_batch() <= change.batches_size());
      activity.scheduled_event =
          change.batches(set.event_batch() - 1)
              .events()
              .substr(static_cast<std::size_t>(set.event_offset()), static_cast<std::size_t>(set.event_length()));
      set.clear_event_batch();
      set.clear_event_offset();
      set.clear_event_length();
      run.activity_ids[set.activity_id()] = id;
    }
    replace(run, activity.state, &set);
  }
  for (const std::int64_t id : change.activities_gone()) {
    const auto it = run.activities.find(id);
    if (it == run.activities.end()) continue;
    const auto named = run.activity_ids.find(it->second.state.activity_id());
    if (named != run.activity_ids.end() && named->second == id) run.activity_ids.erase(named);
    run.state_bytes -= static_cast<std::int64_t>(it->second.state.ByteSizeLong());
    run.activities.erase(it);
  }
}

void apply_buffer(Run& run, pb::Transition& change) {
  if (change.buffer_flushed()) run.buffered.clear();
  for (const auto& timer_id : change.buffered_timers_dropped()) {
    std::erase_if(run.buffered, [&timer_id](const HistoryEvent& event) {
      return event.has_timer_fired_event_attributes() && event.timer_fired_event_attributes().timer_id() == timer_id;
    });
  }
  for (auto& event : *change.mutable_buffered()) run.buffered.push_back(std::move(event));
}

/// Of a Transition or a RunSnapshot: they share these fields by name.
template <class Message>
void take_schedule(Run& run, Message& from) {
  if (!from.has_schedule_plan() && !from.has_schedule_progress() && !from.has_schedule_outcome()) return;
  if (run.schedule == nullptr) run.schedule = std::make_unique<ScheduleParts>();
  if (from.has_schedule_plan()) run.schedule->plan.Swap(from.mutable_schedule_plan());
  if (from.has_schedule_progress()) run.schedule->progress.Swap(from.mutable_schedule_progress());
  if (from.has_schedule_outcome()) run.schedule->outcome.Swap(from.mutable_schedule_outcome());
}

}  // namespace

bool Run::open() const { return progress.status() == temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING; }

std::uint64_t ticket_of(const pb::ActivityState& activity) {
  return static_cast<std::uint64_t>(activity.attempt()) << 32 | static_cast<std::uint32_t>(activity.stamp());
}

bool may_begin(const Run& run, const pb::ActivityState& activity) {
  return activity.started_ns() == 0 && activity.paused_ns() == 0 && !run.paused();
}

int shown_status(const pb::RunProgress& progress) {
  const bool paused = progress.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING && progress.paused_ns() != 0;
  return paused ? enums::WORKFLOW_EXECUTION_STATUS_PAUSED : progress.status();
}

void apply(Run& run, pb::Transition&& change) {
  if (change.has_rebuilt()) {
    const storage::Seq first = run.first_row;
    from_snapshot(std::move(*change.mutable_rebuilt()), &run);
    run.first_row = first;
  }
  ++run.transitions;
  if (change.has_facts()) run.facts.Swap(change.mutable_facts());
  apply_activities(run, change);  // cuts events out of the batches, so before they move
  for (auto& batch : *change.mutable_copied()) run.history.push(std::move(batch));
  for (auto& batch : *change.mutable_batches()) run.history.push(std::move(batch));
  if (change.has_progress()) run.progress.Swap(change.mutable_progress());
  if (change.has_task()) run.task.Swap(change.mutable_task());
  for (auto& timer : *change.mutable_timers()) {
    replace(run, run.timers[timer.timer_id()], &timer);
  }
  for (const auto& id : change.timers_gone()) erase(run, run.timers, id);
  for (auto& child : *change.mutable_children()) {
    replace(run, run.children[child.initiated_event_id()], &child);
  }
  for (const std::int64_t id : change.children_gone()) erase(run, run.children, id);
  apply_buffer(run, change);
  for (auto& id : *change.mutable_signal_requests()) add_signal_request(run, std::move(id));
  for (auto& request : *change.mutable_attached_requests()) run.attached_requests.push_back(std::move(request));
  for (auto& update : *change.mutable_updates()) {
    replace(run, run.updates[update.update_id()], &update);
  }
  for (const auto& id : change.updates_gone()) erase(run, run.updates, id);
  if (change.has_memo()) replace(run, run.memo, change.mutable_memo());
  if (change.has_search_attributes()) replace(run, run.search_attributes, change.mutable_search_attributes());
  if (change.has_reset_points()) run.reset_points.Swap(change.mutable_reset_points());
  if (change.has_namespace_state()) {
    run.namespace_state = std::make_unique<pb::NamespaceState>(std::move(*change.mutable_namespace_state()));
  }
  if (change.has_batch()) run.batch = std::make_unique<pb::BatchState>(std::move(*change.mutable_batch()));
  if (change.has_batch_progress()) run.batch_progress.Swap(change.mutable_batch_progress());
  take_schedule(run, change);
  if (!change.started_event().empty()) run.started_event = std::move(*change.mutable_started_event());
  run.last_task_id = std::max(run.last_task_id, change.last_task_id());
  if (!run.open()) {
    run.activities.clear();
    run.activity_ids.clear();
    run.timers.clear();
    run.buffered.clear();
    run.task.Clear();
  }
}

pb::RunSnapshot to_snapshot(const Run& run) {
  pb::RunSnapshot out;
  *out.mutable_facts() = run.facts;
  *out.mutable_progress() = run.progress;
  if (!run.task.speculative()) *out.mutable_task() = run.task;
  for (const auto& [id, activity] : run.activities) {
    auto* held = out.add_activities();
    *held->mutable_state() = activity.state;
    held->set_scheduled_event(activity.scheduled_event);
  }
  for (const auto& [id, timer] : run.timers) *out.add_timers() = timer;
  for (const auto& [id, child] : run.children) *out.add_children() = child;
  for (const auto& event : run.buffered) *out.add_buffered() = event;
  std::vector<std::string> requests(run.signal_requests.begin(), run.signal_requests.end());
  std::sort(requests.begin(), requests.end());  // the same state, the same bytes
  for (auto& id : requests) out.add_signal_requests(std::move(id));
  for (const auto& request : run.attached_requests) *out.add_attached_requests() = request;
  for (const auto& [id, update] : run.updates) *out.add_updates() = update;
  *out.mutable_memo() = run.memo;
  *out.mutable_search_attributes() = run.search_attributes;
  *out.mutable_reset_points() = run.reset_points;
  out.set_started_event(run.started_event);
  if (run.namespace_state != nullptr) *out.mutable_namespace_state() = *run.namespace_state;
  if (run.batch != nullptr) {
    *out.mutable_batch() = *run.batch;
    *out.mutable_batch_progress() = run.batch_progress;
  }
  if (run.schedule != nullptr) {
    *out.mutable_schedule_plan() = run.schedule->plan;
    *out.mutable_schedule_progress() = run.schedule->progress;
    *out.mutable_schedule_outcome() = run.schedule->outcome;
  }
  out.set_last_task_id(run.last_task_id);
  out.set_next_event_id(run.history.next_event_id());
  out.set_history_size_bytes(run.history.history_bytes());
  out.set_batches(run.history.batch_count());
  out.set_transitions(run.transitions);
  out.set_first_row(run.first_row);
  return out;
}

void from_snapshot(pb::RunSnapshot&& snapshot, Run* run) {
  run->facts.Swap(snapshot.mutable_facts());
  run->progress.Swap(snapshot.mutable_progress());
  run->task.Swap(snapshot.mutable_task());
  for (auto& held : *snapshot.mutable_activities()) {
    const std::int64_t id = held.state().scheduled_event_id();
    run->activity_ids[held.state().activity_id()] = id;
    Activity& activity = run->activities[id];
    replace(*run, activity.state, held.mutable_state());
    activity.scheduled_event = std::move(*held.mutable_scheduled_event());
  }
  for (auto& timer : *snapshot.mutable_timers()) {
    replace(*run, run->timers[timer.timer_id()], &timer);
  }
  for (auto& child : *snapshot.mutable_children()) {
    replace(*run, run->children[child.initiated_event_id()], &child);
  }
  for (auto& event : *snapshot.mutable_buffered()) run->buffered.push_back(std::move(event));
  for (auto& id : *snapshot.mutable_signal_requests()) add_signal_request(*run, std::move(id));
  for (auto& request : *snapshot.mutable_attached_requests()) run->attached_requests.push_back(std::move(request));
  for (auto& update : *snapshot.mutable_updates()) {
    replace(*run, run->updates[update.update_id()], &update);
  }
  replace(*run, run->memo, snapshot.mutable_memo());
  replace(*run, run->search_attributes, snapshot.mutable_search_attributes());
  run->reset_points.Swap(snapshot.mutable_reset_points());
  run->started_event = std::move(*snapshot.mutable_started_event());
  if (snapshot.has_namespace_state()) {
    run->namespace_state = std::make_unique<pb::NamespaceState>(std::move(*snapshot.mutable_namespace_state()));
  }
  if (snapshot.has_batch()) {
    run->batch = std::make_unique<pb::BatchState>(std::move(*snapshot.mutable_batch()));
    run->batch_progress.Swap(snapshot.mutable_batch_progress());
  }
  take_schedule(*run, snapshot);
  run->last_task_id = snapshot.last_task_id();
  run->transitions = snapshot.transitions();
  run->first_row = snapshot.first_row();
  run->history.start_at(snapshot.next_event_id(), snapshot.history_size_bytes(), snapshot.batches());
}

pb::RunSummary to_summary(const Run& run) {
  pb::RunSummary out;
  *out.mutable_facts() = run.facts;
  *out.mutable_progress() = run.progress;
  *out.mutable_memo() = run.memo;
  *out.mutable_search_attributes() = run.search_attributes;
  *out.mutable_reset_points() = run.reset_points;
  for (const auto& request : run.attached_requests) *out.add_attached_requests() = request;
  for (const auto& [id, update] : run.updates) *out.add_updates() = update;
  if (!run.open()) {
    for (const auto& [id, child] : run.children) *out.add_children() = child;
  }
  out.set_history_length(run.history.next_event_id() - 1);
  out.set_history_size_bytes(run.history.history_bytes());
  out.set_transitions(run.transitions);
  out.set_last_task_id(run.last_task_id);
  return out;
}

}  // namespace callimport::engine
