#pragma once
// What the service knows of one open run. `apply` is the one function that changes it: live and at recovery.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/service/history_batches.h"
#include "engine/service/transition.pb.h"
#include "storage/journal/journal.h"
#include "storage/model/time.h"

namespace callimport::engine {

struct Run;

/// A pending activity and its ActivityTaskScheduled event, serialized (input, header: opaque until it is handed out).
struct Activity {
  pb::ActivityState state;
  std::string scheduled_event;
  std::uint64_t queued = 0;  ///< the ticket that is in a task queue; in memory only
};
/// What stands in a task queue for an activity holds as long as this stays: its attempt, and changes from outside.
std::uint64_t ticket_of(const pb::ActivityState& activity);
/// An attempt of it may be handed out, when its time has come.
bool may_begin(const Run& run, const pb::ActivityState& activity);

/// What a record of kind SCHEDULE is.
struct ScheduleParts {
  pb::SchedulePlan plan;
  pb::ScheduleProgress progress;
  pb::ScheduleOutcome outcome;
};

/// Threads: the loop. Everything here follows from the run's Transitions in order.
struct Run {
  storage::RunKey key = 0;
  storage::Seq first_row = 0, last_row = 0;
  pb::RunFacts facts;
  pb::RunProgress progress;
  pb::WorkflowTask task;
  std::map<std::int64_t, Activity> activities;                 ///< by scheduled event id
  std::unordered_map<std::string, std::int64_t> activity_ids;  ///< activity id -> scheduled event id
  std::map<std::string, pb::TimerState> timers;                ///< by timer id
  std::map<std::int64_t, pb::ChildState> children;             ///< by initiated event id; what a closed run left behind
  std::vector<HistoryEvent> buffered;                          ///< arrived while a task is started; no ids yet
  std::unordered_set<std::string> signal_requests;             ///< request ids seen by signals
  std::vector<pb::AttachedRequest> attached_requests;
  std::map<std::string, pb::UpdateState> updates;  ///< by update id: those that history knows of
  temporal::api::common::v1::Memo memo;
  temporal::api::common::v1::SearchAttributes search_attributes;
  temporal::api::workflow::v1::ResetPoints reset_points;
  std::string started_event;                            ///< serialized event 1, where a retry may need it
  std::unique_ptr<pb::NamespaceState> namespace_state;  ///< of a record of that kind
  std::unique_ptr<pb::BatchState> batch;                ///< of a record of that kind
  pb::BatchProgress batch_progress;
  std::unique_ptr<ScheduleParts> schedule;  ///< of a record of that kind
  std::int64_t last_task_id = 0;
  std::int64_t transitions = 0;
  std::int64_t state_bytes = 0;  ///< about what activities, timers, children, updates, requests and memo take written
  HistoryBatches history;

  bool open() const;
  bool paused() const { return progress.paused_ns() != 0; }  ///< no task of it is handed out
};

/// As clients see it: a run that is paused is a state of its own.
int shown_status(const pb::RunProgress& progress);

void apply(Run& run, pb::Transition&& change);

/// Goes up when a field changes its meaning, or when one that is missing must not be read as empty. Snapshots of
/// another version are left aside at recovery: the rows say it again.
inline constexpr int kSnapshotVersion = 1;
pb::RunSnapshot to_snapshot(const Run& run);
void from_snapshot(pb::RunSnapshot&& snapshot, Run* run);
pb::RunSummary to_summary(const Run& run);

}  // namespace callimport::engine
