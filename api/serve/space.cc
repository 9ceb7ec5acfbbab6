#include "api/serve/space.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace callimport::api {

SpaceWatch::SpaceWatch(Executor& loop, Clock& clock, Pool& pool, Disk& disk, std::string folder,
                       std::function<void(std::string)> changed)
    : loop_(loop), clock_(clock), pool_(pool), disk_(disk), folder_(std::move(folder)), changed_(std::move(changed)) {}

void SpaceWatch::look() {
  pool_.post([this] {
    auto free = std::make_shared<Result<std::uint64_t>>(disk_.free_bytes(folder_));  // shared: rides in a copyable task
    loop_.post([this, free] {
      looked(*free);
      clock_.at(clock_.now() + kSpaceLookEvery, [this] { look(); });
    });
  });
}

void SpaceWatch::looked(const Result<std::uint64_t>& free) {
  if (!free) return;
  const Space space = *free < kSpaceNoneBytes ? Space::kNone : *free < kSpaceLowBytes ? Space::kLow : Space::kEnough;
  if (space == std::exchange(space_, space)) return;
  if (space == Space::kEnough) {
    spdlog::info("there is space on the disk again");
    return changed_({});
  }
  const auto words =
      fmt::format("the disk of {} is {} ({} kB left): nothing is lost, imports go on by themselves once there is space",
                  folder_, space == Space::kNone ? "full" : "almost full", *free / 1000);
  spdlog::error(words);
  changed_(words);
}

}  // namespace callimport::api
