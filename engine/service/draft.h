#pragma once
// One decision under way: reads a run, collects the change, leaves the run as it is. What the decision already did is
// seen by its later steps. Events get ids here, and batches their boundaries (conformance C.2). A speculative workflow
// task (C.8) becomes a written one with the first event that joins it, whoever writes that.
#include <google/protobuf/arena.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/service/run_state.h"
#include "storage/model/time.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {

namespace enums = ::temporal::api::enums::v1;

/// Threads: the loop. Lifetime: shorter than the run's.
class Draft {
 public:
  Draft(const Run& run, Timestamp now);

  const Run& run() const { return run_; }
  std::int64_t now() const { return now_; }  ///< unix ns
  std::int64_t next_event_id() const { return next_event_id_; }
  std::int64_t history_bytes() const;  ///< with the events so far
  std::int64_t state_bytes() const;    ///< Run::state_bytes after this draft

  /// An event with the next id, now. The reference holds until the next event.
  HistoryEvent& append(enums::EventType type);
  /// The same, or buffered without an id while a workflow task is started (C.2).
  HistoryEvent& record(enums::EventType type);
  /// The next appended event begins a batch.
  void cut_batch() { cut_ = true; }
  bool buffering() const { return task().state() == pb::WorkflowTask::STARTED; }

  /// Writes what is buffered: completions behind the others, started ids filled in. @return whether there was any.
  bool flush_buffer();
  /// Whether events wait since before this draft.
  bool has_buffered_before() const;
  std::size_t buffered_count() const;
  std::size_t buffered_bytes() const;
  /// Removes a buffered TimerFired. @return its started event id, when there was one.
  std::optional<std::int64_t> drop_buffered_timer(const std::string& timer_id);
  /// Everything still buffered is lost: a closing event was written.
  void discard_buffer();

  const pb::RunFacts& facts() const { return facts_ ? *facts_ : run_.facts; }
  void set_facts(pb::RunFacts facts) { facts_ = std::move(facts); }
  const pb::RunProgress& progress() const { return progress_ ? *progress_ : run_.progress; }
  pb::RunProgress& edit_progress();
  const pb::WorkflowTask& task() const { return task_ ? *task_ : run_.task; }
  pb::WorkflowTask& edit_task();
  /// A speculative task gets its events now; any other stays as it is.
  void write_speculative_task();

  const pb::ActivityState* activity(std::int64_t scheduled_event_id) const;
  std::optional<std::int64_t> activity_by_id(const std::string& activity_id) const;
  std::size_t activity_count() const;
  pb::ActivityState& edit_activity(std::int64_t scheduled_event_id);
  /// A new one; its ActivityTaskScheduled event is the last one appended.
  pb::ActivityState& add_activity(const std::string& activity_id);
  void remove_activity(std::int64_t scheduled_event_id);

  const pb::TimerState* timer(const std::string& timer_id) const;
  void add_timer(pb::TimerState timer);
  void remove_timer(const std::string& timer_id);

  const pb::UpdateState* update(const std::string& update_id) const;  ///< that history knows of
  pb::UpdateState& edit_update(const std::string& update_id);         ///< or a new one
  void remove_update(const std::string& update_id);
  const pb::ChildState* child(std::int64_t initiated_event_id) const;
  std::size_t child_count() const;
  void set_child(pb::ChildState child);
  void remove_child(std::int64_t initiated_event_id);

