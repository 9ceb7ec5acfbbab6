#pragma once
// A finish that moves beyond what was foretold: told when it is late by a quarter and by an hour, and again only when
// another quarter is lost.
#include <optional>

#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kDelay = "delay";  ///< kind; the key is the import
inline constexpr std::int64_t kDelayLeastMs = 3'600'000;

/// The import begins, with or without a word about how long it takes.
Turn delay_began(const storage::Notification& record, const storage::ImportRow& import);
/// A wait ends so late that the finish moves, too: told without waiting for that.  @param until_ms  of the wait
Turn delay_foreseen(const storage::AgendaRow& known, const storage::Notification& record, std::int64_t until_ms);
/// The time has come, and the import is not done.
Turn delay_due(const storage::AgendaRow& known, const storage::ImportRow& import, std::int64_t now_ms);

}  // namespace callimport::activities
