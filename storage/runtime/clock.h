#pragma once
#include <cstdint>

#include "storage/model/time.h"
#include "storage/runtime/executor.h"

namespace callimport {

/// The only source of time, and the deadline heap. Equal deadlines fire in the order they were set.
/// Threads: loop thread only, but for `now`.
class Clock {
 public:
  using TimerId = std::uint64_t;  ///< 0 is never used
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  /// Runs `task` on the loop at or after `when`; a time in the past means as soon as possible, never inside this call.
  virtual TimerId at(Timestamp when, Task task) = 0;
  /// No-op for a timer that fired or was cancelled.
  virtual void cancel(TimerId timer) = 0;
};

}  // namespace callimport
