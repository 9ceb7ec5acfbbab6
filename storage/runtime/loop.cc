#include "storage/runtime/loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "storage/runtime/deadlines.h"

namespace callimport {

namespace {
/// The longest sleep of the one timer: deadlines are wall time, the timer is not, so it looks again this often.
constexpr std::chrono::seconds kLookAgain{60};
}  // namespace

struct AsioLoop::Inside {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  boost::asio::steady_timer timer{io};
  Deadlines deadlines;
  std::optional<Timestamp> armed;  ///< what `timer` waits for

  void arm(Timestamp now) {
    const auto first = deadlines.first();
    if (first == armed) return;
    armed = first;
    if (!first) {
      timer.cancel();
      return;
    }
    timer.expires_after(std::clamp<Nanos>(*first - now, Nanos{0}, kLookAgain));
    timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) fire();
    });
  }

  void fire() {
    armed.reset();
    const Timestamp now = std::chrono::system_clock::now();
    const Clock::TimerId before = deadlines.next_id();  // what the tasks set now waits for the next round
    while (Task task = deadlines.take_due(now, before)) task();
    arm(now);
  }
};

AsioLoop::AsioLoop() : inside_(std::make_unique<Inside>()) {}
AsioLoop::~AsioLoop() = default;

void AsioLoop::post(Task task) { boost::asio::post(inside_->io, std::move(task)); }
Timestamp AsioLoop::now() const { return std::chrono::system_clock::now(); }

Clock::TimerId AsioLoop::at(Timestamp when, Task task) {
  const TimerId id = inside_->deadlines.add(when, std::move(task));
  inside_->arm(now());
  return id;
}

void AsioLoop::cancel(TimerId timer) {
  inside_->deadlines.remove(timer);
  inside_->arm(now());
}

void AsioLoop::run() {
  inside_->io.run();
  inside_->io.restart();
}

void AsioLoop::stop() { inside_->io.stop(); }
boost::asio::io_context& AsioLoop::io() noexcept { return inside_->io; }

}  // namespace callimport
