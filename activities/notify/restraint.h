#pragma once
// What keeps a message from a person for now: quiet hours (N-05), the hourly guard (N-07), and steps of an import that
// wait for what matters (N-02). Pure.
#include <cstdint>
#include <string>

#include "activities/notify/people.h"
#include "activities/notify/wishes.h"

namespace callimport::activities {

inline constexpr std::int64_t kHourlyMax = 20;     ///< messages to one person; further ones are left to the digest
inline constexpr std::int64_t kHourlyActMax = 40;  ///< of those that want somebody to act, before they are, too
inline constexpr std::int64_t kHourMs = 3'600'000;
/// Messages of routine steps alone, for one person and import; further steps wait for what matters, but not longer.
inline constexpr std::int64_t kRoutineMax = 1, kRoutineWaitMs = 24 * kHourMs;

/// Within quiet hours: what the digest will tell is suppressed, what only waits is due later. Who must act at once is
/// the owner of an import or on call.
void keep_quiet(Wish& wish, const Person& person, std::int64_t now_ms);
/// A step of an import, after `routine_before` messages of such alone.
void keep_steps(Wish& wish, std::int64_t routine_before);
/// Why a message that is about to go is left to the digest; empty: it goes.  @param sent  to the person, within the
/// hour
std::string guarded(const std::string& event, Weight weight, std::int64_t sent);

}  // namespace callimport::activities
