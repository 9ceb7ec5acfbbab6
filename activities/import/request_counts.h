#pragma once
// How many requests went to each platform and what came of them, since the process began: what a scrape of its metrics
// asks for.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace callimport::activities {

/// Platform, operation, and 2xx to 5xx or none, when there was no answer.
using RequestCounts = std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t>;
/// Threads: any.
void count_request(std::string_view platform, std::string_view operation, int status);  ///< status 0: no answer
RequestCounts request_counts();

}  // namespace callimport::activities
