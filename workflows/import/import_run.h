#pragma once
// One run of the import's workflow: coroutines that carry decisions out. Private to workflows/import.
//
//   run ── open, authenticate ──┬─ counting   pages into the manifest
//                               ├─ first lane ─ order, fetch ∥ register, close
//                               ├─ bulk lane  ─ the same once the first is done
//                               ├─ keeper     a person's pause, for both lanes at once
//                               ├─ window     one that a person gives while it runs
//                               ├─ watchdog   nothing moves, and nobody says why
//                               ├─ retrier    failed calls that a person wants tried again
//                               └─ teller     stores and tells changes of place, in order, one activity at a time
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "activities/import/contract.h"
#include "engine/workflow.h"
#include "workflows/import/decisions.h"

namespace callimport::workflows {

class ImportRun;
/// Owned by every coroutine of the run, which end in no fixed order.
using SharedRun = std::shared_ptr<ImportRun>;

class ImportRun {
 public:
  ImportRun(engine::WorkflowContext& context, activities::ImportInput ask, ImportState state);
  static engine::Flow<engine::WorkflowEnd> run(SharedRun self);

 private:
  /// Whom a step's trouble concerns: one lane, or every lane that still counts.
  enum class Scope : std::uint8_t { kFirst, kBulk, kCounting, kBoth };
  struct Breakdown {
    std::string cause, message;
  };
  using StepMade = std::optional<activities::StepResult>;
  using Answer = engine::Outcome<std::string>;

  // import_run.cc: the frame.
  void listen();
  void take_pause(const std::string& input);
  void take_window(const std::string& input);
  void take_over_retries();
  void start(SharedRun self, engine::Flow<void> flow);
  static engine::Flow<void> counted(SharedRun self, engine::Flow<void> flow);
  static engine::Flow<void> tell(SharedRun self);
  static engine::Flow<void> keep(SharedRun self);
  static engine::Flow<void> keep_window(SharedRun self);
  static engine::Flow<engine::WorkflowEnd> close(SharedRun self);
  engine::WorkflowEnd next_run();
  engine::WorkflowEnd run_again();
  bool wanted_again() const;
  bool must_stop() const { return broken_.has_value() || context_.cancel_requested(); }
  bool stopping() const { return must_stop() || parking_; }
  std::int64_t now_ms() const { return to_unix_ms(context_.now()); }
  void change(LaneName lane, Event event, const Circumstance& circumstance);
  void change_open(Event event, const Circumstance& circumstance);
  void show();

  // steps.cc: one activity, and what becomes of its trouble.
  static engine::Flow<Answer> call(SharedRun self, const char* type, activities::StepInput input);
  static engine::Flow<StepMade> step(SharedRun self, Scope scope, const char* type, activities::StepInput input);
  static engine::Flow<void> meet(SharedRun self, Scope scope, std::string type, activities::TroubleNote trouble);
  static engine::Flow<void> hold(SharedRun self);
  static engine::Flow<void> wait_until(SharedRun self, std::int64_t until_ms);
  std::vector<LaneName> lanes_of(Scope scope) const;
  void work_passed(Scope scope, std::string_view type);
  void stand(LaneName lane, Event event, const Circumstance& circumstance, std::string_view type);
  /// A pause that comes before the import has a row is kept until it has one.
  bool held_by_person() const {
    return state_.opened && (state_.pause.on || state_.first.by_person || state_.bulk.by_person);
  }
  bool must_prove(std::string_view type, const activities::TroubleNote& trouble);
  void note_size();
  void break_down(const engine::Failure& failure);
  engine::ActivityOptions options_for(Nanos limit) const;

  // watch.cc: nothing moves, and nobody says why.
  static engine::Flow<void> watch(SharedRun self);
  static engine::Flow<std::optional<std::int64_t>> ask_progress(SharedRun self);
  std::vector<LaneName> lanes_that_should_move() const;
  bool stuck() const;
  void moved_on(std::int64_t at_ms);
  // people.cc: what people ask for while it runs.
  void take_retry(const std::string& input);
  void take_approval(const std::string& input);
  static engine::Flow<void> try_again(SharedRun self);
  static engine::Flow<void> set_aside_at_the_end(SharedRun self);
  bool asks_approval(LaneName lane) const;
  bool too_many_gaps() const;
  bool needs_approval(LaneName lane);
  bool goes_back(LaneName lane) const;
  bool went_back(LaneName lane);
  static engine::Flow<void> await_approval(SharedRun self, LaneName lane);
  static engine::Flow<bool> settle(SharedRun self, LaneName lane);

  // lanes.cc: what happens, in order.
  static engine::Flow<void> open_and_prove(SharedRun self);
  static engine::Flow<void> await_start(SharedRun self);
  static engine::Flow<void> count_calls(SharedRun self);
  static engine::Flow<void> first_lane(SharedRun self);
  static engine::Flow<void> bulk_lane(SharedRun self);
  static engine::Flow<void> order(SharedRun self, LaneName lane);
  static engine::Flow<void> fetch_lane(SharedRun self, LaneName lane);
  static engine::Flow<void> register_lane(SharedRun self, LaneName lane);
  static engine::Flow<void> carry(SharedRun self, LaneName lane);
  static engine::Flow<bool> fetch_and_register(SharedRun self, LaneName lane);
  /// False when the run stops instead.
  static engine::Flow<bool> move(SharedRun self, LaneName lane, Event event);
  Stage stage(LaneName lane) const { return state_.lane(lane).place.stage; }
  bool closed(LaneName lane) const { return is_final(state_.lane(lane).place.condition); }
  static Scope scope_of(LaneName lane) { return lane == LaneName::kFirst ? Scope::kFirst : Scope::kBulk; }

  engine::WorkflowContext& context_;
  activities::ImportInput ask_;
  ImportState state_;
  std::deque<activities::LaneChange> changes_;  ///< not told yet; kept short by the teller
  bool telling_ = false, closing_ = false;
  std::deque<activities::RetryNote> retry_asks_;  ///< not done yet, the first maybe under way
  bool retrying_ = false;
  int pauses_ = 0;        ///< signals seen
  bool parking_ = false;  ///< the history is long: finish what is under way, then continue as new
  std::optional<Breakdown> broken_;
  int working_ = 0;                                      ///< flows of `start` that have not returned
  int renewals_ = 0, retries_ = 0;                       ///< signals seen
  bool begin_now_ = false;                               ///< a start set for later is wanted now
  std::optional<activities::WindowInput> window_asked_;  ///< by a person; the last one counts
  bool register_due_ = true;                             ///< something may be staged
  bool registered_[2] = {false, false};
  bool first_idle_ = false;            ///< the first lane only waits for recordings: bulk may go ahead
  std::int64_t forward_ms_ = 0;        ///< when anything last moved, as far as is known here
  std::array<int, 2> under_way_ = {};  ///< steps of each lane that have not answered
  std::string shown_;                  ///< last place upserted
};

}  // namespace callimport::workflows
