#pragma once
// What the steps of an import that run in this process share while they run: when anything last moved, and its window
// as it was last set. In memory only: what must outlive the process is in library.db.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "storage/model/time.h"
#include "storage/windows/time_window.h"

namespace callimport::activities {

/// Threads: the loop.
class LiveImports {
 public:
  /// An answer came, bytes came, a call was stored: whatever only happens when work goes on.
  void moved(const std::string& import, Timestamp now) { imports_[import].moved = now; }
  /// A step begins: what never moves is counted from the first one.
  void began(const std::string& import, Timestamp now) {
    auto& at = imports_[import].moved;
    if (!at) at = now;
  }
  /// Since when nothing has; who is asked about for the first time has just moved.
  Timestamp moved_at(const std::string& import, Timestamp now) {
    Live& live = imports_[import];
    if (!live.moved) live.moved = now;
    return std::min(*live.moved, now);  // a clock that was set back
  }

  void set_window(const std::string& import, storage::TimeWindow window) {
    imports_[import].window = std::move(window);
  }
  /// Nothing: as the step's input or the library says.
  std::optional<storage::TimeWindow> window(const std::string& import) const {
    const auto found = imports_.find(import);
    return found == imports_.end() ? std::nullopt : found->second.window;
  }

  /// The import has ended.
  void forget(const std::string& import) { imports_.erase(import); }

 private:
  struct Live {
    std::optional<Timestamp> moved;
    std::optional<storage::TimeWindow> window;
  };
  std::map<std::string, Live> imports_;
};

}  // namespace callimport::activities
