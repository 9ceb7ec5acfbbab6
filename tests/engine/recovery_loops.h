#pragma once
// The same story told again and again: each time the process ends after another commit, or another append fails.
//
// A Driver tells one story to a ServiceWorld: `round()` asks everybody in it once what to do next and is true once all
// is done; `forget()` drops what was in hands; `told()` is what the client was told is done, given to the Driver that
// goes on after the process ended.
#include <gtest/gtest.h>

#include <string>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {

inline constexpr int kRoundsMax = 400;

using Expectation = void (*)(ServiceWorld& world, const std::string& when);

template <class Driver>
void end_after_each_commit(Expectation expect_done) {
  for (std::uint64_t at = 1;; ++at) {
    SCOPED_TRACE("commit " + std::to_string(at));
    ServiceWorld world;
    std::uint64_t commits = 0;
    Durable moment;
    typename Driver::Told told;
    bool reached = false;
    Driver driver(world, {});
    world.journal->on_commit = [&] {
      if (++commits != at) return;
      moment = world.journal->durable();
      told = driver.told();
      reached = true;
    };
    int rounds = 0;
    while (!driver.round() && !reached && ++rounds < kRoundsMax) {
    }
    ASSERT_LT(rounds, kRoundsMax);
    if (!reached) break;  // it finished before: no later commit to die after
    // Everything after that commit never happened.
    ServiceWorld after({}, moment, world.loop.now());
    Driver second(after, told);
    rounds = 0;
    while (!second.round() && ++rounds < kRoundsMax) {
    }
    ASSERT_LT(rounds, kRoundsMax) << "it did not finish after a restart";
    expect_done(after, "death after commit " + std::to_string(at));
  }
}

/// What a restart shows is what was seen before it.
template <class Driver>
void restart_after_each_round() {
  ServiceWorld world;
  Driver driver(world, {});
  int rounds = 0;
  bool done = false;
  while (!done && ++rounds < kRoundsMax) {
    done = driver.round();
    ServiceWorld recovered({}, world.journal->durable(), world.loop.now());
    EXPECT_EQ(world.everything(), recovered.everything()) << "after round " << rounds;
  }
  EXPECT_TRUE(done);
}

template <class Driver>
void fail_each_append_once(const EmbeddedOptions& options, Expectation expect_done) {
  for (std::uint64_t at = 1;; ++at) {
    SCOPED_TRACE("append " + std::to_string(at));
    ServiceWorld world(options);
    Driver driver(world, {});
    std::uint64_t commits = 0;
    bool failed = false;
    world.journal->full = at == 1;
    world.journal->on_commit = [&] { world.journal->full = ++commits + 1 == at; };
    int rounds = 0;
    bool done = false;
    while (!done && ++rounds < kRoundsMax) {
      done = driver.round();
      if (world.journal->full) {
        failed = true;
        world.journal->full = false;
        world.journal->on_commit = nullptr;
        driver.forget();
      }
    }
    ASSERT_TRUE(done) << "it did not finish after a full disk";
    expect_done(world, "append " + std::to_string(at) + " failed");
    ServiceWorld recovered({}, world.journal->durable(), world.loop.now());
    EXPECT_EQ(world.everything(), recovered.everything());
    if (!failed) break;
  }
}

}  // namespace callimport::engine::testing_world
