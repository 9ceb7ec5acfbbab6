#pragma once
// When a message that did not arrive is sent again: over about three days, each step a little late by chance, so that
// what failed together does not come back together.
#include <array>
#include <cstdint>
#include <optional>

#include "storage/model/time.h"

namespace callimport::activities {

/// Before the first attempt, the second ...: Standard Webhooks' own.
inline constexpr std::array<std::chrono::seconds, 10> kLadder = {0s, 5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
inline constexpr int kLadderAttempts = static_cast<int>(kLadder.size());
inline constexpr int kJitterPercent = 10;

/// After `failed` attempts the next one is so much later; nothing: that was the last.
/// @param chance  any number: where within the jitter.
/// @param asked   how long the receiver asked us to stay away; heeded up to the longest step.
std::optional<std::chrono::milliseconds> retry_after(int failed, std::uint64_t chance, std::chrono::seconds asked);

}  // namespace callimport::activities
