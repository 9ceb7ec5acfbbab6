// What happens in an import, in order. Every part looks at the lane's stage first, so that a run that continues another
// goes on where that one stood.
#include "workflows/import/import_run.h"

namespace callimport::workflows {

using activities::StepInput;
using engine::Flow;

namespace {
/// A wait as short as this is nobody's news.
constexpr std::int64_t kQuietWaitMs = 60'000;
}  // namespace

Flow<bool> ImportRun::move(SharedRun self, LaneName lane, Event event) {
  ImportRun* here = self.get();
  auto running = [here, lane] {
    const bool runs = here->state_.lane(lane).place.condition == Condition::kRunning;
    return here->must_stop() || (runs && !here->held_by_person());
  };
  if (!running()) co_await self->context_.until(running);
  if (self->must_stop()) co_return false;
  self->change(lane, event, Circumstance{});
  co_return true;
}

Flow<void> ImportRun::open_and_prove(SharedRun self) {
  if (!self->state_.opened) {
    StepInput input;
    auto opening = step(self, Scope::kBoth, activities::kOpenImport, input);
    const StepMade opened = co_await opening;
    if (!opened) co_return;
    self->state_.opened = true;
    self->state_.enumerated = opened->enumerated;
    self->state_.known = opened->known;
    self->ask_.window = opened->window;
    self->ask_.zone = opened->zone;
    self->ask_.order = opened->order;
    self->ask_.retries.clear();
  }
  if (self->ask_.at_ms > 0) {
    auto beginning = await_start(self);
    co_await beginning;
    if (self->stopping()) co_return;
  }
  if (self->stage(LaneName::kFirst) != Stage::kAuthenticate) co_return;
  StepInput input;
  auto proving = step(self, Scope::kBoth, activities::kAuthenticate, input);
  const StepMade proven = co_await proving;
  if (!proven) co_return;
  self->state_.newest_first = proven->newest_first;
  for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
    auto moving = move(self, lane, Event::kAccessProven);
    if (!co_await moving) co_return;
  }
}

/// A start set for later: the import is there and says so, and may be paused, begun at once or cancelled meanwhile.
Flow<void> ImportRun::await_start(SharedRun self) {
  ImportRun* here = self.get();
  const Circumstance circumstance{"start.scheduled", "", "the start was set for later", self->ask_.at_ms};
  while (!self->stopping() && !self->begin_now_ && self->now_ms() < self->ask_.at_ms) {
    auto pause = hold(self);
    co_await pause;
    for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
      if (self->state_.lane(lane).place.condition == Condition::kRunning)
        self->change(lane, Event::kWaitBegan, circumstance);
    }
    auto over = [here] { return here->stopping() || here->begin_now_ || here->held_by_person(); };
    const Nanos left = from_unix_ms(self->ask_.at_ms) - self->context_.now();
    if (left > Nanos{0}) (void)co_await self->context_.until(over, left);
  }
  if (self->stopping()) co_return;
  self->ask_.at_ms = 0;
  self->change_open(Event::kWorkPassed, Circumstance{});
}

Flow<void> ImportRun::count_calls(SharedRun self) {
  while (!self->state_.enumerated) {
    StepInput input;
    input.pages = self->ask_.settings.pages;
    if (self->state_.newest_first && self->state_.known < self->ask_.settings.first_lane) {
      input.enough = self->ask_.settings.first_lane;
    }
    auto counting = step(self, Scope::kCounting, activities::kEnumerate, input);
    const StepMade counted = co_await counting;
    if (!counted) co_return;
    self->state_.known = counted->known;
    self->state_.enumerated = counted->enumerated;
  }
}

Flow<void> ImportRun::order(SharedRun self, LaneName lane) {
  StepInput input;
  input.lane = to_string(lane);
  auto ordering = step(self, scope_of(lane), activities::kPrioritize, input);
  const StepMade ordered = co_await ordering;
  if (!ordered) co_return;
  if (lane == LaneName::kFirst) {
    Event event = Event::kOrderSet;
    if (ordered->lane_first == 0) event = Event::kLaneEmpty;
    auto moving = move(self, lane, event);
    co_await moving;
    co_return;
  }
  self->state_.lane_bulk = ordered->lane_bulk;
  self->state_.bulk_ordered = true;
}

Flow<void> ImportRun::first_lane(SharedRun self) {
  ImportRun* here = self.get();
  const LaneName lane = LaneName::kFirst;
  if (self->stage(lane) == Stage::kEnumerate) {
    auto known = [here] {
      const bool enough = here->state_.newest_first && here->state_.known >= here->ask_.settings.first_lane;
      return here->stopping() || enough || here->state_.enumerated;
    };
    co_await self->context_.until(known);
    if (self->stopping()) co_return;
    auto moving = move(self, lane, Event::kCallsKnown);
    if (!co_await moving) co_return;
  }
  if (self->stage(lane) == Stage::kPrioritize) {
    auto ordering = order(self, lane);
    co_await ordering;
    if (self->stage(lane) == Stage::kPrioritize) co_return;
  }
  auto carrying = carry(self, lane);
  co_await carrying;
}

