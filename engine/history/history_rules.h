#pragma once
// The order invariants of conformance C.2 as a checker over any history.
#include <string>
#include <vector>

namespace temporal::api::history::v1 {
class History;
}

namespace callimport::engine {
/// One sentence for each rule broken, with the event id; empty when the history is well formed.
std::vector<std::string> broken_rules(const temporal::api::history::v1::History& history);
}  // namespace callimport::engine
