#pragma once
#include "storage/runtime/disk.h"

namespace callimport {

/// The operating system's files. sync is fdatasync, sync_dir is fsync of the directory, make_dirs syncs the parents of
/// what it made. lock_exclusive takes an open-file-description lock (fcntl(2), F_OFD_SETLK) on the bytes SQLite locks,
/// so that the sqlite3 shell is kept out as well as a second process of ours. Files are made 0600, directories 0700.
/// Threads: any.
class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> link(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> make_dirs(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
};

}  // namespace callimport
