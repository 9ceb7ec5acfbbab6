#pragma once
// What the library knows of one message before and after an attempt. Both in one transaction each.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activities/notify/channel.h"
#include "activities/notify/people.h"
#include "storage/library/library.h"
#include "storage/library/telling.h"

namespace callimport::activities {

/// How the form of a record begins that a person has sent again by hand: it goes whatever is muted.
inline constexpr std::string_view kSentAgain = "again ";

/// A message with all a channel needs.
struct Parcel {
  storage::MessageRow row;
  Message message;
};

/// The attempt is written down before it is made: from then on nothing joins the message. Nothing: it does not go, by
/// the hourly guard, or because it is not queued any more, or not due yet.
Result<std::optional<Parcel>> prepare(storage::LibraryTx& tx, const Roster& roster, const std::string& message,
                                      std::int64_t now_ms);

struct Attempted {
  storage::MessageRow row;
  tl::expected<Sent, Refused> answer;
  Manner manner;
  std::int64_t again_ms = 0;          ///< the next attempt, if there is one
  std::vector<std::string> channels;  ///< that are configured
  std::int64_t answered_ms = 0;
};
Result<> conclude(storage::LibraryTx& tx, const Roster& roster, const Attempted& attempted, std::int64_t now_ms);
/// Counts what was concluded, for each record of the message (told_counts.h); edits of a root tell nobody anew.
void count_attempt(const Attempted& attempted, const std::vector<storage::Notification>& news);

}  // namespace callimport::activities
