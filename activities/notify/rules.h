#pragma once
// All rules together: what a record changes in what is remembered, and what is due by itself. Reads what it needs in
// the transaction it is given, decides by the pure functions, writes what they say.
#include <cstdint>
#include <string>

#include "activities/notify/people.h"
#include "activities/notify/turn.h"
#include "storage/library/library.h"
#include "storage/library/telling.h"

namespace callimport::activities {

inline constexpr int kAgendaAtOnce = 50;  ///< rows of the agenda a transaction takes

/// The record has been made: what the rules remember changes. Answers why people are not told of it, or nothing.
Result<std::string> remember(storage::LibraryTx& tx, const Roster& roster, const storage::Notification& record,
                             const storage::ImportRow& import);
/// What is due now; answers how many rows were.
/// @param imports  open ones, and those closed lately, for digests
Result<int> take_turns(storage::LibraryTx& tx, const Roster& roster, const std::vector<storage::ImportRow>& imports,
                       std::int64_t now_ms);
/// Everybody's next digest is on the agenda.
Result<> plan_digests(storage::LibraryTx& tx, const Roster& roster, std::int64_t now_ms);

}  // namespace callimport::activities
