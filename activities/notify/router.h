#pragma once
// From records to messages, in one transaction: a record is routed once, and what it became is kept with the rule.
#include <cstdint>
#include <string>
#include <vector>

#include "activities/notify/wishes.h"
#include "storage/library/library.h"
#include "storage/library/telling.h"

namespace callimport::activities {

inline constexpr int kRoutedAtOnce = 100;  ///< records a transaction takes

/// A record, and the channels as they are to it.
struct Routing {
  storage::Notification record;
  std::vector<ChannelView> channels;
};

/// Makes messages of these records, in their order, and marks them routed.
Result<> route(storage::LibraryTx& tx, const Roster& roster, const std::vector<Routing>& portion, std::int64_t now_ms);

/// After `message` could not be sent: the same news by the recipient's next channel, if there is one. Answers its
/// channel, or nothing.
Result<std::string> stand_in(storage::LibraryTx& tx, const Roster& roster, const storage::MessageRow& message,
                             const std::vector<std::string>& channels, const std::string& why, std::int64_t now_ms);

}  // namespace callimport::activities
