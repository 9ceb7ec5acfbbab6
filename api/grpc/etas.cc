#include "api/grpc/etas.h"

#include <algorithm>

#include "activities/estimate/figures.h"
#include "activities/import/contract.h"
#include "activities/platforms/platform.h"
#include "api/grpc/product_actions.h"
#include "storage/library/course.h"
#include "workflows/import/table.h"

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

/// Of an import that fetches nothing at the moment.
void tell_what_holds_it(const storage::LaneRow& lane, activities::Standing& standing) {
  standing.counting = lane.condition == "running" && lane.stage != "notify";
  const auto condition = workflows::parse_condition(lane.condition);
  if (lane.condition == "running" || (condition && workflows::is_final(*condition))) return;  // about to end
  standing.waits_for = lane.reason.empty() ? lane.condition : lane.reason;
  standing.until_ms = lane.until_ms.value_or(0);
  standing.person = lane.condition == "needs_attention" || (lane.condition == "paused" && !lane.until_ms);
}

activities::Standing standing_of(storage::Library& library, const activities::Budget& budget, std::int64_t now_ms,
                                 const storage::ImportRow& row) {
  activities::Standing standing;
  standing.now_ms = now_ms;
  standing.pending = row.counters.pending;
  standing.done = row.counters.found - row.counters.pending;
  standing.budget = budget;
  standing.active_ms = active_ms(library, row.id, now_ms);
  if (!works(row.first) && !works(row.bulk)) tell_what_holds_it(shown_lane(row), standing);
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

void Etas::take_up(storage::Library& library, const std::string& import) {
  {
    MutexLock lock(mutex_);
    if (paces_.contains(import)) return;
  }
  const auto told = library.told_time_left(import).value_or(std::nullopt);
  MutexLock lock(mutex_);
  if (paces_.size() >= kImportsMax && !paces_.contains(import)) paces_.erase(paces_.begin());
  if (!told) {
    paces_.try_emplace(import);
    return;
  }
  paces_.try_emplace(import, activities::TimeLeft{told->from_ms, told->to_ms, told->cause, 0});
}

std::string Etas::accuracy(storage::Library& library, const std::string& platform, std::int64_t now_ms) {
  {
    MutexLock lock(mutex_);
    const auto found = accuracies_.find(platform);
    if (found != accuracies_.end() && now_ms - found->second.at_ms < kAccuracyMs) return found->second.words;
  }
  const auto* known = activities::find_platform(platform);
  const auto measures = library.measures(platform, 0, activities::kPastImportsMax);
  if (known == nullptr || !measures) return {};
  auto words = activities::accuracy_words(activities::past_of(*measures), known->title);
  MutexLock lock(mutex_);
  accuracies_[platform] = {now_ms, words};
  return words;
}

void Etas::tell(storage::Library& library, const activities::Budget& budget, std::int64_t now_ms,
                const storage::ImportRow& row, ::callimport::v1::Import& into) {
  if (row.closed_ms) {
    MutexLock lock(mutex_);
    paces_.erase(row.id);
    return;
  }
  take_up(library, row.id);
  const auto standing = standing_of(library, budget, now_ms, row);
  activities::TimeLeft before, left;
  {
    MutexLock lock(mutex_);
    activities::Pace& pace = paces_[row.id];
    before = pace.said();
    left = pace.look(standing);
  }
  // Lost at a full disk: then a restart reckons anew, as it did before there was anything to keep.
  if (left.to_ms && (left.to_ms != before.to_ms || left.from_ms != before.from_ms))
    (void)library.tell_time_left(row.id, {now_ms, left.from_ms.value_or(0), *left.to_ms, left.cause});
  auto* eta = into.mutable_eta();
  if (left.from_ms) eta->set_from_ms(*left.from_ms);
  if (left.to_ms) eta->set_to_ms(*left.to_ms);
  eta->set_cause(left.cause);
  eta->set_calls_per_minute(left.calls_per_minute);
  if (const auto pause = activities::next_pause(standing, left); pause && works(row.bulk)) {
    eta->set_pause_ms(pause->at_ms);
    if (pause->goes_on_ms > 0) eta->set_goes_on_ms(pause->goes_on_ms);
    eta->set_pause_cause(pause->cause);
  }
  eta->set_accuracy(accuracy(library, row.platform, now_ms));
}

}  // namespace callimport::api
