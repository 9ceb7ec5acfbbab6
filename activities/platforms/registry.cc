#include "activities/platforms/grain.h"
#include "activities/platforms/platform.h"

namespace callimport::activities {

const std::vector<const Platform*>& platforms() {
  static const std::vector<const Platform*> all = {&grain()};
  return all;
}

std::string order_refused(const Platform& platform, const storage::LaneOrder& order) {
  using By = storage::LaneOrder::By;
  const bool can = order.by == By::kNewest || (order.by == By::kLength && platform.lists_length) ||
                   (order.by == By::kOwner && platform.lists_owner) ||
                   (order.by == By::kAccount && platform.lists_account);
  if (can) return {};
  std::string able = "newest";
  if (platform.lists_length) able += ", length";
  if (platform.lists_owner) able += ", owner";
  if (platform.lists_account) able += ", account";
  return std::string(platform.title) +
         " tells too little of a call before it is fetched for this order; it can do: " + able;
}

const Platform* find_platform(std::string_view name) {
  for (const Platform* platform : platforms()) {
    if (platform->name == name) return platform;
  }
  return nullptr;
}

int requests_per_minute(const Platform& platform) {
  for (const storage::Budget& budget : platform.budgets) {
    if (budget.operation == storage::Operation::kAny && budget.period == std::chrono::minutes{1})
      return static_cast<int>(budget.limit);
  }
  return 0;
}

}  // namespace callimport::activities
