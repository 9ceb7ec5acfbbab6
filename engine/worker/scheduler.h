#pragma once
// Runs one workflow's coroutines: one FIFO of resumptions; after every resumption the conditions are looked at in the
// order they were registered. Nothing here depends on anything but the order of calls.
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "engine/workflow.h"

namespace callimport::engine::worker {

class Scheduler final : public FlowQueue {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler() override { destroy_frames(); }

  void resume_later(std::coroutine_handle<> waiter) override { ready_.push_back(waiter); }
  /// `returning` runs when the main flow returns, while its locals are still there.
  void start(Flow<WorkflowEnd> main, std::function<void()> returning);
  void spawn(Flow<void> flow);
  /// `met` runs when the condition held (not when `state` was set by somebody else, which also ends the wait).
  void add_condition(std::function<bool()> holds, std::shared_ptr<FutureState<bool>> state, std::function<void()> met);

  /// Until nothing can run, the main flow returned, or `halt` was called. Exceptions of conditions come out.
  void drain();
  void halt() { halted_ = true; }
  bool started() const { return main_.has_value(); }
  bool done() const { return main_ && main_->done(); }
  /// What the main flow returned; its exception comes out.
  WorkflowEnd take_end() { return main_->take(); }
  /// Frees spawned flows that returned; the first exception among them comes out.
  void sweep();
  void destroy_frames();

 private:
  struct Condition {
    std::function<bool()> holds;
    std::shared_ptr<FutureState<bool>> state;  // shared with the waiting coroutine's Future
    std::function<void()> met;
  };
  void settle();

  std::deque<std::coroutine_handle<>> ready_;
  std::list<Condition> conditions_;
  std::list<Flow<void>> spawned_;
  std::optional<Flow<WorkflowEnd>> main_;
  bool halted_ = false;
};

}  // namespace callimport::engine::worker
