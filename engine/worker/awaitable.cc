#include "engine/awaitable.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/execution_context.hpp>

namespace callimport::engine {
namespace {

/// One sleep under way; shared by the clock's task and the cancellation slot: whichever comes first finishes it.
template <class Handler>
struct Sleep {
  explicit Sleep(Handler handler_in) : handler(std::move(handler_in)) {}
  Handler handler;
  bool finished = false;
  void finish() {
    if (std::exchange(finished, true)) return;
    std::move(handler)();
  }
};

struct BeginSleep {
  template <class Handler>
  void operator()(Handler handler, Clock* clock, Nanos duration) const {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto sleep = std::make_shared<Sleep<Handler>>(std::move(handler));
    const Clock::TimerId timer = clock->at(clock->now() + duration, [sleep] { sleep->finish(); });
    if (!slot.is_connected()) return;
    slot.assign([clock, timer, weak = std::weak_ptr(sleep)](asio::cancellation_type) {
      auto held = weak.lock();
      if (!held || held->finished) return;
      clock->cancel(timer);
      clock->at(clock->now(), [held] { held->finish(); });
    });
  }
};

}  // namespace

asio::execution_context& LoopExecutor::query(asio::execution::context_t) const noexcept {
  // Asio wants a context to hang services on; no coroutine of ours uses one, so one empty context serves every loop.
  static asio::execution_context context;
  return context;
}

Awaitable<void> sleep_for(Clock& clock, Nanos duration) {
  Clock* held = &clock;
  auto token = asio::use_awaitable;
  BeginSleep begin;
  co_await asio::async_initiate<decltype(token), void()>(begin, token, held, duration);
}

}  // namespace callimport::engine
