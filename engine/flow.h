#pragma once
// The coroutine type of workflow code and its futures. Resumptions go through one FIFO owned by the run, so the order
// of everything a workflow does is fixed by its history.
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "storage/model/ensure.h"

namespace callimport::engine {

/// One FIFO of resumptions for one run. Threads: the worker's loop.
class FlowQueue {
 public:
  virtual ~FlowQueue() = default;
  virtual void resume_later(std::coroutine_handle<> waiter) = 0;
};

/// Shared by the future and whoever fulfils it; both own it: the run may drop either first.
template <class T>
struct FutureState {
  FlowQueue* queue = nullptr;
  std::optional<T> value;
  std::vector<std::coroutine_handle<>> waiters;
  std::function<void()> cancel;

  void set(T result) {
    if (value) return;
    value.emplace(std::move(result));
    for (auto waiter : std::exchange(waiters, {})) queue->resume_later(waiter);
  }
};

/// A value that comes later. Copies share it; awaiting a ready one does not suspend.
template <class T>
class Future {
 public:
  Future() = default;
  explicit Future(std::shared_ptr<FutureState<T>> state) : state_(std::move(state)) {}
  bool ready() const { return state_ && state_->value.has_value(); }
  const T& get() const { return *state_->value; }
  /// Asks for cancellation; no-op once ready or where nothing can be cancelled.
  void cancel() {
    if (state_ && !state_->value && state_->cancel) state_->cancel();
  }
  bool await_ready() const { return ready(); }
  void await_suspend(std::coroutine_handle<> waiter) { state_->waiters.push_back(waiter); }
  T await_resume() const { return *state_->value; }

 private:
  std::shared_ptr<FutureState<T>> state_;
};

namespace internal {
template <class T>
struct FlowResult {
  std::optional<T> value;
  std::function<void()>
      returning;  ///< runs at co_return: the frame's locals are still there, a moment later they are not
  void return_value(T result) {
    value.emplace(std::move(result));
    if (returning) returning();
  }
  T take() { return std::move(*value); }
};
template <>
struct FlowResult<void> {
  void return_void() {}
  void take() {}
};
}  // namespace internal

/// A lazily started workflow coroutine; awaiting it runs it and continues the awaiter when it returns. Destroying it
/// destroys the frame: that is how a run is evicted. Exceptions that leave it end up at the awaiter.
template <class T>
class Flow {
 public:
  struct promise_type : internal::FlowResult<T> {
    std::coroutine_handle<> awaiter;
    std::exception_ptr error;
    Flow get_return_object() { return Flow(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
        return done.promise().awaiter ? done.promise().awaiter : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() { error = std::current_exception(); }
  };

  Flow(Flow&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Flow& operator=(Flow&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Flow() {
    if (handle_) handle_.destroy();
  }

  /// For the scheduler: the frame to resume first, whether it returned, what it returned, and what to do just then.
  std::coroutine_handle<> handle() const { return handle_; }
  bool done() const { return handle_.done(); }
  void on_return(std::function<void()> task) { handle_.promise().returning = std::move(task); }
  T take() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return handle_.promise().take();
  }

  bool await_ready() const noexcept { return handle_.done(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().awaiter = awaiter;
    return handle_;
  }
  T await_resume() { return take(); }

 private:
  explicit Flow(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace callimport::engine
