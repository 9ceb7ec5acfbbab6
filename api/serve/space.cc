#include "api/serve/space.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace callimport::api {

SpaceWatch::SpaceWatch(Executor& loop, Clock& clock, Pool& pool, Disk& disk, SpaceReserve& reserve, std::string folder,
                       std::function<void(std::string)> changed)
    : loop_(loop),
      clock_(clock),
      pool_(pool),
      disk_(disk),
      reserve_(reserve),
      folder_(std::move(folder)),
      changed_(std::move(changed)) {}

void SpaceWatch::look() {
  pool_.post([this] {
    auto found = std::make_shared<Look>(ask());  // shared: rides in a copyable task
    loop_.post([this, found] {
      looked(*found);
      clock_.at(clock_.now() + kSpaceLookEvery, [this] { look(); });
    });
  });
}

SpaceWatch::Look SpaceWatch::ask() {
  const bool reserve = reserve_.take();
  return {disk_.free_bytes(folder_), reserve};
}

void SpaceWatch::looked(const Look& look) {
  if (!look.free) return;
  const std::uint64_t free = *look.free;
  const Space space = !look.reserve ? Space::kNone : free < kSpaceLowBytes ? Space::kLow : Space::kEnough;
  if (space == std::exchange(space_, space)) return;
  if (space == Space::kEnough) {
    spdlog::info("there is space on the disk again");
    return changed_({});
  }
  const auto words =
      fmt::format("the disk of {} is {} ({} kB left): nothing is lost, imports go on by themselves once there is space",
                  folder_, space == Space::kNone ? "full" : "almost full", free / 1000);
  spdlog::error(words);
  changed_(words);
}

}  // namespace callimport::api
