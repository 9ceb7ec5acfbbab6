// asio::awaitable and its operators on our Executor and Clock, in virtual time.
#include "engine/awaitable.h"

#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <string>
#include <variant>
#include <vector>

#include "simulations/world/sim_loop.h"

namespace callimport::engine {
namespace {

using boost::asio::experimental::awaitable_operators::operator||;
using boost::asio::experimental::awaitable_operators::operator&&;
using simulations::SimLoop;

Awaitable<std::string> after(Clock& clock, Nanos wait, std::string what) {
  co_await sleep_for(clock, wait);
  co_return what;
}

Awaitable<std::string> first_of(Clock& clock, Nanos one, Nanos other) {
  auto race = after(clock, one, "one") || after(clock, other, "other");
  auto won = co_await std::move(race);
  co_return std::to_string(won.index()) + " " + std::visit([](const auto& text) { return text; }, won);
}

TEST(Awaitable, SleepTakesVirtualTimeOnly) {
  SimLoop loop;
  std::string got;
  spawn(loop, after(loop, std::chrono::hours{24}, "slept"), [&](std::string what) { got = std::move(what); });
  loop.run_for(std::chrono::hours{24} - Nanos{1});
  EXPECT_EQ("", got);
  loop.run_for(Nanos{1});
  EXPECT_EQ("slept", got);
}

TEST(Awaitable, TheFirstOfTwoWinsAndTheOtherIsNotWaitedFor) {
  SimLoop loop;
  std::string got;
  spawn(loop, first_of(loop, std::chrono::hours{1}, 5s), [&](std::string what) { got = std::move(what); });
  loop.run_for(5s);
  EXPECT_EQ("1 other", got);
  EXPECT_EQ(0u, loop.timers());
}

TEST(Awaitable, BothOfTwoTakeTheLongerTime) {
  SimLoop loop;
  std::vector<std::string> got;
  auto both = [](Clock& clock) -> Awaitable<std::vector<std::string>> {
    auto pair = after(clock, 3s, "one") && after(clock, 7s, "other");
    auto [one, other] = co_await std::move(pair);
    std::vector<std::string> all{one, other};
    co_return all;
  };
  spawn(loop, both(loop), [&](std::vector<std::string> all) { got = std::move(all); });
  loop.run_for(7s);
  EXPECT_EQ((std::vector<std::string>{"one", "other"}), got);
}

TEST(Awaitable, AValueComesFromACallback) {
  SimLoop loop;
  std::function<void(int)> keep;
  auto wait = [](std::function<void(int)>* into) -> Awaitable<int> {
    auto start = [into](std::function<void(int)> set) { *into = std::move(set); };
    co_return co_await async_value<int>(std::move(start));
  };
  int got = 0;
  spawn(loop, wait(&keep), [&](int value) { got = value; });
  loop.run_idle();
  ASSERT_TRUE(keep);
  EXPECT_EQ(0, got);
  keep(7);
  loop.run_idle();
  EXPECT_EQ(7, got);
}

TEST(Awaitable, PoolWorkResumesOnTheLoop) {
  SimLoop loop;
  auto wait = [](SimLoop& pool) -> Awaitable<std::string> {
    auto work = [] { return std::string("worked"); };
    co_return co_await on_pool(pool, pool, std::move(work));
  };
  std::string got;
  spawn(loop, wait(loop), [&](std::string value) { got = std::move(value); });
  loop.run_idle();
  EXPECT_EQ("worked", got);
}

TEST(Awaitable, TheExecutorIsOursAllTheWayDown) {
  SimLoop loop;
  bool same = false;
  auto ask = [](SimLoop& ours) -> Awaitable<bool> {
    auto executor = co_await boost::asio::this_coro::executor;
    const auto* held = executor.target<LoopExecutor>();
    co_return held != nullptr && *held == LoopExecutor(ours);
  };
  spawn(loop, ask(loop), [&](bool yes) { same = yes; });
  loop.run_idle();
  EXPECT_TRUE(same);
}

TEST(Awaitable, ASleepThatNeverEndsIsDroppedWithItsLoop) {
  bool destroyed = false;
  {
    SimLoop loop;
    struct Flag {
      bool* set;
      ~Flag() { *set = true; }
    };
    auto hold = [](Clock& clock, std::shared_ptr<Flag> flag) -> Awaitable<bool> {
      co_await sleep_for(clock, std::chrono::hours{1});
      co_return flag != nullptr;
    };
    spawn(loop, hold(loop, std::make_shared<Flag>(Flag{&destroyed})), [](bool) { FAIL() << "it never wakes"; });
    destroyed = false;  // the temporary Flag is gone too
    loop.run_for(1s);
    loop.drop_all();
    EXPECT_TRUE(destroyed);
  }
}

}  // namespace
}  // namespace callimport::engine
