#pragma once
// Plays that go to a limit and beyond it (conformance C.16).
#include <string>
#include <vector>

#include "tests/cluster/limit_play.h"

namespace callimport::tests {

/// The limits of the plays, low, as KEY=VALUE of the dynamic configuration.
std::vector<std::string> low_limits();

struct LimitRow {
  const char* name;
  void (*play)(Play& play);
};
std::vector<LimitRow> limit_rows();

}  // namespace callimport::tests