Flow<void> ImportRun::bulk_lane(SharedRun self) {
  ImportRun* here = self.get();
  const LaneName lane = LaneName::kBulk;
  if (self->stage(lane) == Stage::kEnumerate) {
    auto known = [here] { return here->stopping() || here->state_.enumerated; };
    co_await self->context_.until(known);
    if (self->stopping()) co_return;
    auto moving = move(self, lane, Event::kCallsKnown);
    if (!co_await moving) co_return;
  }
  if (self->stage(lane) == Stage::kPrioritize) {
    auto turn = [here] { return here->stopping() || here->closed(LaneName::kFirst) || here->first_idle_; };
    co_await self->context_.until(turn);
    if (self->stopping()) co_return;
    if (!self->state_.bulk_ordered) {
      auto ordering = order(self, lane);
      co_await ordering;
      if (!self->state_.bulk_ordered) co_return;
    }
    Event event = Event::kOrderSet;
    if (self->state_.lane_bulk == 0) event = Event::kLaneEmpty;
    auto moving = move(self, lane, event);
    if (!co_await moving) co_return;
  }
  auto carrying = carry(self, lane);
  co_await carrying;
}

/// From the first fetch to the lane's end, once more when calls are to be tried again.
Flow<void> ImportRun::carry(SharedRun self, LaneName lane) {
  while (true) {
    auto working = fetch_and_register(self, lane);
    if (!co_await working) co_return;
    if (self->stage(lane) != Stage::kNotify || self->closed(lane)) co_return;
    auto settling = settle(self, lane);
    if (!co_await settling) co_return;
  }
}

/// The fetch of one batch and the registration of the one before go side by side. False when the run stops instead.
Flow<bool> ImportRun::fetch_and_register(SharedRun self, LaneName lane) {
  ImportRun* here = self.get();
  const auto index = static_cast<std::size_t>(lane);
  if (self->stage(lane) != Stage::kFetch && self->stage(lane) != Stage::kRegister) co_return true;
  self->start(self, register_lane(self, lane));
  if (self->stage(lane) == Stage::kFetch) {
    auto fetching = fetch_lane(self, lane);
    co_await fetching;
    if (!self->state_.lane(lane).fetched) co_return false;
    auto moving = move(self, lane, Event::kAllFetched);
    if (!co_await moving) co_return false;
  }
  auto registered = [here, index] { return here->registered_[index] || here->stopping(); };
  co_await self->context_.until(registered);
  if (!self->registered_[index]) co_return false;
  auto moving = move(self, lane, Event::kAllRegistered);
  co_return co_await moving;
}

Flow<void> ImportRun::fetch_lane(SharedRun self, LaneName lane) {
  while (!self->state_.lane(lane).fetched) {
    StepInput input;
    input.lane = to_string(lane);
    // What is left of a closed first lane would be nobody's: bulk takes it along.
    if (lane == LaneName::kBulk && self->closed(LaneName::kFirst)) input.lane = "any";
    self->state_.lane(lane).again = false;
    if (input.lane == "any") self->state_.first.again = false;
    auto fetching = step(self, scope_of(lane), activities::kFetch, input);
    const StepMade fetched = co_await fetching;
    if (!fetched) co_return;
    if (fetched->drained) {
      self->state_.lane(lane).failed = fetched->lane_failed;
      self->state_.lane(lane).fetched = true;
      co_return;
    }
    if (fetched->look_again_ms == 0) continue;
    if (fetched->look_again_ms - self->now_ms() > kQuietWaitMs) {
      if (lane == LaneName::kFirst) self->first_idle_ = true;
      Circumstance circumstance{"call.recording_not_ready", "", "the platform is still processing the last calls",
                                fetched->look_again_ms};
      self->stand(lane, Event::kWaitBegan, circumstance, activities::kFetch);
    }
    auto waiting = wait_until(self, fetched->look_again_ms);
    co_await waiting;
  }
}

Flow<void> ImportRun::register_lane(SharedRun self, LaneName lane) {
  ImportRun* here = self.get();
  const auto index = static_cast<std::size_t>(lane);
  while (true) {
    auto due = [here, lane] { return here->stopping() || here->register_due_ || here->state_.lane(lane).fetched; };
    co_await self->context_.until(due);
    const bool last = self->state_.lane(lane).fetched;
    self->register_due_ = false;
    StepInput input;
    input.lane = to_string(lane);
    auto registering = step(self, scope_of(lane), activities::kRegister, input);
    const StepMade made = co_await registering;
    if (!made) co_return;
    if (!made->drained) self->register_due_ = true;
    if (made->drained && last) break;
  }
  self->registered_[index] = true;
}

}  // namespace callimport::workflows
