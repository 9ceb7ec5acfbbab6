#pragma once
// Virtual time: a queue that jumps to the next deadline. What takes a day takes no time.
#include <cstdint>
#include <deque>
#include <functional>

#include "storage/runtime/clock.h"
#include "storage/runtime/deadlines.h"
#include "storage/runtime/executor.h"

namespace callimport::simulations {

/// 2026-09-01T00:00:00Z: when simulations begin, unless told otherwise.
inline constexpr Timestamp kSimulationStart{std::chrono::sys_days{std::chrono::year{2026} / 9 / 1}};
/// More steps than this in one run is a loop that goes nowhere: the program ends.
inline constexpr std::uint64_t kStepsMax = 200'000'000;

/// Executor, Clock and Pool in one: everything runs on the caller's thread, the queue first, in order, then the next
/// deadline. Time moves only when the queue is empty. Threads: one.
class SimLoop final : public Executor, public Clock, public Pool {
 public:
  explicit SimLoop(Timestamp start = kSimulationStart) : now_(start) {}

  void post(Task task) override { queue_.push_back(std::move(task)); }  ///< of Executor and of Pool
  Timestamp now() const override { return now_; }
  TimerId at(Timestamp when, Task task) override { return deadlines_.add(when, std::move(task)); }
  void cancel(TimerId timer) override { deadlines_.remove(timer); }

  /// Runs one task, or moves time to the next deadline and runs that. False when there is neither.
  bool step();
  /// Steps until `done()`, asked after each. False when nothing is left to run before that.
  bool run_until(const std::function<bool()>& done);
  /// Steps through all that is due within `duration`; it is then exactly so much later.
  void run_for(Nanos duration);
  /// Runs what is due now; time stands still.
  void run_idle() { run_for(Nanos{0}); }
  /// Somebody sets the clock, forward or back; deadlines stay where they are.
  void set_clock(Timestamp now) { now_ = now; }
  /// The process is gone: tasks and timers are destroyed, not run. Time stays.
  void drop_all();

  std::uint64_t steps() const noexcept { return steps_; }
  std::size_t timers() const noexcept { return deadlines_.size(); }

 private:
  bool step_before(Timestamp end);

  std::deque<Task> queue_;
  Deadlines deadlines_;
  Timestamp now_;
  std::uint64_t steps_ = 0;
};

}  // namespace callimport::simulations
