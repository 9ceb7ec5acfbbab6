#pragma once
// The deadline heap behind Clock, in production and in simulation.
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "storage/runtime/clock.h"

namespace callimport {

/// Ordered by time, then by the order of setting: ids grow, so (when, id) is that order. Threads: one at a time.
class Deadlines {
 public:
  Clock::TimerId add(Timestamp when, Task task) {
    const Clock::TimerId id = next_++;
    tasks_.emplace(std::pair{when, id}, std::move(task));
    when_.emplace(id, when);
    return id;
  }
  void remove(Clock::TimerId id) {
    const auto found = when_.find(id);
    if (found == when_.end()) return;
    tasks_.erase({found->second, id});
    when_.erase(found);
  }
  /// When the first one is due; nothing when there is none.
  std::optional<Timestamp> first() const {
    if (tasks_.empty()) return std::nullopt;
    return tasks_.begin()->first.first;
  }
  /// Takes the first task that is due at `now` and was set before `before`; an empty Task when there is none.
  Task take_due(Timestamp now, Clock::TimerId before) {
    if (tasks_.empty()) return {};
    const auto head = tasks_.begin();
    if (head->first.first > now || head->first.second >= before) return {};
    Task task = std::move(head->second);
    when_.erase(head->first.second);
    tasks_.erase(head);
    return task;
  }
  /// The id the next `add` gives.
  Clock::TimerId next_id() const noexcept { return next_; }
  std::size_t size() const noexcept { return tasks_.size(); }
  void clear() {
    tasks_.clear();
    when_.clear();
  }

 private:
  std::map<std::pair<Timestamp, Clock::TimerId>, Task> tasks_;
  std::unordered_map<Clock::TimerId, Timestamp> when_;
  Clock::TimerId next_ = 1;
};

}  // namespace callimport
