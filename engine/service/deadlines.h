#pragma once
// Deadlines of many things behind one Clock timer each kind: the earliest is armed, the rest wait in order.
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "storage/runtime/clock.h"

namespace callimport::engine {

/// Threads: the loop. `fire` gets each key when due, in order of (time, key), after it was removed; it may set new
/// ones.
template <class Key>
class Deadlines {
 public:
  Deadlines(Clock& clock, std::function<void(Key)> fire) : clock_(clock), fire_(std::move(fire)) {}
  ~Deadlines() { disarm(); }
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  void set(std::int64_t when_ns, Key key) {
    due_.insert({when_ns, key});
    arm();
  }
  void remove(std::int64_t when_ns, Key key) { due_.erase({when_ns, key}); }
  void clear() {
    due_.clear();
    disarm();
  }

 private:
  void disarm() {
    if (timer_ != 0) clock_.cancel(timer_);
    timer_ = 0;
  }
  void arm() {
    if (due_.empty()) return;
    const std::int64_t first = due_.begin()->first;
    if (timer_ != 0 && armed_ <= first) return;
    disarm();
    armed_ = first;
    timer_ = clock_.at(from_unix_ns(first), [this] { run(); });
  }
  void run() {
    timer_ = 0;
    const std::int64_t now = to_unix_ns(clock_.now());
    while (!due_.empty() && due_.begin()->first <= now) {
      const Key key = due_.begin()->second;
      due_.erase(due_.begin());
      fire_(key);
    }
    arm();
  }

  Clock& clock_;
  std::function<void(Key)> fire_;
  std::set<std::pair<std::int64_t, Key>> due_;
  Clock::TimerId timer_ = 0;
  std::int64_t armed_ = 0;
};

}  // namespace callimport::engine
