#pragma once
// A finish that moves beyond what was foretold: told when it is late by a quarter and by an hour, and again only when
// another quarter is lost. What counts is the last time people were given; once the finish is within the one they had
// before they heard of a delay, that is told, too.
#include <optional>

#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kDelay = "delay";  ///< kind; the key is the import
inline constexpr std::int64_t kDelayLeastMs = 3'600'000;

/// The import begins, with or without a word about how long it takes.
Turn delay_began(const storage::Notification& record, const storage::ImportRow& import);
/// People were given another time than before, in words of its own.
Turn delay_promised(const storage::AgendaRow& known, std::int64_t finish_ms);
/// The last time people were given; 0: none.
std::int64_t promised_of(const storage::AgendaRow& known);
/// A wait ends so late that the finish moves, too: told without waiting for that.  @param until_ms  of the wait
Turn delay_foreseen(const storage::AgendaRow& known, const storage::Notification& record, std::int64_t until_ms);

/// The end as it is reckoned now. Late is what is late at its best; on time again, what is on time at its worst.
struct Reckoned {
  std::int64_t from_ms = 0, to_ms = 0;
  std::string because;
};
Turn delay_reckoned(const storage::AgendaRow& known, const Reckoned& end, std::int64_t now_ms);
/// The time has come, and the import is not done.
Turn delay_due(const storage::AgendaRow& known, const storage::ImportRow& import, std::int64_t now_ms);

}  // namespace callimport::activities
