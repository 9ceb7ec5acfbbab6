#include "engine/service/draft.h"

#include <algorithm>
#include <utility>

#include "engine/service/proto_time.h"
#include "engine/service/task_events.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

bool is_completion(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: return true;
    default: return false;
  }
}

/// A buffered completion names the event that scheduled or initiated its work; the started event got an id in this
/// flush.
void fill_started(HistoryEvent* event, const std::map<std::int64_t, std::int64_t>& started) {
  const auto set = [&started](auto* attributes, std::int64_t of) {
    const auto it = started.find(of);
    if (it != started.end()) attributes->set_started_event_id(it->second);
  };
  const auto fill = [&set](auto* attributes) { set(attributes, attributes->scheduled_event_id()); };
  const auto fill_child = [&set](auto* attributes) { set(attributes, attributes->initiated_event_id()); };
  switch (event->event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      fill(event->mutable_activity_task_completed_event_attributes());
      break;
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: fill(event->mutable_activity_task_failed_event_attributes()); break;
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      fill(event->mutable_activity_task_timed_out_event_attributes());
      break;
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      fill(event->mutable_activity_task_canceled_event_attributes());
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      fill_child(event->mutable_child_workflow_execution_completed_event_attributes());
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      fill_child(event->mutable_child_workflow_execution_failed_event_attributes());
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      fill_child(event->mutable_child_workflow_execution_canceled_event_attributes());
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      fill_child(event->mutable_child_workflow_execution_timed_out_event_attributes());
      break;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      fill_child(event->mutable_child_workflow_execution_terminated_event_attributes());
      break;
    default: break;
  }
}

}  // namespace

Draft::Draft(const Run& run, Timestamp now)
    : run_(run), now_(to_unix_ns(now)), next_event_id_(run.history.next_event_id()) {
  google::protobuf::ArenaOptions blocks;
  blocks.start_block_size = 1000;  // what malloc still hands out from its thread's cache
  arena_ = std::make_unique<google::protobuf::Arena>(blocks);
}

std::int64_t Draft::history_bytes() const {
  std::int64_t bytes = run_.history.history_bytes();
  for (const auto& written : events_) bytes += static_cast<std::int64_t>(written.event->ByteSizeLong()) + 3;
  return bytes;
}

namespace {

/// What writing `changed` and removing `gone` adds to the size of `held`.
template <class Changed, class Gone, class Held, class Message>
std::int64_t growth(const Changed& changed, const Gone& gone, const Held& held, Message message) {
  const auto bytes = [&message](const auto& entry) { return static_cast<std::int64_t>(message(entry).ByteSizeLong()); };
  std::int64_t sum = 0;
  for (const auto& [id, entry] : changed) {
    if (gone.contains(id)) continue;
    const auto before = held.find(id);
    sum += bytes(entry) - (before == held.end() ? 0 : bytes(before->second));
  }
  for (const auto& id : gone) {
    if (const auto before = held.find(id); before != held.end()) sum -= bytes(before->second);
  }
  return sum;
}

}  // namespace

std::int64_t Draft::state_bytes() const {
  const auto itself = [](const auto& entry) -> const auto& { return entry; };
  const auto state = [](const auto& entry) -> const pb::ActivityState& { return entry.state; };
  std::int64_t bytes = run_.state_bytes + growth(activities_, activities_gone_, run_.activities, state) +
                       growth(timers_, timers_gone_, run_.timers, itself) +
                       growth(children_, children_gone_, run_.children, itself) +
                       growth(updates_, updates_gone_, run_.updates, itself);
  for (const auto& id : signal_requests_) bytes += static_cast<std::int64_t>(id.size());
  if (memo_)
    bytes += static_cast<std::int64_t>(memo_->ByteSizeLong()) - static_cast<std::int64_t>(run_.memo.ByteSizeLong());
  if (search_) {
    bytes += static_cast<std::int64_t>(search_->ByteSizeLong()) -
             static_cast<std::int64_t>(run_.search_attributes.ByteSizeLong());
  }
  return bytes + static_cast<std::int64_t>(buffered_bytes());
}

HistoryEvent& Draft::write(HistoryEvent* event) {
  events_.push_back({event, cut_});
  cut_ = false;
  event->set_event_id(next_event_id_++);
  return *event;
}

HistoryEvent& Draft::write_new(enums::EventType type, std::int64_t time_ns) {
  HistoryEvent& event = write(google::protobuf::Arena::CreateMessage<HistoryEvent>(arena_.get()));
  event.set_event_type(type);
  set_nanos(event.mutable_event_time(), time_ns);
  return event;
}

