#pragma once
// One budget as people see it.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/quota/budget.h"

namespace callimport::storage {

struct BudgetView {
  Account account;  ///< both names empty: the installation's own
  std::string what;          ///< requests, list, details, transcript, media_link, calls of bulk, calls of first lanes
  std::int64_t limit = 0, used = 0, left = 0, period_ms = 0;
  std::int64_t resets_ms = 0;  ///< when all of it is there again, if nobody takes more; 0: it is
  std::int64_t blocked_until_ms = 0;  ///< the vendor's Retry-After; 0: none
  std::vector<std::string> imports;   ///< open ones that share it
};

}  // namespace callimport::storage
