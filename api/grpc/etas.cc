#include "api/grpc/etas.h"

#include "activities/estimate/figures.h"
#include "activities/estimate/standing.h"
#include "activities/platforms/platform.h"

namespace callimport::api {

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
  const auto standing = activities::standing_of(library, budget, now_ms, row);
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
  if (const auto pause = activities::next_pause(standing, left); pause && activities::fetches(row.bulk)) {
    eta->set_pause_ms(pause->at_ms);
    if (pause->goes_on_ms > 0) eta->set_goes_on_ms(pause->goes_on_ms);
    eta->set_pause_cause(pause->cause);
  }
  eta->set_accuracy(accuracy(library, row.platform, now_ms));
}

}  // namespace callimport::api