  void add_signal_request(const std::string& request_id) { signal_requests_.push_back(request_id); }
  void attach_request(pb::AttachedRequest request) { attached_.push_back(std::move(request)); }
  const temporal::api::common::v1::Memo& memo() const { return memo_ ? *memo_ : run_.memo; }
  temporal::api::common::v1::Memo& edit_memo();
  const temporal::api::common::v1::SearchAttributes& search_attributes() const {
    return search_ ? *search_ : run_.search_attributes;
  }
  temporal::api::common::v1::SearchAttributes& edit_search_attributes();
  temporal::api::workflow::v1::ResetPoints& edit_reset_points();
  void set_batch(pb::BatchState batch) { batch_ = std::move(batch); }
  void set_batch_progress(pb::BatchProgress progress) { batch_progress_ = std::move(progress); }
  void set_namespace_state(pb::NamespaceState state) { namespace_state_ = std::move(state); }
  /// Of a record of kind SCHEDULE.
  const pb::SchedulePlan& schedule_plan() const { return plan_ ? *plan_ : run_.schedule->plan; }
  void set_schedule_plan(pb::SchedulePlan plan) { plan_ = std::move(plan); }
  const pb::ScheduleProgress& schedule_progress() const {
    return schedule_progress_ ? *schedule_progress_ : run_.schedule->progress;
  }
  pb::ScheduleProgress& edit_schedule_progress();
  const pb::ScheduleOutcome& schedule_outcome() const { return outcome_ ? *outcome_ : run_.schedule->outcome; }
  pb::ScheduleOutcome& edit_schedule_outcome();
  /// Event 1 is wanted again when the run is retried, or when its cron schedule comes round.
  void keep_started_event() { keep_started_event_ = true; }

  /// Events written by this draft so far, in order.
  std::size_t events_written() const { return events_.size(); }
  bool changed() const;
  /// The change is one of a speculative task alone: it is applied and never journaled.
  bool in_memory_only() const;
  /// @param task_id  the process-wide counter; grows by the events written.
  pb::Transition finish(std::int64_t* task_id) &&;

 private:
  struct Written {
    HistoryEvent* event;  ///< in arena_
    bool starts_batch;
  };
  struct AddedActivity {
    pb::ActivityState state;
    std::size_t event = SIZE_MAX;  ///< index in events_ of its scheduled event, when new
  };
  HistoryEvent& write(HistoryEvent* event);
  HistoryEvent& write_new(enums::EventType type, std::int64_t time_ns);
  bool changed_beyond_task() const;
  /// An event leaves the buffer: what refers to it learns its id.
  void note_started(const HistoryEvent& written, std::map<std::int64_t, std::int64_t>* started);

  const Run& run_;
  std::int64_t now_;
  std::int64_t next_event_id_;
  bool cut_ = true;
  std::unique_ptr<google::protobuf::Arena> arena_;  ///< events live as long as the decision: built, serialized, gone
  std::vector<Written> events_;
  bool flushed_ = false;
  std::vector<std::string> dropped_timers_;
  std::vector<HistoryEvent> buffered_;
  std::optional<pb::RunFacts> facts_;
  std::optional<pb::RunProgress> progress_;
  std::optional<pb::WorkflowTask> task_;
  std::map<std::int64_t, AddedActivity> activities_;
  std::map<std::string, std::int64_t> new_activity_ids_;
  std::set<std::int64_t> activities_gone_;
  std::size_t activities_added_ = 0;
  std::map<std::string, pb::TimerState> timers_;
  std::set<std::string> timers_gone_;
  std::map<std::string, pb::UpdateState> updates_;
  std::set<std::string> updates_gone_;
  std::map<std::int64_t, pb::ChildState> children_;
  std::set<std::int64_t> children_gone_;
  std::size_t children_added_ = 0;
  std::vector<std::string> signal_requests_;
  std::vector<pb::AttachedRequest> attached_;
  std::optional<temporal::api::common::v1::Memo> memo_;
  std::optional<temporal::api::common::v1::SearchAttributes> search_;
  std::optional<temporal::api::workflow::v1::ResetPoints> reset_points_;
  bool keep_started_event_ = false;
  std::optional<pb::NamespaceState> namespace_state_;
  std::optional<pb::BatchState> batch_;
  std::optional<pb::BatchProgress> batch_progress_;
  std::optional<pb::SchedulePlan> plan_;
  std::optional<pb::ScheduleProgress> schedule_progress_;
  std::optional<pb::ScheduleOutcome> outcome_;
};

}  // namespace callimport::engine
