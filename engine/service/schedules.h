#pragma once
// What a schedule decides (conformance C.15): which of its times are due, and what becomes of actions that are due
// while a run of it is open. Pure steps on the record's state; nothing is started here.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/service/schedule_times.h"
#include "engine/service/transition.pb.h"
#include "engine/service/visibility.h"
#include "temporal/api/enums/v1/schedule.pb.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;
namespace enums = ::temporal::api::enums::v1;
using SchedulePatch = ::temporal::api::schedule::v1::SchedulePatch;

inline constexpr int kBufferedActionsMax = 1000;
inline constexpr int kBackfillBufferMax = 500;   ///< backfills wait while more are buffered
inline constexpr int kBackfillsPerStep = 100;    ///< times of backfills taken up in one decision
inline constexpr int kDueTimesPerStep = 10'000;  ///< times looked at in one decision; the rest follows at once
inline constexpr int kRecentActions = 10, kFutureActions = 10, kListedActions = 5;
inline constexpr int kMatchingTimesMax = 1000;
inline constexpr std::size_t kScheduleNotesBytesMax = 1000;
inline constexpr int kRememberedRequests = 32;           ///< ids of patches and updates that are not obeyed twice
inline constexpr std::int64_t kStepPauseNs = 1'000'000;  ///< between decisions that could not do it all
inline constexpr std::int64_t kIdleRetentionNs = 7 * 86'400'000'000'000;  ///< a schedule that has nothing to do ends

/// Of a record of kind SCHEDULE.
inline std::string schedule_id_of(const pb::RunFacts& facts) {
  return facts.workflow_id().substr(std::string_view(kScheduleWorkflowId).size());
}

/// Defaults filled in and raised to what is allowed.
void fill_policies(temporal::api::schedule::v1::SchedulePolicies* policies);

/// Times of the schedule up to `now` become buffered actions, but for those behind the catch-up window; none while it
/// is paused or has no actions left. Then times of its backfills.
void take_due(const pb::SchedulePlan& plan, const ScheduleTimes& times, std::int64_t now,
              pb::ScheduleProgress* progress);

/// When the record has to look again; 0: when asked. @param ends  it has nothing to do, and at that time it ends.
std::int64_t wake_time(const ScheduleTimes& times, std::int64_t now, const pb::ScheduleProgress& progress, bool* ends);

/// What the overlap policies make of the buffer.
struct BufferDecision {
  std::vector<pb::BufferedAction> starts;        ///< beside whatever runs
  std::optional<pb::BufferedAction> lone_start;  ///< nothing runs: this one is it
  bool cancel_running = false, terminate_running = false;
};
/// What is not to be started yet stays in the buffer.
BufferDecision decide_buffer(const pb::SchedulePlan& plan, pb::ScheduleProgress* progress);

/// Whether the action may be taken; counts a limited one down.
bool may_take(const pb::BufferedAction& action, pb::ScheduleProgress* progress);

/// What a client sets anew: what was due before is taken, and times of the new plan count from now on.
void set_schedule_state(const temporal::api::schedule::v1::ScheduleState& state, std::int64_t now,
                        pb::ScheduleProgress* progress);

/// What a client asks of it. Times up to `now` were taken before.
void patch_schedule(const SchedulePatch& patch, std::int64_t now, pb::ScheduleProgress* progress);

/// The run started for an action. @param watched  its end is waited for.
void note_started(const pb::BufferedAction& action, const std::string& workflow_id, const std::string& run_id,
                  bool watched, std::int64_t now, pb::ScheduleProgress* progress);
/// A watched run's last event. @return whether it was watched.
bool note_ended(const pb::SchedulePlan& plan, const std::string& first_run_id,
                const temporal::api::history::v1::HistoryEvent& event, pb::ScheduleProgress* progress,
                pb::ScheduleOutcome* outcome);

/// Its next times, at most `count`, or as many as it has actions left.
std::vector<std::int64_t> future_times(const ScheduleTimes& times, std::int64_t now,
                                       const pb::ScheduleProgress& progress, int count);

/// Whether a patch or an update of this id was obeyed before; it is from now on. An empty id is always new.
bool is_repeated(const std::string& request_id, pb::ScheduleProgress* progress);

/// Eight bytes, big-endian.
std::string conflict_token(const pb::ScheduleProgress& progress);

}  // namespace callimport::engine
