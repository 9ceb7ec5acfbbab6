#include "activities/webhooks/ladder.h"

#include <algorithm>

namespace callimport::activities {

std::optional<std::chrono::milliseconds> retry_after(int failed, std::uint64_t chance, std::chrono::seconds asked) {
  if (failed < 0 || failed >= kLadderAttempts) return std::nullopt;
  const auto step = std::max(kLadder.at(static_cast<std::size_t>(failed)), std::min(asked, kLadder.back()));
  const std::chrono::milliseconds whole = step;
  const auto room = static_cast<std::uint64_t>(whole.count()) * kJitterPercent / 100;
  return whole + std::chrono::milliseconds{static_cast<std::int64_t>(chance % (room + 1))};
}

}  // namespace callimport::activities
