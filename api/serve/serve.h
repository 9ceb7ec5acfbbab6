#pragma once
// The server: opens a data folder with its own journal, wires the floors over it, serves until SIGTERM or SIGINT.
#include <cstdint>
#include <string>
#include <vector>

#include "api/serve/house.h"
#include "storage/model/result.h"

namespace callimport::api {

struct ServeOrder : HouseOrder {
  std::uint64_t die_after_commits = 0;  ///< tests: SIGKILL to ourselves right after the n-th journal commit; 0: never
  bool time_skipping = false;           ///< the workflows' time can jump, by Temporal's TestService
  std::vector<std::string> limits;      ///< each one that set_dynamic_config takes
};

/// Threads: the caller's becomes the loop. Returns once stopped; everything acknowledged is durable then.
/// @error  as open_house; kConflict  the address is taken.
Result<> serve(const ServeOrder& order);

}  // namespace callimport::api
