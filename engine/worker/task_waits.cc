#include "engine/worker/task_waits.h"

#include <algorithm>
#include <chrono>

#include "storage/runtime/mutex.h"

namespace callimport::engine::worker {
namespace {

/// Of the process, not of an engine: its loops count, and whoever answers a scrape reads.
struct Kept {
  Mutex mutex;
  TaskWaitsBy waits GUARDED_BY(mutex);
};
Kept& kept() {
  static Kept all;
  return all;
}

}  // namespace

void count_task_wait(std::string_view kind, std::string_view queue, Nanos waited) {
  const double seconds = std::chrono::duration<double>(std::max(waited, Nanos{0})).count();
  const auto bucket = std::lower_bound(kTaskWaitBuckets.begin(), kTaskWaitBuckets.end(), seconds);
  auto& all = kept();
  const MutexLock lock(all.mutex);
  TaskWaits& waits = all.waits[{std::string(kind), std::string(queue)}];
  ++waits.counts.at(static_cast<std::size_t>(bucket - kTaskWaitBuckets.begin()));
  waits.seconds += seconds;
}

TaskWaitsBy task_waits() {
  auto& all = kept();
  const MutexLock lock(all.mutex);
  return all.waits;
}

}  // namespace callimport::engine::worker
