#pragma once
// A history in the notation of conformance E: one line an event, `[` where a batch begins. Left out are request ids,
// sizes, the caller's own identity, and what every plain run has (queue W, 10 s timeouts, the default retry policy).
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine::testing_world {

std::string render(const std::vector<temporal::api::history::v1::History>& batches,
                   const std::map<std::string, std::string>& run_names, std::int64_t from);

}  // namespace callimport::engine::testing_world
