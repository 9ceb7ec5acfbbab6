#pragma once
// The machine of an import as one table: (stage, condition) x event -> (stage, condition), for each of its two lanes.
// The workflow runs it, tests cover it row by row, `callimport help stages` prints it. Nothing else decides where a
// lane stands.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace callimport::workflows {

/// How far.
enum class Stage : std::uint8_t { kAuthenticate, kEnumerate, kPrioritize, kFetch, kRegister, kNotify };
/// What it is doing. The last five are final.
enum class Condition : std::uint8_t {
  kRunning,
  kWaiting,
  kNeedsAttention,
  kPaused,
  kCompleted,
  kCompletedWithGaps,
  kFailed,
  kCancelled,
  kUndone
};
/// What happened.
enum class Event : std::uint8_t {
  kAccessProven,
  kCallsKnown,
  kOrderSet,
  kLaneEmpty,
  kAllFetched,
  kAllRegistered,
  kClosedWhole,
  kClosedWithGaps,
  kWaitBegan,
  kAttentionNeeded,
  kOutageLasted,
  kPausedByPerson,
  kWorkPassed,
  kAccessRenewed,
  kResumed,
  kGaveUp,
  kCancelAsked,
  kRetryAsked,
  kGapsApproved,
  kUndoAsked
};
inline constexpr int kStages = 6, kConditions = 9, kEvents = 20;

struct Place {
  Stage stage = Stage::kAuthenticate;
  Condition condition = Condition::kRunning;
  friend bool operator==(const Place&, const Place&) = default;
};

struct TableRow {
  std::optional<Stage> stage;  ///< nothing: any stage, and it stays
  Condition condition;
  Event event;
  Place to;                  ///< its stage counts only where `stage` is set
  std::string_view meaning;  ///< one sentence for people
};
std::span<const TableRow> table();
/// Where the event leads; nothing when the table has no such row.
std::optional<Place> advance(Place from, Event event);

std::string_view to_string(Stage stage);
std::string_view to_string(Condition condition);
std::string_view to_string(Event event);
std::optional<Stage> parse_stage(std::string_view text);
std::optional<Condition> parse_condition(std::string_view text);
/// What people read: "Fetching recordings".
std::string_view title_of(Stage stage);
bool is_final(Condition condition);

/// Which of two lanes the import shows: the more urgent condition (needs_attention, paused, waiting, running, then the
/// final ones from failed to completed); of equals the first lane.
bool first_is_shown(Place first, Place bulk);

/// The table as text, for `callimport help stages`.
std::string describe_table();

}  // namespace callimport::workflows
