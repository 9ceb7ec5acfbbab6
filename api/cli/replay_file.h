#pragma once
// Today's workflow code over an exported history.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"

namespace callimport::api {

struct ReplayOutcome {
  std::string type;  ///< workflow type
  int events = 0;
  bool same = false;
  std::int64_t event = 0;  ///< of the first difference
  std::string expected, got;
};
/// One outcome for each history in the file. @error kInvalid  not a history, or of a workflow type this program has
/// not.
Result<std::vector<ReplayOutcome>> replay_file(std::string_view bytes);

}  // namespace callimport::api
