#pragma once
// Time that runs with another clock and can jump ahead of it, for tests of workflows that wait for days
// (conformance C.14).
#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "storage/runtime/clock.h"
#include "storage/runtime/deadlines.h"
#include "storage/runtime/executor.h"

namespace callimport {

/// Jumps to its next deadline whenever it may: no lock is held and nobody has anything in hand. It begins with one
/// lock. Threads: the loop, but for `now`. Lifetime: `loop` and `base` outlive it; tasks left at the end are not run.
class SkippingClock final : public Clock {
 public:
  SkippingClock(Executor& loop, Clock& base) : loop_(loop), base_(base), alive_(std::make_shared<bool>(true)) {}
  ~SkippingClock() override;
  SkippingClock(const SkippingClock&) = delete;
  SkippingClock& operator=(const SkippingClock&) = delete;

  Timestamp now() const override { return base_.now() + ahead(); }
  TimerId at(Timestamp when, Task task) override;
  void cancel(TimerId timer) override;

  /// Whether nobody has anything in hand; asked before each jump. Unset: never.
  void set_at_rest(std::function<bool()> at_rest) { at_rest_ = std::move(at_rest); }
  void lock() { ++locks_; }
  /// @return false: it was not locked.
  bool unlock();
  int locks() const noexcept { return locks_; }
  /// Something may have come to rest: jumps later in this turn of the loop, if it may then.
  void look();
  /// How far it is ahead of its base.
  Nanos ahead() const noexcept { return Nanos{ahead_ns_.load(std::memory_order_relaxed)}; }

 private:
  void arm();
  void fire();
  void jump();

  Executor& loop_;
  Clock& base_;
  std::shared_ptr<bool> alive_;  ///< posted tasks look at it; both own it
  std::atomic<Nanos::rep> ahead_ns_{0};
  Deadlines deadlines_;
  std::function<bool()> at_rest_;
  int locks_ = 1;
  bool looking_ = false;
  TimerId timer_ = 0;  ///< of the base
  Timestamp armed_{};
};

}  // namespace callimport
