#include "storage/runtime/threads.h"

#include <utility>

#include "storage/model/ensure.h"

namespace callimport {

ThreadPool::ThreadPool(std::size_t threads) {
  ENSURE(threads >= 1);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work_until_stopped(); });
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.wake_all();
  for (auto& thread : threads_) thread.join();
}

void ThreadPool::post(Task work) {
  {
    MutexLock lock(mutex_);
    ENSURE(waiting_.size() < kPoolWorkMax);
    waiting_.push_back(std::move(work));
  }
  changed_.wake_one();
}

void ThreadPool::work_until_stopped() {
  while (true) {
    Task work;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) changed_.wait(mutex_);
      if (stopping_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace callimport
