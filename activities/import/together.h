#pragma once
// Several coroutines side by side, all joined.
#include <memory>
#include <utility>
#include <vector>

#include "engine/awaitable.h"

namespace callimport::activities {

/// Returns when every one of `parts` has.
inline engine::Awaitable<void> together(Executor& loop, std::vector<engine::Awaitable<void>> parts) {
  if (parts.empty()) co_return;
  auto start = [&loop, &parts](std::function<void(bool)> set) {
    auto left = std::make_shared<std::size_t>(parts.size());  // shared by the parts' ends: the last one speaks
    for (auto& part : parts) {
      engine::spawn(loop, std::move(part), [left, set] {
        if (--*left == 0) set(true);
      });
    }
  };
  (void)co_await engine::async_value<bool>(std::move(start));
}

}  // namespace callimport::activities
