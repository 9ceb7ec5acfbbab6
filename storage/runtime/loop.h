#pragma once
#include <memory>

#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"

namespace boost::asio {
class io_context;
}

namespace callimport {

/// The production loop: one Asio io_context, and one steady_timer behind the deadline heap. Clock::now() is the
/// system's UTC; a step of the system clock is noticed within a minute. Threads: `post`, `stop` and `now` from any
/// thread; all else on the thread in `run`, or before it begins. Lifetime: outlives whoever posts; tasks and timers
/// left at the end are destroyed, not run.
class AsioLoop final : public Executor, public Clock {
 public:
  AsioLoop();
  ~AsioLoop() override;
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  void post(Task task) override;
  Timestamp now() const override;
  TimerId at(Timestamp when, Task task) override;
  void cancel(TimerId timer) override;

  /// Runs tasks and timers on this thread until `stop`; may be called again after. Returns at once if stopped before.
  void run();
  void stop();
  /// For those who must watch sockets on this loop (HTTP); engine and workflows never do.
  boost::asio::io_context& io() noexcept;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport
