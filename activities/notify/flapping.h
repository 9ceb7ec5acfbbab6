#pragma once
// The same wait entered again and again is one message, not one each (N-03).
#include <optional>

#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kFlap = "flap";  ///< kind; the key is import and cause
inline constexpr std::int64_t kFlapMs = 30 * 60 * 1'000;

/// Of which state a record is the beginning: its import and cause; empty: of none that flaps.
std::string flap_key(const storage::Notification& record);
/// The state begins.
Turn flap_entered(const std::optional<storage::AgendaRow>& known, const storage::Notification& record);
/// It ends: an end that belongs to a series is not told either.
Turn flap_left(const storage::AgendaRow& known, const storage::Notification& record);
/// Half an hour after the second time: told once, and forgotten after half an hour of calm.
Turn flap_due(const storage::AgendaRow& known, std::int64_t now_ms);

}  // namespace callimport::activities
