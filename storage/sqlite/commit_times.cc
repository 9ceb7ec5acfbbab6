#include "storage/sqlite/commit_times.h"

#include <algorithm>
#include <atomic>

namespace callimport::storage {
namespace {

std::array<std::atomic<std::uint64_t>, kCommitBuckets.size() + 1> g_counts{};
std::atomic<std::uint64_t> g_nanoseconds{0};

}  // namespace

CommitTimes commit_times() {
  CommitTimes times;
  for (std::size_t i = 0; i < g_counts.size(); ++i) times.counts[i] = g_counts[i].load(std::memory_order_relaxed);
  times.seconds = static_cast<double>(g_nanoseconds.load(std::memory_order_relaxed)) / 1e9;
  return times;
}

void count_commit(std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto bucket = std::lower_bound(kCommitBuckets.begin(), kCommitBuckets.end(), seconds);
  g_counts[static_cast<std::size_t>(bucket - kCommitBuckets.begin())].fetch_add(1, std::memory_order_relaxed);
  g_nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
}

}  // namespace callimport::storage