HistoryEvent& Draft::append(enums::EventType type) {
  write_speculative_task();
  return write_new(type, now_);
}

HistoryEvent& Draft::record(enums::EventType type) {
  write_speculative_task();
  if (!buffering()) return append(type);
  HistoryEvent& event = buffered_.emplace_back();
  event.set_event_type(type);
  set_nanos(event.mutable_event_time(), now_);
  return event;
}

bool Draft::has_buffered_before() const { return buffered_count() > buffered_.size(); }

std::size_t Draft::buffered_count() const {
  std::size_t held = flushed_ ? 0 : run_.buffered.size();
  if (held > 0) held -= dropped_timers_.size();  // each drop removed one buffered TimerFired
  return held + buffered_.size();
}

std::size_t Draft::buffered_bytes() const {
  std::size_t bytes = 0;
  if (!flushed_) {
    for (const auto& event : run_.buffered) bytes += event.ByteSizeLong();
  }
  for (const auto& event : buffered_) bytes += event.ByteSizeLong();
  return bytes;
}

bool Draft::flush_buffer() {
  std::vector<HistoryEvent> waiting;
  if (!flushed_) {
    for (const auto& event : run_.buffered) {
      const bool dropped = event.has_timer_fired_event_attributes() &&
                           std::find(dropped_timers_.begin(), dropped_timers_.end(),
                                     event.timer_fired_event_attributes().timer_id()) != dropped_timers_.end();
      if (!dropped) waiting.push_back(event);
    }
    flushed_ = !run_.buffered.empty();
    dropped_timers_.clear();
  }
  for (auto& event : buffered_) waiting.push_back(std::move(event));
  buffered_.clear();
  std::stable_partition(waiting.begin(), waiting.end(),
                        [](const HistoryEvent& event) { return !is_completion(event); });
  std::map<std::int64_t, std::int64_t> started;
  for (auto& event : waiting) {
    fill_started(&event, started);
    auto* held = google::protobuf::Arena::CreateMessage<HistoryEvent>(arena_.get());
    *held = event;
    note_started(write(held), &started);
  }
  return !waiting.empty();
}

void Draft::note_started(const HistoryEvent& written, std::map<std::int64_t, std::int64_t>* started) {
  if (written.has_activity_task_started_event_attributes()) {
    (*started)[written.activity_task_started_event_attributes().scheduled_event_id()] = written.event_id();
  } else if (written.has_child_workflow_execution_started_event_attributes()) {
    const std::int64_t initiated = written.child_workflow_execution_started_event_attributes().initiated_event_id();
    (*started)[initiated] = written.event_id();
    if (const pb::ChildState* held = child(initiated)) {
      pb::ChildState known = *held;
      known.set_started_event_id(written.event_id());
      set_child(std::move(known));
    }
  }
}

std::optional<std::int64_t> Draft::drop_buffered_timer(const std::string& timer_id) {
  if (flushed_ || std::find(dropped_timers_.begin(), dropped_timers_.end(), timer_id) != dropped_timers_.end()) {
    return std::nullopt;
  }
  for (const auto& event : run_.buffered) {
    if (!event.has_timer_fired_event_attributes()) continue;
    const auto& fired = event.timer_fired_event_attributes();
    if (fired.timer_id() != timer_id) continue;
    dropped_timers_.push_back(timer_id);
    return fired.started_event_id();
  }
  return std::nullopt;
}

void Draft::discard_buffer() {
  flushed_ = true;
  dropped_timers_.clear();
  buffered_.clear();
}

pb::RunProgress& Draft::edit_progress() {
  if (!progress_) progress_ = run_.progress;
  return *progress_;
}

pb::WorkflowTask& Draft::edit_task() {
  if (!task_) task_ = run_.task;
  return *task_;
}

void Draft::write_speculative_task() {
  if (!task().speculative()) return;
  pb::WorkflowTask& made = edit_task();
  ENSURE(made.scheduled_event_id() == next_event_id_);
  made.set_speculative(false);
  if (progress().backoff_until_ns() != 0) edit_progress().set_backoff_until_ns(0);
  HistoryEvent& scheduled = write_new(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, made.scheduled_ns());
  fill_task_scheduled(facts(), made, made.sticky_queue(), &scheduled);
  if (made.state() == pb::WorkflowTask::STARTED) {
    fill_task_started(made, &write_new(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED, made.started_ns()));
    cut_batch();
  }
  made.clear_sticky_queue();
}

const pb::ActivityState* Draft::activity(std::int64_t scheduled_event_id) const {
  if (activities_gone_.contains(scheduled_event_id)) return nullptr;
  if (const auto it = activities_.find(scheduled_event_id); it != activities_.end()) return &it->second.state;
  const auto it = run_.activities.find(scheduled_event_id);
  return it == run_.activities.end() ? nullptr : &it->second.state;
}

