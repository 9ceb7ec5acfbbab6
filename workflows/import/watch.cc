// The watchdog: an import that says it runs, and does not, is told of by itself.
#include <algorithm>
#include <array>

#include "workflows/import/import_run.h"

namespace callimport::workflows {

using engine::Flow;

namespace {
constexpr const char* kNoProgress = "engine.no_progress";
/// How seldom, in limits, an import that stands still is looked at in the end.
constexpr std::int64_t kPatienceMax = 6;
}  // namespace

/// Lanes that claim to run and have work under way; where nothing at all is under way and nobody waits, all that run.
/// Work of a lane that waited for its window is under way again before it claims to run: not until a batch came.
std::vector<LaneName> ImportRun::lanes_that_should_move() const {
  std::vector<LaneName> working, running;
  bool stands = false;
  for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
    if (closed(lane)) continue;
    const LaneState& state = state_.lane(lane);
    const bool opened = state.place.condition == Condition::kWaiting && state.now.reason == "window.closed" &&
                        under_way_[static_cast<std::size_t>(lane)] > 0;
    if (state.place.condition != Condition::kRunning && !opened) {
      stands = true;
      continue;
    }
    running.push_back(lane);
    if (under_way_[static_cast<std::size_t>(lane)] > 0) working.push_back(lane);
  }
  const bool idle = under_way_[0] == 0 && under_way_[1] == 0;
  return idle && !stands ? running : working;
}

bool ImportRun::stuck() const {
  return std::ranges::any_of(std::array{LaneName::kFirst, LaneName::kBulk}, [this](LaneName lane) {
    const LaneState& state = state_.lane(lane);
    return state.place.condition == Condition::kNeedsAttention && state.now.reason == kNoProgress;
  });
}

/// Something came of the work: whoever stood still for no reason runs again.
void ImportRun::moved_on(std::int64_t at_ms) {
  forward_ms_ = std::max(forward_ms_, at_ms);
  for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
    const LaneState& state = state_.lane(lane);
    if (state.place.condition == Condition::kNeedsAttention && state.now.reason == kNoProgress)
      change(lane, Event::kWorkPassed, Circumstance{});
  }
}

/// When anything last moved within a step that still runs; nothing when nobody answers.
Flow<std::optional<std::int64_t>> ImportRun::ask_progress(SharedRun self) {
  activities::ProgressInput input;
  input.import = self->ask_.import;
  auto options = self->options_for(1min);
  options.schedule_to_close = 2min;
  auto asking = self->context_.activity(activities::kProgress, activities::write_note(input), options);
  const auto outcome = co_await asking;
  if (!outcome) co_return std::nullopt;
  const auto result = activities::read_note<activities::ProgressResult>(*outcome);
  if (!result) co_return std::nullopt;
  co_return result->moved_ms;
}

Flow<void> ImportRun::watch(SharedRun self) {
  if (!self->context_.patched("watchdog")) co_return;
  ImportRun* here = self.get();
  const std::int64_t limit = std::max<std::int64_t>(self->ask_.settings.no_progress_ms, 1'000);
  std::int64_t patience = 1;
  self->forward_ms_ = self->now_ms();
  while (true) {
    const auto watched = [here] {
      return !here->closing_ && here->state_.opened && (here->stuck() || !here->lanes_that_should_move().empty());
    };
    const auto calm = [watched] { return !watched(); };
    if (!watched()) {
      co_await self->context_.until(watched);
      self->forward_ms_ = self->now_ms();  // from here on it claims to run
      patience = 1;
    }
    std::int64_t left = self->forward_ms_ + limit - self->now_ms();
    if (self->stuck()) left = limit * patience;
    if (left > 0) {
      const Nanos pause = std::chrono::milliseconds{left};
      const bool is_calm = co_await self->context_.until(calm, pause);
      if (is_calm || (!self->stuck() && self->now_ms() - self->forward_ms_ < limit)) continue;
    }
    // Older than a look can be: the clock was set forward. What moves is seen from the new time on.
    if (!self->stuck() && self->now_ms() - self->forward_ms_ > 3 * limit) {
      self->forward_ms_ = self->now_ms();
      continue;
    }
    const std::int64_t before = self->forward_ms_;
    auto asking = ask_progress(self);
    const auto moved_ms = co_await asking;
    if (calm() || self->forward_ms_ != before) continue;
    if (moved_ms && *moved_ms > before) {
      self->moved_on(*moved_ms);
      patience = 1;
      continue;
    }
    if (self->stuck()) patience = std::min(patience * 2, kPatienceMax);
    const Circumstance circumstance{kNoProgress, "support",
                                    "nothing has moved for " + std::to_string(limit / 60'000) + " minutes", 0};
    for (const LaneName lane : self->lanes_that_should_move())
      self->change(lane, Event::kAttentionNeeded, circumstance);
  }
}

}  // namespace callimport::workflows
