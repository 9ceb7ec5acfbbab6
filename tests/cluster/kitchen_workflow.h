#pragma once
// The kitchen sink (tests/conformance/kitchen_sink.md) for our own worker: the workflow, its child, their activities.
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "engine/worker.h"

namespace callimport::tests {

/// Between the activity `held` and the driver. Threads: any.
class Gate {
 public:
  void tell_started(const std::string& label);
  void wait_started(const std::string& label);
  void release(const std::string& label);
  bool released(const std::string& label) const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> started_, released_;
};

engine::Flow<engine::WorkflowEnd> kitchen_sink(engine::WorkflowContext& context, std::string input);
engine::Flow<engine::WorkflowEnd> kitchen_child(engine::WorkflowContext& context, std::string input);

/// `clock` and `gate` outlive the worker.
void register_kitchen(engine::Worker& worker, Clock& clock, Gate& gate);

}  // namespace callimport::tests
