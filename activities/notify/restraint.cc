#include "activities/notify/restraint.h"

#include <fmt/format.h>

#include "activities/notify/local_time.h"

namespace callimport::activities {
namespace {

/// What a person asked for at this moment, or what comes in the place of many messages.
bool always_goes(std::string_view event) {
  return event.starts_with("digest.") || event.starts_with("platform.") || event == "messages.held" ||
         event == "message.test";
}

}  // namespace

void keep_quiet(Wish& wish, const Person& person, std::int64_t now_ms) {
  if (wish.suppressed || (always_goes(wish.event) && !wish.event.starts_with("platform."))) return;
  const auto end_ms = quiet_until(person.quiet, person.zone, wish.weight == Weight::kRoutine ? wish.due_ms : now_ms);
  if (!end_ms) return;
  const std::string until = spoken_time(*end_ms, now_ms, person.zone);
  if (wish.weight == Weight::kAct) {
    if (wish.part == Part::kOwner || wish.part == Part::kOnCall) {
      wish.why += ", also in quiet hours";
      return;
    }
    wish.due_ms = *end_ms;
    wish.why += fmt::format("; quiet hours until {}", until);
    return;
  }
  if (person.digest) {
    wish.suppressed = true;
    wish.why = fmt::format("quiet hours until {}: the digest tells of it", until);
    return;
  }
  wish.due_ms = std::max(wish.due_ms, *end_ms);
  wish.why += fmt::format("; quiet hours until {}", until);
}

void keep_steps(Wish& wish, std::int64_t routine_before) {
  if (wish.weight != Weight::kRoutine || !wish.merges || routine_before < kRoutineMax) return;
  wish.due_ms += kRoutineWaitMs - kMergeMs;
  wish.why += "; steps wait for what matters";
}

std::string guarded(const std::string& event, Weight weight, std::int64_t sent) {
  if (always_goes(event)) return {};
  const std::int64_t most = weight == Weight::kAct ? kHourlyActMax : kHourlyMax;
  if (sent < most) return {};
  return fmt::format("more than {} messages within the hour: the digest tells of it", most);
}

}  // namespace callimport::activities