std::optional<std::int64_t> Draft::activity_by_id(const std::string& activity_id) const {
  if (const auto it = new_activity_ids_.find(activity_id); it != new_activity_ids_.end()) {
    if (!activities_gone_.contains(it->second)) return it->second;
  }
  const auto it = run_.activity_ids.find(activity_id);
  if (it == run_.activity_ids.end() || activities_gone_.contains(it->second)) return std::nullopt;
  return it->second;
}

std::size_t Draft::activity_count() const {
  return run_.activities.size() + activities_added_ - activities_gone_.size();
}

pb::ActivityState& Draft::edit_activity(std::int64_t scheduled_event_id) {
  const auto [it, added] = activities_.try_emplace(scheduled_event_id);
  if (added) {
    const auto held = run_.activities.find(scheduled_event_id);
    ENSURE(held != run_.activities.end());
    it->second.state = held->second.state;
  }
  return it->second.state;
}

pb::ActivityState& Draft::add_activity(const std::string& activity_id) {
  ENSURE(!events_.empty());
  const std::int64_t id = events_.back().event->event_id();
  AddedActivity& added = activities_[id];
  added.event = events_.size() - 1;
  added.state.set_scheduled_event_id(id);
  added.state.set_activity_id(activity_id);
  new_activity_ids_[activity_id] = id;
  ++activities_added_;
  return added.state;
}

void Draft::remove_activity(std::int64_t scheduled_event_id) { activities_gone_.insert(scheduled_event_id); }

const pb::TimerState* Draft::timer(const std::string& timer_id) const {
  if (const auto it = timers_.find(timer_id); it != timers_.end()) return &it->second;
  if (timers_gone_.contains(timer_id)) return nullptr;
  const auto it = run_.timers.find(timer_id);
  return it == run_.timers.end() ? nullptr : &it->second;
}

void Draft::add_timer(pb::TimerState timer) {
  std::string id = timer.timer_id();
  timers_gone_.erase(id);
  timers_[std::move(id)] = std::move(timer);
}

void Draft::remove_timer(const std::string& timer_id) {
  timers_.erase(timer_id);
  timers_gone_.insert(timer_id);
}

const pb::UpdateState* Draft::update(const std::string& update_id) const {
  if (const auto it = updates_.find(update_id); it != updates_.end()) return &it->second;
  if (updates_gone_.contains(update_id)) return nullptr;
  const auto it = run_.updates.find(update_id);
  return it == run_.updates.end() ? nullptr : &it->second;
}

pb::UpdateState& Draft::edit_update(const std::string& update_id) {
  const auto [it, added] = updates_.try_emplace(update_id);
  if (!added) return it->second;
  const bool gone = updates_gone_.erase(update_id) > 0;
  const auto held = run_.updates.find(update_id);
  if (held != run_.updates.end() && !gone) it->second = held->second;
  it->second.set_update_id(update_id);
  return it->second;
}

void Draft::remove_update(const std::string& update_id) {
  updates_.erase(update_id);
  updates_gone_.insert(update_id);
}

const pb::ChildState* Draft::child(std::int64_t initiated_event_id) const {
  if (children_gone_.contains(initiated_event_id)) return nullptr;
  if (const auto it = children_.find(initiated_event_id); it != children_.end()) return &it->second;
  const auto it = run_.children.find(initiated_event_id);
  return it == run_.children.end() ? nullptr : &it->second;
}

std::size_t Draft::child_count() const { return run_.children.size() + children_added_ - children_gone_.size(); }

void Draft::set_child(pb::ChildState child) {
  const std::int64_t id = child.initiated_event_id();
  const auto [it, added] = children_.insert_or_assign(id, std::move(child));
  if (added && !run_.children.contains(id)) ++children_added_;
}

void Draft::remove_child(std::int64_t initiated_event_id) {
  ENSURE(run_.children.contains(initiated_event_id));  // what a draft adds is still pending when it ends
  children_.erase(initiated_event_id);
  children_gone_.insert(initiated_event_id);
}

temporal::api::common::v1::Memo& Draft::edit_memo() {
  if (!memo_) memo_ = run_.memo;
  return *memo_;
}

temporal::api::common::v1::SearchAttributes& Draft::edit_search_attributes() {
  if (!search_) search_ = run_.search_attributes;
  return *search_;
}

temporal::api::workflow::v1::ResetPoints& Draft::edit_reset_points() {
  if (!reset_points_) reset_points_ = run_.reset_points;
  return *reset_points_;
}

