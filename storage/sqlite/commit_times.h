#pragma once
// How long commits took, of all databases of the process: what a scrape of its metrics asks for. Counted without a
// lock.
#include <array>
#include <chrono>
#include <cstdint>

namespace callimport::storage {

/// Upper bounds of the buckets in seconds; a last one is for all that take longer.
inline constexpr std::array kCommitBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0};

struct CommitTimes {
  std::array<std::uint64_t, kCommitBuckets.size() + 1> counts{};  ///< by bucket, each by itself
  double seconds = 0;                                             ///< of all together
};
/// Threads: any.
CommitTimes commit_times();
void count_commit(std::chrono::nanoseconds took);

}  // namespace callimport::storage
