#pragma once
// Where work runs: one FIFO for the loop that owns state, one pool for calls that block.
#include <functional>

namespace callimport {

using Task = std::function<void()>;

/// A FIFO of tasks run one at a time on one loop. Production: an Asio io_context; simulation: a queue under a virtual
/// clock. Threads: `post` from any thread; tasks run on the loop's thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(Task task) = 0;
};

/// Runs blocking calls (library transactions, file writes) off the loop. Production: threads; simulation: the loop
/// itself. Work may run in any order and at the same time as other work; order it yourself by posting the next from the
/// loop.
class Pool {
 public:
  virtual ~Pool() = default;
  virtual void post(Task work) = 0;
};

}  // namespace callimport
