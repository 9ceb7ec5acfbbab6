#pragma once
// Looks at the free space of the data folder, and says so when it is about to run out: what cannot be written waits and
// is tried again, so somebody must know why nothing moves. Takes the reserve again once there is space.
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "storage/runtime/clock.h"
#include "storage/runtime/disk.h"
#include "storage/runtime/executor.h"
#include "storage/runtime/space_reserve.h"

namespace callimport::api {

inline constexpr std::uint64_t kSpaceLowBytes = 32u << 20;    ///< almost full
inline constexpr std::uint64_t kSpaceNoneBytes = 256u << 10;  ///< full
inline constexpr auto kSpaceLookEvery = std::chrono::seconds{2};

/// Threads: the loop; the disk is asked on the pool. Lifetime: everything outlives it, and it the loop's last turn.
class SpaceWatch {
 public:
  /// `changed` gets the sentence, or nothing once there is space again.
  SpaceWatch(Executor& loop, Clock& clock, Pool& pool, Disk& disk, SpaceReserve& reserve, std::string folder,
             std::function<void(std::string)> changed);
  void look();  ///< now, and again every kSpaceLookEvery

 private:
  struct Look {
    Result<std::uint64_t> free;
    bool reserve;  ///< whole
  };
  Look ask();
  void looked(const Look& look);

  Executor& loop_;
  Clock& clock_;
  Pool& pool_;
  Disk& disk_;
  SpaceReserve& reserve_;
  const std::string folder_;
  std::function<void(std::string)> changed_;
  enum class Space { kEnough, kLow, kNone };
  Space space_ = Space::kEnough;
};

}  // namespace callimport::api
