#pragma once
// asio::awaitable over our own seams: any_io_executor on an Executor, sleeping on a Clock, blocking work on a Pool. No
// Asio timer and no io_context here, so the same coroutine runs in production and in virtual time.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"

namespace callimport::engine {

namespace asio = boost::asio;
template <class T>
using Awaitable = asio::awaitable<T>;

/// An Asio executor over ours. Copies are cheap; the Executor outlives them: destroying a suspended coroutine posts to
/// it.
class LoopExecutor {
 public:
  explicit LoopExecutor(Executor& loop) noexcept : loop_(&loop) {}
  template <class F>
  void execute(F f) const {
    auto held = std::make_shared<F>(std::move(f));  // shared: Task must be copyable, F need not be; one owner in effect
    loop_->post([held] { std::move (*held)(); });
  }
  friend bool operator==(const LoopExecutor& a, const LoopExecutor& b) noexcept { return a.loop_ == b.loop_; }
  friend bool operator!=(const LoopExecutor& a, const LoopExecutor& b) noexcept { return !(a == b); }
  asio::execution_context& query(asio::execution::context_t) const noexcept;
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  LoopExecutor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }

 private:
  Executor* loop_;
};

/// Starts `work` on the loop; `done` comes there with its value. Exceptions end the program: floors speak Result.
template <class T, class Done>
void spawn(Executor& loop, Awaitable<T> work, Done done) {
  asio::co_spawn(asio::any_io_executor(LoopExecutor(loop)), std::move(work),
                 [done = std::move(done)](std::exception_ptr error, auto... value) mutable {
                   if (error) std::rethrow_exception(error);
                   done(std::move(value)...);
                 });
}

/// One value handed from a callback to a waiting coroutine: `co_await async_value<T>([&](auto set) { start(set); })`.
/// `set` is copyable and is called once, on the loop. Name the starter before you await it (style 4).
template <class T, class Start>
Awaitable<T> async_value(Start start) {
  auto token = asio::use_awaitable;
  co_return co_await asio::async_initiate<decltype(token), void(T)>(
      [](auto handler, Start begin) {
        auto held = std::make_shared<decltype(handler)>(std::move(handler));
        begin(std::function<void(T)>([held](T value) { std::move (*held)(std::move(value)); }));
      },
      token, std::move(start));
}

/// Returns at or after now + `duration`, or soon after it is cancelled: `work || sleep_for(..)` is a timeout. What
/// loses an
/// `||` is waited for, so `work` must heed cancellation too; `async_value` and `on_pool` don't and run to their end.
Awaitable<void> sleep_for(Clock& clock, Nanos duration);

/// Runs `work` on the pool and resumes on the loop with its value.
template <class Work, class T = std::invoke_result_t<Work>>
Awaitable<T> on_pool(Pool& pool, Executor& loop, Work work) {
  auto start = [&pool, &loop, work = std::move(work)](std::function<void(T)> set) mutable {
    pool.post([&loop, work = std::move(work), set = std::move(set)]() mutable {
      auto value = std::make_shared<T>(work());  // shared: rides in a copyable Task
      loop.post([value, set = std::move(set)] { set(std::move(*value)); });
    });
  };
  co_return co_await async_value<T>(std::move(start));
}

}  // namespace callimport::engine
