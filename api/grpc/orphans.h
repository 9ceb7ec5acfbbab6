#pragma once
// Imports that the library has open and for which no workflow runs: so they stand after a library was put back that is
// older than the journal beside it (docs/backup.md), or after a cluster lost them. Looked for once, when a server or a
// worker starts.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/workflow_service.h"
#include "storage/library/library.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/vault/vault.h"

namespace callimport::api {

inline constexpr const char* kInterrupted = "import.interrupted";

/// Everything outlives the search. Library and vault are used on the pool, the service on the loop.
struct OrphanParts {
  storage::Library& library;
  storage::Vault& vault;
  engine::WorkflowService& service;
  Executor& loop;
  Pool& pool;
  Clock& clock;
  std::string name_space = "default", task_queue;
  std::function<void()> told = {};  ///< a notification was stored; may be empty
};

struct OrphansFound {
  std::vector<std::string> restarted;  ///< they go on with what is missing
  std::vector<std::string> told;       ///< their credential is gone: they need attention (import.interrupted)
};

/// Asks the service for each open import, one after the other, and starts the workflow of those that have none; two who
/// look at the same time start it once. What
/// the service or the library does not answer now is left for the next start. `done` comes on the loop, once.
void take_up_orphans(OrphanParts parts, std::function<void(OrphansFound)> done);

}  // namespace callimport::api
