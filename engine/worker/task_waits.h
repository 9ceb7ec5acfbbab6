#pragma once
// How long tasks waited for a place before a worker of this process began them, since the process began: what a scrape
// of its metrics asks for.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "storage/model/time.h"

namespace callimport::engine::worker {

/// Upper bounds of the buckets in seconds; a last one is for all that take longer.
inline constexpr std::array kTaskWaitBuckets = {0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3'600.0};

struct TaskWaits {
  std::array<std::uint64_t, kTaskWaitBuckets.size() + 1> counts{};  ///< by bucket, each by itself
  double seconds = 0;                                               ///< of all together
};
/// By kind (workflow, activity) and the queue that our workers poll: a handful.
using TaskWaitsBy = std::map<std::pair<std::string, std::string>, TaskWaits>;

/// Threads: any. By the service's clock: from the time a task could begin, for a repeated attempt after its back-off,
/// to the time it was handed out; less than nothing counts as nothing.
void count_task_wait(std::string_view kind, std::string_view queue, Nanos waited);
TaskWaitsBy task_waits();

}  // namespace callimport::engine::worker
