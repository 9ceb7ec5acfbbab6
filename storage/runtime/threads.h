#pragma once
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "storage/runtime/executor.h"
#include "storage/runtime/mutex.h"

namespace callimport {

/// More waiting work than this is a bug of the caller, who forgot a limit of its own: the program ends.
inline constexpr std::size_t kPoolWorkMax = 1u << 20;

/// Threads for calls that block. Its destructor waits for the work under way and drops what has not begun.
class ThreadPool final : public Pool {
 public:
  /// @param threads  1 or more.
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void post(Task work) override;

 private:
  void work_until_stopped();

  Mutex mutex_;
  Condition changed_;
  std::deque<Task> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace callimport
