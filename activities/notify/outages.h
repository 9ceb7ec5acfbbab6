#pragma once
// A platform that does not answer is one message for all its imports, and one when it answers again (N-04).
#include <optional>
#include <string>

#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kOutage = "outage";           ///< kind; the key is the platform
inline constexpr std::int64_t kGatherMs = 2 * 60 * 1'000;  ///< imports meet an outage one after another
inline constexpr std::size_t kOutageImportsMax = 1'000;    ///< listed; more are counted

/// An import says that its platform does not answer.  @param owner  of the import, a person's id; may be empty
Turn outage_met(const std::optional<storage::AgendaRow>& known, const storage::Notification& record,
                const storage::ImportRow& import, const std::string& owner);
/// Another record of an import on that list: it goes on, was paused, has ended.
Turn outage_left(const storage::AgendaRow& known, const storage::Notification& record);
/// The gathering is over.
Turn outage_due(const storage::AgendaRow& known, std::int64_t now_ms);

}  // namespace callimport::activities
