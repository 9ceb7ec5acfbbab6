// Order and time, on the loop of production and on the simulated one.
#include "storage/runtime/loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "simulations/world/sim_loop.h"
#include "storage/runtime/mutex.h"
#include "storage/runtime/threads.h"

namespace callimport {
namespace {

/// A loop under test: `run` runs until `finish` was called on it.
struct LoopUnderTest {
  virtual ~LoopUnderTest() = default;
  virtual Executor& executor() = 0;
  virtual Clock& clock() = 0;
  virtual void run() = 0;
  virtual void finish() = 0;
};

struct RealLoop final : LoopUnderTest {
  AsioLoop loop;
  Executor& executor() override { return loop; }
  Clock& clock() override { return loop; }
  void run() override { loop.run(); }
  void finish() override { loop.stop(); }
};

struct VirtualLoop final : LoopUnderTest {
  simulations::SimLoop loop;
  bool finished = false;
  Executor& executor() override { return loop; }
  Clock& clock() override { return loop; }
  void run() override {
    EXPECT_TRUE(loop.run_until([this] { return std::exchange(finished, false); }));
  }
  void finish() override { finished = true; }
};

class Loops : public testing::TestWithParam<const char*> {
 protected:
  Loops() {
    if (std::string(GetParam()) == "Asio") {
      under_test_ = std::make_unique<RealLoop>();
    } else {
      under_test_ = std::make_unique<VirtualLoop>();
    }
  }
  Executor& executor() { return under_test_->executor(); }
  Clock& clock() { return under_test_->clock(); }
  std::unique_ptr<LoopUnderTest> under_test_;
  std::vector<int> seen_;
};

TEST_P(Loops, RunTasksInTheOrderOfPosting) {
  for (int i = 0; i < 100; ++i) executor().post([this, i] { seen_.push_back(i); });
  executor().post([this] { under_test_->finish(); });
  under_test_->run();
  ASSERT_EQ(100u, seen_.size());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(i, seen_[static_cast<std::size_t>(i)]);
}

TEST_P(Loops, FireTimersByTimeThenByOrderOfSetting) {
  const Timestamp start = clock().now();
  const auto note = [this](int i) { return [this, i] { seen_.push_back(i); }; };
  clock().at(start + 3ms, note(5));
  clock().at(start + 2ms, note(3));
  clock().at(start + 2ms, note(4));
  clock().at(start + 1ms, note(2));
  clock().at(start - 1h, note(1));
  clock().at(start + 4ms, [this] { under_test_->finish(); });
  EXPECT_TRUE(seen_.empty()) << "a timer in the past fires inside `at`";
  under_test_->run();
  EXPECT_EQ((std::vector<int>{1, 2, 3, 4, 5}), seen_);
  EXPECT_GE(clock().now(), start + 4ms);
}

TEST_P(Loops, ForgetCancelledTimers) {
  const Timestamp start = clock().now();
  const auto first = clock().at(start + 1ms, [this] { seen_.push_back(1); });
  Clock::TimerId third = 0;
  clock().at(start + 2ms, [&] { clock().cancel(third); });
  third = clock().at(start + 2ms, [this] { seen_.push_back(3); });
  clock().cancel(first);
  clock().cancel(first);
  clock().at(start + 3ms, [this] { under_test_->finish(); });
  under_test_->run();
  EXPECT_TRUE(seen_.empty());
}

TEST_P(Loops, LetATimerSetAnother) {
  int left = 5;
  std::function<void()> again = [&] {
    if (--left == 0) return under_test_->finish();
    clock().at(clock().now() - 1s, again);
  };
  clock().at(clock().now(), again);
  under_test_->run();
  EXPECT_EQ(0, left);
}

INSTANTIATE_TEST_SUITE_P(Table, Loops, testing::Values("Asio", "Virtual"), [](const auto& test) { return test.param; });

TEST(AsioLoop, TakesPostsFromManyThreads) {
  AsioLoop loop;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        loop.post([&] {
          if (++count == 4'000) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(4'000, count);
}

TEST(AsioLoop, ReturnsAtOnceWhenStoppedBefore) {
  AsioLoop loop;
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.stop();
  loop.run();
  EXPECT_FALSE(ran);
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(ran) << "a stopped loop runs again";
}

TEST(SimLoop, JumpsOverADayAndStandsStillWhileThereIsWork) {
  simulations::SimLoop loop;
  const Timestamp start = loop.now();
  bool late = false;
  loop.at(start + 24h, [&] { late = true; });
  loop.post([&] { EXPECT_EQ(start, loop.now()); });
  loop.run_for(23h);
  EXPECT_FALSE(late);
  EXPECT_EQ(start + 23h, loop.now());
  loop.run_for(1h);
  EXPECT_TRUE(late);
  EXPECT_FALSE(loop.step());
  EXPECT_FALSE(loop.run_until([] { return false; }));
}

TEST(SimLoop, DropsWhatADeadProcessLeftBehind) {
  simulations::SimLoop loop;
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.at(loop.now() + 1s, [&] { ran = true; });
  loop.drop_all();
  loop.run_for(1h);
  EXPECT_FALSE(ran);
}

TEST(ThreadPool, RunsWorkAtTheSameTimeAndWaitsForWhatIsUnderWay) {
  Mutex mutex;
  Condition changed;
  int waiting = 0;
  bool finished = false;
  {
    ThreadPool pool(2);
    const auto meet = [&] {  // each ends only when the other has begun
      MutexLock lock(mutex);
      ++waiting;
      changed.wake_all();
      while (waiting < 2) changed.wait(mutex);
      finished = true;
    };
    pool.post(meet);
    pool.post(meet);
    MutexLock lock(mutex);
    while (waiting < 2) changed.wait(mutex);
  }
  EXPECT_TRUE(finished);
}

}  // namespace
}  // namespace callimport
