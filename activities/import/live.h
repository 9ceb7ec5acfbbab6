#pragma once
// What the steps of an import that run in this process share while they run: when anything last moved, who stands in
// line for a place, and its window as it was last set. In memory only: what must outlive the process is in library.db.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/library/records.h"
#include "storage/model/time.h"
#include "storage/windows/time_window.h"

namespace callimport::activities {

/// Threads: the loop.
class LiveImports {
 public:
  /// An answer came, bytes came, a call was stored: whatever only happens when work goes on.
  void moved(const std::string& import, Timestamp now) { imports_[import].moved = now; }
  /// How many steps of a lane run at once at most, of all imports. 0: any number.
  void set_places(int places) { places_ = places; }

  /// A step of a lane from its beginning to its end. What never moves is counted from the first one.
  class Step {
   public:
    Step(std::shared_ptr<LiveImports> live, std::string import, storage::Lane lane, Timestamp now)
        : live_(std::move(live)), import_(std::move(import)), lane_(static_cast<std::size_t>(lane)) {
      Live& mine = live_->imports_[import_];
      if (!mine.moved) mine.moved = now;
      ++mine.steps;
      ++live_->steps_[lane_];
    }
    ~Step() {
      --live_->steps_[lane_];
      const auto mine = live_->imports_.find(import_);
      if (mine != live_->imports_.end() && mine->second.steps > 0) --mine->second.steps;
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::shared_ptr<LiveImports> live_;  // also the activities': a step may end after the worker
    std::string import_;
    std::size_t lane_;
  };

  /// Since when nothing has; who is asked about for the first time has just moved, and so has who stands in line: none
  /// of its steps runs, and a lane's places are all taken.
  Timestamp moved_at(const std::string& import, Timestamp now) {
    Live& live = imports_[import];
    if (!live.moved || (live.steps == 0 && places_taken())) live.moved = now;
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
    int steps = 0;  ///< that run now
  };
  bool places_taken() const { return places_ > 0 && std::max(steps_[0], steps_[1]) >= places_; }

  std::map<std::string, Live> imports_;
  std::array<int, 2> steps_ = {0, 0};  ///< of first lanes, of bulk
  int places_ = 0;
};

}  // namespace callimport::activities
