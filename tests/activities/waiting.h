#pragma once
// Runs one coroutine to its end on a loop, and hands out its value.
#include <functional>
#include <optional>
#include <utility>

#include "engine/awaitable.h"
#include "simulations/world/sim_loop.h"
#include "storage/runtime/loop.h"

namespace callimport {

/// On the production loop, in real time.
template <class T>
T run_on(AsioLoop& loop, engine::Awaitable<T> work) {
  std::optional<T> value;
  engine::spawn(loop, std::move(work), [&](T got) {
    value = std::move(got);
    loop.stop();
  });
  loop.run();
  return std::move(value).value();
}

/// In virtual time.
template <class T>
T run_on(simulations::SimLoop& loop, engine::Awaitable<T> work) {
  std::optional<T> value;
  engine::spawn(loop, std::move(work), [&](T got) { value = std::move(got); });
  loop.run_until([&] { return value.has_value(); });
  return std::move(value).value();
}

}  // namespace callimport
