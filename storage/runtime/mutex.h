#pragma once
// std::mutex with the names clang's -Wthread-safety reads, so that "guarded by" is checked and not only said.
// Source: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#include <chrono>
#include <condition_variable>
#include <mutex>

#define CALLIMPORT_THREAD_ATTRIBUTE(x) __attribute__((x))
#define GUARDED_BY(mutex) CALLIMPORT_THREAD_ATTRIBUTE(guarded_by(mutex))
#define REQUIRES(...) CALLIMPORT_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

namespace callimport {

class CALLIMPORT_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() CALLIMPORT_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() CALLIMPORT_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

/// Holds a Mutex from construction to the end of its block.
class CALLIMPORT_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CALLIMPORT_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() CALLIMPORT_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// A condition variable for Mutex. Wakes may be spurious: wait in a loop.
class Condition {
 public:
  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    condition_.wait(held);
    held.release();
  }
  /// False when `duration` passed first.
  bool wait_for(Mutex& mutex, std::chrono::nanoseconds duration) REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_for(held, duration) == std::cv_status::no_timeout;
    held.release();
    return woken;
  }
  void wake_one() { condition_.notify_one(); }
  void wake_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace callimport
