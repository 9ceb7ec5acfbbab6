#include "api/grpc/etas.h"

#include <algorithm>

#include "activities/import/contract.h"
#include "activities/platforms/platform.h"
#include "storage/library/course.h"

namespace callimport::api {
namespace {

bool works(const storage::LaneRow& lane) {
  return lane.condition == "running" && (lane.stage == "fetch" || lane.stage == "register");
}

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

activities::Standing standing_of(storage::Library& library, const activities::Budget& budget, std::int64_t now_ms,
                                 const storage::ImportRow& row) {
  activities::Standing standing;
  standing.now_ms = now_ms;
  standing.pending = row.counters.pending;
  standing.done = row.counters.found - row.counters.pending;
  standing.budget = budget;
  standing.active_ms = active_ms(library, row.id, now_ms);
  if (!works(row.first) && !works(row.bulk)) {
    const auto& lane = row.bulk.condition == "running" ? row.first : row.bulk;
    standing.waits_for = !lane.reason.empty() ? lane.reason : lane.condition == "running" ? lane.stage : lane.condition;
    standing.until_ms = lane.until_ms.value_or(0);
  }
  const auto input = activities::read_note<activities::ImportInput>(row.input);
  if (input && !input->window.empty())
    standing.window = storage::TimeWindow::parse(input->window, input->zone).value_or(storage::TimeWindow());
  if (input) {
    standing.bulk_done = std::max<std::int64_t>(standing.done - input->settings.first_lane, 0);
    if (budget.calls > 0) standing.bulk_done %= budget.calls;
    if (!input->media) standing.requests_per_call = 2;
  }
  if (const auto* platform = activities::find_platform(row.platform)) {
    standing.platform = std::string(platform->title);
    standing.per_minute = activities::requests_per_minute(*platform);
  }
  return standing;
}

}  // namespace

void Etas::tell(storage::Library& library, const activities::Budget& budget, std::int64_t now_ms,
                const storage::ImportRow& row, ::callimport::v1::Import& into) {
  if (row.closed_ms) {
    MutexLock lock(mutex_);
    paces_.erase(row.id);
    return;
  }
  const auto standing = standing_of(library, budget, now_ms, row);
  activities::TimeLeft left;
  {
    MutexLock lock(mutex_);
    if (paces_.size() >= kImportsMax && !paces_.contains(row.id)) paces_.erase(paces_.begin());
    left = paces_[row.id].look(standing);
  }
  auto* eta = into.mutable_eta();
  if (left.from_ms) eta->set_from_ms(*left.from_ms);
  if (left.to_ms) eta->set_to_ms(*left.to_ms);
  eta->set_cause(left.cause);
  eta->set_calls_per_minute(left.calls_per_minute);
}

}  // namespace callimport::api