pb::ScheduleProgress& Draft::edit_schedule_progress() {
  if (!schedule_progress_)
    schedule_progress_ = run_.schedule != nullptr ? run_.schedule->progress : pb::ScheduleProgress();
  return *schedule_progress_;
}

pb::ScheduleOutcome& Draft::edit_schedule_outcome() {
  if (!outcome_) outcome_ = run_.schedule != nullptr ? run_.schedule->outcome : pb::ScheduleOutcome();
  return *outcome_;
}

bool Draft::changed() const { return task_.has_value() || changed_beyond_task(); }

bool Draft::in_memory_only() const {
  const auto unwritten = [](const pb::WorkflowTask& task) {
    return task.speculative() || task.state() == pb::WorkflowTask::NONE;
  };
  return task_ && unwritten(*task_) && unwritten(run_.task) && !changed_beyond_task();
}

bool Draft::changed_beyond_task() const {
  return !events_.empty() || facts_ || progress_ || !activities_.empty() || !activities_gone_.empty() ||
         !timers_.empty() || !timers_gone_.empty() || !children_.empty() || !children_gone_.empty() || flushed_ ||
         !dropped_timers_.empty() || !buffered_.empty() || !updates_.empty() || !updates_gone_.empty() ||
         !signal_requests_.empty() || !attached_.empty() || memo_ || search_ || reset_points_ || namespace_state_ ||
         batch_ || batch_progress_ || plan_ || schedule_progress_ || outcome_;
}

pb::Transition Draft::finish(std::int64_t* task_id) && {
  pb::Transition out;
  struct Place {
    int batch;
    std::size_t offset, length;
  };
  std::vector<Place> places(events_.size());
  pb::Batch* batch = nullptr;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    HistoryEvent& event = *events_[i].event;
    event.set_task_id((*task_id)++);
    if (events_[i].starts_batch || batch == nullptr) {
      batch = out.add_batches();
      batch->set_first_event_id(event.event_id());
    }
    batch->set_count(batch->count() + 1);
    std::string* bytes = batch->mutable_events();
    const std::size_t at = append_element(event, bytes);
    places[i] = {out.batches_size(), at, bytes->size() - at};
    if (keep_started_event_ && event.event_id() == 1) out.set_started_event(bytes->substr(at));
  }
  out.set_last_task_id(*task_id - 1);
  if (facts_) *out.mutable_facts() = std::move(*facts_);
  if (progress_) *out.mutable_progress() = std::move(*progress_);
  if (task_) *out.mutable_task() = std::move(*task_);
  for (auto& [id, added] : activities_) {
    if (activities_gone_.contains(id)) continue;
    if (added.event != SIZE_MAX) {
      added.state.set_event_batch(places[added.event].batch);
      added.state.set_event_offset(static_cast<std::int32_t>(places[added.event].offset));
      added.state.set_event_length(static_cast<std::int32_t>(places[added.event].length));
    }
    out.add_activities()->Swap(&added.state);
  }
  for (const std::int64_t id : activities_gone_) out.add_activities_gone(id);
  for (auto& [id, timer] : timers_) *out.add_timers() = std::move(timer);
  for (const auto& id : timers_gone_) out.add_timers_gone(id);
  for (auto& [id, child] : children_) *out.add_children() = std::move(child);
  for (const std::int64_t id : children_gone_) out.add_children_gone(id);
  out.set_buffer_flushed(flushed_);
  for (auto& id : dropped_timers_) out.add_buffered_timers_dropped(std::move(id));
  for (auto& event : buffered_) *out.add_buffered() = std::move(event);
  for (auto& [id, update] : updates_) *out.add_updates() = std::move(update);
  for (const auto& id : updates_gone_) out.add_updates_gone(id);
  for (auto& id : signal_requests_) out.add_signal_requests(std::move(id));
  for (auto& request : attached_) *out.add_attached_requests() = std::move(request);
  if (memo_) *out.mutable_memo() = std::move(*memo_);
  if (search_) *out.mutable_search_attributes() = std::move(*search_);
  if (reset_points_) *out.mutable_reset_points() = std::move(*reset_points_);
  if (namespace_state_) *out.mutable_namespace_state() = std::move(*namespace_state_);
  if (batch_) *out.mutable_batch() = std::move(*batch_);
  if (batch_progress_) *out.mutable_batch_progress() = std::move(*batch_progress_);
  if (plan_) *out.mutable_schedule_plan() = std::move(*plan_);
  if (schedule_progress_) *out.mutable_schedule_progress() = std::move(*schedule_progress_);
  if (outcome_) *out.mutable_schedule_outcome() = std::move(*outcome_);
  return out;
}

}  // namespace callimport::engine
