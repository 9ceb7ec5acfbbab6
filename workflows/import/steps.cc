// One step: its activity, the pause before it, and what becomes of the trouble it met.
#include <algorithm>

#include "workflows/import/import_run.h"
#include "workflows/import/import_workflow.h"

namespace callimport::workflows {

using activities::StepInput;
using activities::StepResult;
using activities::TroubleNote;
using engine::Flow;

namespace {
/// Histories made before access trouble stopped both lanes, and before what renews it was proven, replay without.
constexpr const char* kProveRenewed = "prove-renewed-access";
}  // namespace

LaneQueues lane_queues(const std::string& task_queue) { return {task_queue + "-first", task_queue + "-bulk"}; }

engine::ActivityOptions ImportRun::options_for(Nanos limit) const {
  engine::ActivityOptions options;
  options.start_to_close = limit;
  options.heartbeat = std::chrono::milliseconds{std::max<std::int64_t>(ask_.settings.heartbeat_ms, 1'000)};
  engine::RetryPolicy retry;
  retry.maximum = 30s;
  options.retry = retry;
  options.cancellation = engine::CancellationType::kWaitCancellationCompleted;
  return options;
}

/// Runs one activity to its end; asks it to stop when the import must.
Flow<ImportRun::Answer> ImportRun::call(SharedRun self, const char* type, StepInput input) {
  ImportRun* here = self.get();
  auto options = self->options_for(6h);
  const LaneQueues queues = lane_queues(self->context_.info().task_queue);
  options.task_queue = input.serves_first_lane() ? queues.first : queues.bulk;
  auto answer = self->context_.activity(type, activities::write_note(input), options);
  auto settled = [here, answer] { return answer.ready() || here->must_stop(); };
  co_await self->context_.until(settled);
  if (!answer.ready()) answer.cancel();
  co_return co_await answer;
}

/// Repeats the step through waits, pauses and renewals until it passes. Nothing when the run stops instead.
Flow<ImportRun::StepMade> ImportRun::step(SharedRun self, Scope scope, const char* type, StepInput input) {
  while (true) {
    auto pause = hold(self);
    co_await pause;
    self->note_size();
    if (self->stopping()) co_return StepMade{};
    input.ask = self->ask_;
    const auto lanes = self->lanes_of(scope);
    for (const LaneName lane : lanes) ++self->under_way_[static_cast<std::size_t>(lane)];
    auto calling = call(self, type, input);
    const Answer answer = co_await calling;
    for (const LaneName lane : lanes) --self->under_way_[static_cast<std::size_t>(lane)];
    self->moved_on(self->now_ms());
    if (!answer) {
      self->break_down(answer.error());
      co_return StepMade{};
    }
    auto result = activities::read_note<StepResult>(*answer);
    if (!result) {
      self->broken_ = Breakdown{"engine.bug", result.error().message};
      co_return StepMade{};
    }
    self->state_.counters = result->counters;
    if (result->done > 0 && std::string_view(type) == activities::kFetch) self->register_due_ = true;
    auto late_pause = hold(self);
    co_await late_pause;
    if (self->must_stop()) co_return StepMade{};
    if (result->trouble.none()) {
      const bool stands = std::string_view(type) == activities::kFetch && result->ended == 0 && !result->drained;
      if (!stands) self->work_passed(scope, type);
      co_return std::move(*result);
    }
    input.probing = result->trouble.cause != "window.closed";  // when it opens there is nothing to be careful about
    input.repeats = result->repeats;
    auto trouble = meet(self, scope, type, result->trouble);
    co_await trouble;
    if (!self->must_prove(type, result->trouble)) continue;
    StepInput proof;
    auto proving = step(self, scope, activities::kAuthenticate, proof);
    const StepMade proven = co_await proving;
    if (!proven) co_return StepMade{};
  }
}

/// New access is proven before work goes on with it: a token of another workspace would make each call look deleted.
bool ImportRun::must_prove(std::string_view type, const TroubleNote& trouble) {
  const bool access = trouble.kind == "attention" && trouble.cause.starts_with("access.");
  return access && type != activities::kAuthenticate && !stopping() && context_.patched(kProveRenewed);
}

Flow<void> ImportRun::meet(SharedRun self, Scope scope, std::string type, TroubleNote trouble) {
  ImportRun* here = self.get();
  auto lanes = self->lanes_of(scope);
  if (lanes.empty()) co_return;
  if (trouble.kind == "attention") {
    const bool access = trouble.cause.starts_with("access.");  // no lane can work without it
    if (access && self->context_.patched(kProveRenewed)) lanes = self->lanes_of(Scope::kBoth);
    const int renewals = self->renewals_, retries = self->retries_;
    Circumstance circumstance{trouble.cause, trouble.who, trouble.message, 0};
    for (const LaneName lane : lanes) {
      const LaneState& state = self->state_.lane(lane);
      const bool known = state.place.condition == Condition::kNeedsAttention && state.now.reason == trouble.cause;
      if (!known) self->stand(lane, Event::kAttentionNeeded, circumstance, type);
    }
    auto acted = [here, renewals, retries] {
      return here->stopping() || here->renewals_ != renewals || here->retries_ != retries;
    };
    co_await self->context_.until(acted);
    if (self->renewals_ == renewals) co_return;
    for (const LaneName lane : lanes) self->change(lane, Event::kAccessRenewed, Circumstance{});
    co_return;
  }
  std::int64_t until_ms = 0;
  for (const LaneName lane : lanes) {
    const auto decision = decide_wait(self->state_.lane(lane), trouble, self->ask_.settings, self->now_ms());
    self->stand(lane, decision.event, decision.circumstance, type);
    until_ms = std::max(until_ms, decision.circumstance.until_ms);
  }
  auto waiting = wait_until(self, until_ms);
  co_await waiting;
}

/// Until a person's pause is over, or the run must end.
Flow<void> ImportRun::hold(SharedRun self) {
  ImportRun* here = self.get();
  auto free = [here] { return here->must_stop() || !here->held_by_person(); };
  if (!free()) co_await self->context_.until(free);
}

Flow<void> ImportRun::wait_until(SharedRun self, std::int64_t until_ms) {
  ImportRun* here = self.get();
  const int retries = self->retries_, renewals = self->renewals_;
  auto over = [here, retries, renewals] {
    return here->stopping() || here->retries_ != retries || here->renewals_ != renewals;
  };
  const Nanos left = from_unix_ms(until_ms) - self->context_.now();
  if (left > Nanos{0}) (void)co_await self->context_.until(over, left);
}

std::vector<LaneName> ImportRun::lanes_of(Scope scope) const {
  std::vector<LaneName> lanes;
  for (const LaneName lane : {LaneName::kFirst, LaneName::kBulk}) {
    if (closed(lane)) continue;
    const bool concerned = scope == Scope::kBoth || scope == scope_of(lane) ||
                           (scope == Scope::kCounting && stage(lane) <= Stage::kEnumerate);
    if (concerned) lanes.push_back(lane);
  }
  return lanes;
}

/// A lane that stands still because `type` met trouble.
void ImportRun::stand(LaneName lane, Event event, const Circumstance& circumstance, std::string_view type) {
  change(lane, event, circumstance);
  state_.lane(lane).trouble_step = type;
}

void ImportRun::work_passed(Scope scope, std::string_view type) {
  for (const LaneName lane : lanes_of(scope)) {
    if (recovers(state_.lane(lane), type)) change(lane, Event::kWorkPassed, Circumstance{});
  }
}

void ImportRun::note_size() {
  if (context_.history_length() >= ask_.settings.events_max || context_.suggest_continue_as_new()) parking_ = true;
}

void ImportRun::break_down(const engine::Failure& failure) {
  if (failure.kind == engine::Failure::Kind::kCancelled || broken_) return;
  const bool named = failure.kind == engine::Failure::Kind::kApplication && !failure.type.empty();
  broken_ = Breakdown{named ? failure.type : "engine.bug",
                      activities::cut_text(failure.message, activities::kSentenceBytesMax)};
}

}  // namespace callimport::workflows
