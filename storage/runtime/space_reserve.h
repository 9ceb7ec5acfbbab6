#pragma once
// Space set aside for the day the disk is full: what must be written then, so that people can be told and nothing hangs
// half done, is little, and finds its room here.
#include <atomic>
#include <cstdint>
#include <string>

#include "storage/runtime/disk.h"
#include "storage/runtime/mutex.h"

namespace callimport {

inline constexpr std::uint64_t kReserveBytes = 16u << 20;  ///< both databases' logs between two checkpoints, and some

/// A file of so many bytes, 0: no reserve is kept. Not durable: after a power loss it is filled up again.
/// Threads: any; `take` and `give_up` do I/O. Lifetime: the disk outlives it.
class SpaceReserve {
 public:
  SpaceReserve(Disk& disk, std::string path, std::uint64_t bytes);
  /// True when the space is set aside, now or already. It is not taken while that would leave less than as much again:
  /// a disk that is full once more at the next write helps nobody.
  bool take();
  void give_up();
  /// False from the day the disk is full until there is space again: what can wait should. No I/O, no waiting.
  bool whole() const noexcept { return whole_; }

 private:
  Result<bool> fill() REQUIRES(mutex_);

  Disk& disk_;
  const std::string path_;
  const std::uint64_t bytes_;
  Mutex mutex_;  ///< one writer of the file at a time
  std::atomic<bool> whole_ = false;
};

/// The disk with the reserve behind it: a write that finds no space gives the reserve up and is tried once more.
/// Threads: any. Lifetime: both outlive it.
class ReservedDisk final : public Disk {
 public:
  ReservedDisk(Disk& disk, SpaceReserve& reserve) : disk_(disk), reserve_(reserve) {}
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<> rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Result<> link(const std::string& from, const std::string& to) override { return disk_.link(from, to); }
  Result<> remove(const std::string& path) override { return disk_.remove(path); }
  Result<> make_dirs(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override { return disk_.sync_dir(path); }
  Result<bool> exists(const std::string& path) override { return disk_.exists(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return disk_.list(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_.free_bytes(path); }

 private:
  Disk& disk_;
  SpaceReserve& reserve_;
};

}  // namespace callimport
