#include "activities/estimate/standing.h"

#include <algorithm>

#include "activities/import/contract.h"
#include "activities/platforms/platform.h"
#include "storage/library/course.h"

namespace callimport::activities {
namespace {

/// Time spent fetching and registering so far, without waits.
std::int64_t active_ms(storage::Library& library, const std::string& import, std::int64_t now_ms) {
  const auto course = storage::course_of(library, import, now_ms);
  if (!course) return 0;
  std::int64_t active = 0;
  for (const char* stage : {"fetch", "register"}) {
    const auto found = course->stages.find(stage);
    if (found != course->stages.end()) active += found->second.duration_ms - found->second.waited_ms;
  }
  return active;
}

/// The lane that holds an import which fetches nothing: the graver condition, of equals the first lane's.
const storage::LaneRow& holding(const storage::ImportRow& row) {
  for (const char* condition : {"needs_attention", "paused", "waiting", "running"}) {
    if (row.first.condition == condition) return row.first;
    if (row.bulk.condition == condition) return row.bulk;
  }
  return row.bulk;
}

void tell_what_holds_it(const storage::LaneRow& lane, Standing& standing) {
  standing.counting = lane.condition == "running" && lane.stage != "notify";
  const bool held = lane.condition == "needs_attention" || lane.condition == "paused" || lane.condition == "waiting";
  if (!held) return;  // it works, or is about to end
  standing.waits_for = lane.reason.empty() ? lane.condition : lane.reason;
  standing.until_ms = lane.until_ms.value_or(0);
  standing.person = lane.condition == "needs_attention" || (lane.condition == "paused" && !lane.until_ms);
}

}  // namespace

bool fetches(const storage::LaneRow& lane) {
  return lane.condition == "running" && (lane.stage == "fetch" || lane.stage == "register");
}

Standing standing_of(storage::Library& library, const Budget& budget, std::int64_t now_ms,
                     const storage::ImportRow& row) {
  Standing standing;
  standing.now_ms = now_ms;
  standing.pending = row.counters.pending;
  standing.done = row.counters.found - row.counters.pending;
  standing.budget = budget;
  standing.active_ms = active_ms(library, row.id, now_ms);
  if (!fetches(row.first) && !fetches(row.bulk)) tell_what_holds_it(holding(row), standing);
  const auto input = read_note<ImportInput>(row.input);
  if (input && !input->window.empty())
    standing.window = storage::TimeWindow::parse(input->window, input->zone).value_or(storage::TimeWindow());
  if (input) {
    standing.bulk_done = std::max<std::int64_t>(standing.done - input->settings.first_lane, 0);
    if (budget.calls > 0) standing.bulk_done %= budget.calls;
    if (!input->media) standing.requests_per_call = 2;
  }
  if (const auto* platform = find_platform(row.platform)) {
    standing.platform = std::string(platform->title);
    standing.per_minute = requests_per_minute(*platform);
  }
  return standing;
}

}  // namespace callimport::activities
