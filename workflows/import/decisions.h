#pragma once
// What the import's workflow remembers, and its decisions as functions of (state, what came): no clock, no activity, no
// coroutine in here. The state crosses from one run to the next as JSON, so it holds no list that grows.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "activities/import/contract.h"
#include "storage/model/result.h"
#include "workflows/import/table.h"

namespace callimport::workflows {

enum class LaneName : std::uint8_t { kFirst, kBulk };
std::string_view to_string(LaneName lane);

/// Why a lane stands where it stands.
struct Circumstance {
  std::string reason;  ///< dotted cause
  std::string who, why;
  std::int64_t until_ms = 0;
  friend bool operator==(const Circumstance&, const Circumstance&) = default;
};

struct LaneState {
  Place place;
  Circumstance now;
  std::int64_t trouble_since_ms = 0;  ///< of the wait that is on; 0: none
  std::string trouble_step;           ///< the step that met it, and whose passing ends it
  bool by_person = false;             ///< paused by a person, not by itself
  bool fetched = false;               ///< nothing of the lane is pending
  std::int64_t failed = 0;            ///< calls of the lane that did not come across
  bool again = false;                 ///< failed calls became pending since its last fetch
  bool ready_told = false;            ///< people know that its calls are ready
};

struct PersonsPause {
  bool on = false;
  std::string who, why;
  std::int64_t until_ms = 0;
};

/// Of the gaps, by a person.
struct Approval {
  bool given = false;
  std::string who, why;
};

struct ImportState {
  LaneState first, bulk;
  PersonsPause pause;
  Approval approval;
  bool gaps_mended = false;  ///< failed calls were tried again
  activities::CounterNote counters;
  bool opened = false, enumerated = false, newest_first = false, bulk_ordered = false;
  std::int64_t known = 0, lane_bulk = 0;
  int runs = 1;
  std::string previous_run;  ///< whose receipts may go

  LaneState& lane(LaneName name) { return name == LaneName::kFirst ? first : bulk; }
  const LaneState& lane(LaneName name) const { return name == LaneName::kFirst ? first : bulk; }
};
nlohmann::json write_state(const ImportState& state);
/// Null is a new import. @error kInvalid
Result<ImportState> read_state(const nlohmann::json& json);

/// Moves the lane by the table and says what to store and tell. Nothing when the table refuses the event.
std::optional<activities::LaneChange> apply(ImportState& state, LaneName lane, Event event,
                                            const Circumstance& circumstance, std::int64_t now_ms);

/// What a wait asked for by a step becomes: a wait, or, once an outage has lasted, a pause that goes on asking. A disk
/// that stays full is looked at as seldom, since each look writes a little.
struct WaitDecision {
  Event event = Event::kWaitBegan;
  Circumstance circumstance;
};
WaitDecision decide_wait(const LaneState& lane, const activities::TroubleNote& trouble,
                         const activities::ImportSettings& settings, std::int64_t now_ms);

/// True when the lane stands still for a reason that ends when `step` passes.
bool recovers(const LaneState& lane, std::string_view step);

/// completed, completed_with_gaps, failed or cancelled: the gravest of both lanes, which are closed; without gaps once
/// all of them were tried again and came.
Condition result_of(const ImportState& state);

/// The lane that is shown.
LaneName shown(const ImportState& state);
/// Answer to the status query.
nlohmann::json describe(const activities::ImportInput& ask, const ImportState& state);

}  // namespace callimport::workflows
