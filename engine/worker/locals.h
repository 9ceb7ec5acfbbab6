#pragma once
// What a run and the runner of its local activities say to each other.
#include <cstdint>
#include <optional>
#include <string>

#include "engine/workflow.h"

namespace callimport::engine::worker {

struct LocalRequest {
  std::int64_t number = 0;
  std::string type, input;  ///< JSON text
  LocalActivityOptions options;
  int attempt = 1;        ///< the first to make
  Timestamp scheduled{};  ///< when the first attempt of all was asked for
};

struct LocalResult {
  Outcome<std::string> outcome;
  int attempt = 1;                 ///< the last one made
  std::optional<Nanos> backoff{};  ///< another one is due after a wait that the history keeps
  Timestamp completed{};
};

}  // namespace callimport::engine::worker
