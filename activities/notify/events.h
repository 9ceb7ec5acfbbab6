#pragma once
// Everything people are told of, one row a message of the catalogue. A record's `event` is one of these ids.
#include <cstdint>
#include <span>
#include <string_view>

namespace callimport::activities {

/// How much it matters (a record's `weight`): routine is merged; important goes soon; act wants somebody to do
/// something, so it is never merged, never delayed.
enum class Weight : std::uint8_t { kRoutine, kImportant, kAct };
std::string_view to_string(Weight weight);
Weight weight_of(std::string_view text);  ///< what is none of them is routine

/// Who it concerns: bits of EventRow::audience.
inline constexpr unsigned kToOwner = 1, kToWatchers = 2, kToApprover = 4, kToOnCall = 8, kToOps = 16, kToCustomer = 32,
                          kToAdmin = 64, kToNamed = 128;  ///< kToNamed: whom the record's facts name under "to"

/// What it does on a channel with roots: bits of EventRow::forms. None: it shows in no channel.
inline constexpr unsigned kEdits = 1, kReplies = 2, kBroadcasts = 4;

struct EventRow {
  std::string_view id;
  Weight weight;
  std::string_view thread;  ///< empty: the import's; else the thread of such messages, beside the import's
  unsigned forms;
  unsigned audience;
  std::string_view words;  ///< what happened, for people who choose and preview messages
};

std::span<const EventRow> events();
const EventRow* find_event(std::string_view id);  ///< null: there is none

}  // namespace callimport::activities
