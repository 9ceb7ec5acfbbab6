#include "activities/import/request_counts.h"

#include <mutex>

namespace callimport::activities {
namespace {

struct Kept {
  std::mutex mutex;
  RequestCounts counts;  // guarded by mutex
};
Kept& kept() {
  static Kept all;
  return all;
}

std::string class_of(int status) {
  if (status < 100 || status > 599) return "none";
  return std::to_string(status / 100) + "xx";
}

}  // namespace

void count_request(std::string_view platform, std::string_view operation, int status) {
  auto& all = kept();
  const std::lock_guard lock(all.mutex);
  ++all.counts[{std::string(platform), std::string(operation), class_of(status)}];
}

RequestCounts request_counts() {
  auto& all = kept();
  const std::lock_guard lock(all.mutex);
  return all.counts;
}

}  // namespace callimport::activities
