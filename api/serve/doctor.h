#pragma once
// Looks at a data folder and this machine without changing anything, and says what to do.
#include <optional>
#include <string>
#include <vector>

#include "api/data_folder.h"
#include "api/serve/config.h"

namespace callimport::api {

struct Check {
  enum class State { kOk, kWarning, kFailed };
  std::string name;
  State state = State::kOk;
  std::string found;  ///< what was seen
  std::string next;   ///< what to do; empty when fine
};

/// `address`: where the server would listen. Databases are read only when no server holds the folder.
std::vector<Check> examine_folder(const DataFolder& folder, const std::string& address);

/// Whether the transcriber's host takes a connection; no recording is sent. Nothing when none is configured.
std::optional<Check> check_transcriber(const TranscriberConfig& config);

}  // namespace callimport::api
