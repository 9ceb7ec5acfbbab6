#include "storage/runtime/space_reserve.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace callimport {
namespace {

constexpr std::size_t kPortionBytes = 64u << 10;

/// Noise, because a file system that compresses would set aside nothing for zeros.
std::array<std::byte, kPortionBytes> noise() {
  std::array<std::byte, kPortionBytes> bytes{};
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

SpaceReserve::SpaceReserve(Disk& disk, std::string path, std::uint64_t bytes)
    : disk_(disk), path_(std::move(path)), bytes_(bytes) {}

bool SpaceReserve::take() {
  MutexLock lock(mutex_);
  if (bytes_ == 0) whole_ = true;
  if (whole_) return true;
  const auto filled = fill();
  if (!filled) (void)disk_.remove(path_);
  whole_ = filled.value_or(false);
  return whole_;
}

Result<bool> SpaceReserve::fill() {
  TRY(auto file, disk_.open(path_, OpenMode::kCreate));
  TRY(std::uint64_t at, file->size());
  if (at >= bytes_) return true;
  TRY(const std::uint64_t free, disk_.free_bytes(folder_of(path_)));
  if (free + at < 2 * bytes_) return false;
  const auto portion = noise();
  while (at < bytes_) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(portion.size(), bytes_ - at));
    TRY_VOID(file->write(at, std::span(portion).first(bytes)));
    at += bytes;
  }
  return true;
}

void SpaceReserve::give_up() {
  MutexLock lock(mutex_);
  if (!whole_ || bytes_ == 0) return;
  whole_ = false;
  (void)disk_.remove(path_);
}

namespace {

/// Tried again even when the reserve was gone already: another thread may have given it up for its own write just now.
template <class Operation>
auto with_reserve(SpaceReserve& reserve, Operation operation) {
  auto done = operation();
  if (done || !is_disk_full(done.error())) return done;
  reserve.give_up();
  return operation();
}

class ReservedFile final : public File {
 public:
  ReservedFile(std::unique_ptr<File> file, SpaceReserve& reserve) : file_(std::move(file)), reserve_(reserve) {}
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    return file_->read(offset, into);
  }
  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override {
    return with_reserve(reserve_, [&] { return file_->write(offset, from); });
  }
  Result<> truncate(std::uint64_t size) override {
    return with_reserve(reserve_, [&] { return file_->truncate(size); });
  }
  Result<> sync() override {
    return with_reserve(reserve_, [&] { return file_->sync(); });
  }
  Result<std::uint64_t> size() override { return file_->size(); }
  Result<> lock_exclusive() override { return file_->lock_exclusive(); }

 private:
  std::unique_ptr<File> file_;
  SpaceReserve& reserve_;
};

}  // namespace

Result<std::unique_ptr<File>> ReservedDisk::open(const std::string& path, OpenMode mode) {
  TRY(auto file, with_reserve(reserve_, [&] { return disk_.open(path, mode); }));
  return std::make_unique<ReservedFile>(std::move(file), reserve_);
}

Result<> ReservedDisk::make_dirs(const std::string& path) {
  return with_reserve(reserve_, [&] { return disk_.make_dirs(path); });
}

}  // namespace callimport
