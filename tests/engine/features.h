#pragma once
// One small workflow a feature, and how the world treats it: the source of the golden histories.
#include <functional>
#include <string>
#include <vector>

#include "engine/workflow.h"
#include "tests/engine/engine_world.h"

namespace callimport::engine::testing_support {

struct Feature {
  const char* name;
  WorkflowFunction workflow;                    ///< registered as type "T"
  std::function<void(EngineWorld&)> treatment;  ///< after the start of workflow "w"; ends with time enough to close it
  const char* closes_with;                      ///< name of the last event
};
std::vector<Feature> features();
void add_activities(Worker& worker, Clock& clock);

}  // namespace callimport::engine::testing_support
