#pragma once
// The order in which lists show runs: open first, then by close time, newest first; then by start time, newest first.
#include <cstdint>
#include <limits>
#include <set>

#include "storage/journal/journal.h"

namespace callimport::engine {

struct VisibilityKey {
  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();
  std::int64_t closed_ns = kOpen;
  std::int64_t start_ns = 0;
  storage::RunKey run = 0;
  /// "Comes before in a list".
  friend bool operator<(const VisibilityKey& a, const VisibilityKey& b) {
    if (a.closed_ns != b.closed_ns) return a.closed_ns > b.closed_ns;
    if (a.start_ns != b.start_ns) return a.start_ns > b.start_ns;
    return a.run > b.run;
  }
};
using Visibility = std::set<VisibilityKey>;

}  // namespace callimport::engine
