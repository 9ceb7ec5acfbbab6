// What people ask of an import while it runs: to try failed calls again, and to approve its gaps.
#include <algorithm>

#include "workflows/import/import_run.h"

namespace callimport::workflows {

using activities::RetryInput;
using activities::RetryNote;
using activities::RetryResult;
using engine::Flow;

namespace {
constexpr std::size_t kRetriesWaitingMax = 100;  ///< asked for and not begun; further ones are dropped
constexpr std::size_t kRetryBytesMax = activities::kContractBytesMax - 4'096;  ///< it is an activity's input, too
constexpr const char* kApproval = "gaps.approval";
}  // namespace

void ImportRun::take_retry(const std::string& input) {
  auto asked = activities::read_note<RetryNote>(input);
  if (!asked || asked->chooses_nothing() || input.size() > kRetryBytesMax || retry_asks_.size() >= kRetriesWaitingMax)
    return;
  asked->who = activities::cut_text(std::move(asked->who), activities::kNameBytesMax);
  asked->why = activities::cut_text(std::move(asked->why), activities::kSentenceBytesMax);
  retry_asks_.push_back(std::move(*asked));
}

/// Counts only where it was asked for: nobody approves gaps before they are known.
void ImportRun::take_approval(const std::string& input) {
  if (!asks_approval(LaneName::kFirst) && !asks_approval(LaneName::kBulk)) return;
  const auto note = nlohmann::json::parse(input, nullptr, false);
  Approval approval{.given = true, .who = "a person", .why = ""};
  if (note.is_object()) {
    if (note.contains("who") && note["who"].is_string())
      approval.who = activities::cut_text(note["who"], activities::kNameBytesMax);
    if (note.contains("why") && note["why"].is_string())
      approval.why = activities::cut_text(note["why"], activities::kSentenceBytesMax);
  }
  state_.approval = std::move(approval);
}

bool ImportRun::asks_approval(LaneName lane) const {
  const LaneState& state = state_.lane(lane);
  return state.now.reason == kApproval && !is_final(state.place.condition);
}

/// Failed calls become pending again, or are set aside, one wish after the other; lanes that are past fetching go back
/// for those that are pending (settle).
Flow<void> ImportRun::try_again(SharedRun self) {
  ImportRun* here = self.get();
  while (true) {
    auto asked = [here] {
      const bool open = !here->closed(LaneName::kFirst) || !here->closed(LaneName::kBulk);
      return open && here->state_.opened && !here->closing_ && !here->retry_asks_.empty();
    };
    co_await self->context_.until(asked);
    RetryInput input;
    input.import = self->ask_.import;
    input.choice = self->retry_asks_.front();
    self->retrying_ = true;
    auto retrying =
        self->context_.activity(activities::kRetry, activities::write_note(input), self->options_for(10min));
    const auto outcome = co_await retrying;
    self->retrying_ = false;
    self->retry_asks_.pop_front();
    if (!outcome) self->break_down(outcome.error());
    const auto result = activities::read_note<RetryResult>(outcome.value_or("{}"));
    if (!outcome || !result) continue;
    self->state_.counters = result->counters;
    if (result->set_aside > 0) self->state_.gaps_mended = true;
    if (result->retried == 0) continue;
    self->state_.gaps_mended = true;
    self->state_.first.again = true;
    self->state_.bulk.again = true;
  }
}

/// Only calls to be fetched are worth another run.
bool ImportRun::wanted_again() const {
  const auto fetches = [](const RetryNote& one) { return !one.only_counts(); };
  const bool any = std::any_of(retry_asks_.begin(), retry_asks_.end(), fetches);
  return any && !broken_ && !context_.cancel_requested();
}

/// Wishes that came while the import was closing, and for which nothing needs to run.
Flow<void> ImportRun::set_aside_at_the_end(SharedRun self) {
  while (!self->retry_asks_.empty()) {
    RetryInput input;
    input.import = self->ask_.import;
    input.choice = self->retry_asks_.front();
    self->retry_asks_.pop_front();
    if (!input.choice.only_counts()) continue;
    auto doing = self->context_.activity(activities::kRetry, activities::write_note(input), self->options_for(10min));
    (void)co_await doing;
  }
}

/// What is pending in a closed first lane is bulk's, if that is open still; else the first lane's own.
bool ImportRun::goes_back(LaneName lane) const {
  const bool other_closed =
      is_final(state_.lane(lane == LaneName::kFirst ? LaneName::kBulk : LaneName::kFirst).place.condition);
  if (lane == LaneName::kFirst) return state_.first.again && other_closed;
  return state_.bulk.again || (state_.first.again && other_closed);
}

bool ImportRun::too_many_gaps() const { return activities::gaps_want_approval(state_.counters, ask_.settings); }

bool ImportRun::needs_approval(LaneName lane) {
  const LaneName other = lane == LaneName::kFirst ? LaneName::kBulk : LaneName::kFirst;
  if (state_.approval.given || !closed(other)) return false;
  if (!too_many_gaps()) return false;
  return context_.patched(kApproval);
}

/// True when the lane went back to fetching.
bool ImportRun::went_back(LaneName lane) {
  if (!goes_back(lane)) return false;
  change(lane, Event::kRetryAsked, Circumstance{});
  state_.lane(lane).fetched = false;
  registered_[static_cast<std::size_t>(lane)] = false;
  return true;
}

/// Stands until somebody approves the gaps, has them tried again, or has set so many aside that nobody is asked.
Flow<void> ImportRun::await_approval(SharedRun self, LaneName lane) {
  ImportRun* here = self.get();
  const auto& counters = self->state_.counters;
  while (!self->stopping() && !self->state_.approval.given) {
    if (self->state_.lane(lane).place.condition == Condition::kRunning && !self->held_by_person()) {
      const std::string gaps = std::to_string(counters.failed) + " of " + std::to_string(counters.found);
      self->stand(lane, Event::kAttentionNeeded, {kApproval, "approver", gaps + " calls did not come across", 0},
                  kApproval);
    }
    auto acted = [here, lane] {
      const bool resumed = here->state_.lane(lane).place.condition == Condition::kRunning && !here->held_by_person();
      const bool back = here->goes_back(lane) && !here->held_by_person();
      return here->stopping() || here->state_.approval.given || resumed || back || !here->too_many_gaps();
    };
    co_await self->context_.until(acted);
    if (self->goes_back(lane)) co_return;
    if (!self->too_many_gaps()) break;
  }
  if (!self->asks_approval(lane)) co_return;
  if (self->state_.approval.given) {
    self->change(lane, Event::kGapsApproved, Circumstance{});
  } else if (!self->stopping() && !self->too_many_gaps()) {
    self->change(lane, Event::kWorkPassed, Circumstance{});
  }
}

/// At its end a lane closes, or goes back for calls that are to be tried again: true.
Flow<bool> ImportRun::settle(SharedRun self, LaneName lane) {
  ImportRun* here = self.get();
  while (true) {
    auto ready = [here, lane] {
      const bool runs = here->state_.lane(lane).place.condition == Condition::kRunning;
      const bool free = !here->held_by_person() && !here->retrying_ && here->retry_asks_.empty();
      return here->must_stop() || (free && (runs || here->asks_approval(lane)));
    };
    if (!ready()) co_await self->context_.until(ready);
    if (self->must_stop()) co_return false;
    if (self->went_back(lane)) co_return true;
    if (self->asks_approval(lane) || self->needs_approval(lane)) {
      auto approving = await_approval(self, lane);
      co_await approving;
      if (self->stopping()) co_return false;
      continue;
    }
    // Between counting and ordering a call may have changed lanes; what failed in either is a gap of the whole.
    std::int64_t failed = self->state_.lane(lane).failed;
    if (lane == LaneName::kBulk) failed = self->state_.counters.failed;
    Event event = Event::kClosedWhole;
    if (failed > 0) event = Event::kClosedWithGaps;
    self->change(lane, event, Circumstance{});
    co_return false;
  }
}

}  // namespace callimport::workflows
