#include "activities/notify/told_counts.h"

#include <algorithm>
#include <mutex>
#include <set>

namespace callimport::activities {
namespace {

struct Kept {
  std::mutex mutex;
  ToldCounts counts;            // guarded by mutex
  std::set<std::string> kinds;  // guarded by mutex
};
Kept& kept() {
  static Kept all;
  return all;
}

std::string kind_in(std::set<std::string>& kinds, std::string_view kind) {
  if (kinds.size() < kToldKindsMax) kinds.emplace(kind);
  std::string own(kind);
  return kinds.contains(own) ? own : "other";
}

}  // namespace

void count_told(const Told& told) {
  auto& all = kept();
  const std::lock_guard lock(all.mutex);
  ++all.counts.by_result[{std::string(told.channel), kind_in(all.kinds, told.kind), std::string(told.result)}];
  if (told.result != "sent") return;
  const double seconds = static_cast<double>(std::max<std::int64_t>(told.delay_ms, 0)) / 1'000;
  const auto bucket = std::lower_bound(kToldBuckets.begin(), kToldBuckets.end(), seconds);
  ToldDelays& delays = all.counts.delays[{std::string(told.channel), std::string(told.weight)}];
  ++delays.counts.at(static_cast<std::size_t>(bucket - kToldBuckets.begin()));
  delays.seconds += seconds;
}

ToldCounts told_counts() {
  auto& all = kept();
  const std::lock_guard lock(all.mutex);
  return all.counts;
}

}  // namespace callimport::activities
