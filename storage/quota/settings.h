#pragma once
// What the installation allows itself: the configuration's [budgets].
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/quota/budget.h"

namespace callimport::storage {

struct BudgetSettings {
  struct OfPlatform {
    std::vector<Budget> own;          ///< in place of the documented, or besides
    std::optional<int> left_percent;  ///< absent: as of all platforms
  };
  std::int64_t bulk_calls = 5'000;     ///< of bulk, all imports together, in `period`
  std::int64_t first_calls = 100'000;  ///< of first lanes: a reserve of their own, never counted as bulk
  Nanos period = std::chrono::hours{12};
  int left_percent = 0;                         ///< of the vendors' limits, for the customers' own tools: 0 to 95
  std::map<std::string, OfPlatform> platforms;  ///< by name
  std::map<std::string, double> weights;        ///< of workspaces; absent: 1
};

}  // namespace callimport::storage
