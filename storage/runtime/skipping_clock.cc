#include "storage/runtime/skipping_clock.h"

#include <utility>

namespace callimport {

SkippingClock::~SkippingClock() {
  *alive_ = false;
  if (timer_ != 0) base_.cancel(timer_);
}

Clock::TimerId SkippingClock::at(Timestamp when, Task task) {
  const TimerId id = deadlines_.add(when, std::move(task));
  arm();
  look();
  return id;
}

void SkippingClock::cancel(TimerId timer) {
  deadlines_.remove(timer);
  arm();
}

bool SkippingClock::unlock() {
  if (locks_ == 0) return false;
  --locks_;
  look();
  return true;
}

void SkippingClock::arm() {
  const auto first = deadlines_.first();
  if (timer_ != 0 && first && armed_ == *first - ahead()) return;
  if (timer_ != 0) base_.cancel(timer_);
  timer_ = 0;
  if (!first) return;
  armed_ = *first - ahead();
  timer_ = base_.at(armed_, [this, alive = alive_] {
    if (!*alive) return;
    timer_ = 0;
    fire();
  });
}

void SkippingClock::fire() {
  const Timestamp time = now();
  const TimerId before = deadlines_.next_id();  // what the tasks set now waits for the next round
  while (Task task = deadlines_.take_due(time, before)) task();
  arm();
  look();
}

void SkippingClock::look() {
  if (locks_ > 0 || looking_ || !at_rest_) return;
  looking_ = true;
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    looking_ = false;
    jump();
  });
}

void SkippingClock::jump() {
  const auto first = deadlines_.first();
  if (locks_ > 0 || !first || !at_rest_()) return;
  const Timestamp time = now();
  if (*first > time) ahead_ns_.fetch_add((*first - time).count(), std::memory_order_relaxed);
  fire();
}

}  // namespace callimport
