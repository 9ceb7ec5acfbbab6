#pragma once
// A channel that takes nothing for ten minutes is told of, by another one, and that it works again (NL-04, 5.4).
#include <optional>
#include <string>

#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kChannelTrouble = "channel";  ///< kind; the key is the channel
inline constexpr std::int64_t kChannelDownMs = 10 * 60 * 1'000;

Turn channel_refused(const std::optional<storage::AgendaRow>& known, const std::string& channel,
                     const std::string& reason, std::int64_t now_ms);
Turn channel_took(const storage::AgendaRow& known, std::int64_t now_ms);
Turn channel_due(const storage::AgendaRow& known, std::int64_t now_ms);

}  // namespace callimport::activities
