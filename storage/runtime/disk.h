#pragma once
// The file interface under everything we keep: SQLite (through our VFS) and media files. Production: POSIX; simulation:
// an in-memory disk that drops or tears whatever was not synced, renames and directory entries included.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/model/result.h"

namespace callimport {

/// Threads: one at a time per File. Offsets and sizes in bytes.
class File {
 public:
  virtual ~File() = default;
  /// Bytes read, fewer than asked only at the end of the file.  @error kUnavailable  I/O error.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) = 0;
  /// All or an error.  @error kUnavailable  disk full ("disk is full" in the text) or I/O error; part may be written.
  virtual Result<> write(std::uint64_t offset, std::span<const std::byte> from) = 0;
  virtual Result<> truncate(std::uint64_t size) = 0;
  /// Content and size survive power loss once this returns.
  virtual Result<> sync() = 0;
  virtual Result<std::uint64_t> size() = 0;
  /// Keeps every other process out (also the sqlite3 shell) until this File is closed.  @error kConflict  held
  /// elsewhere.
  virtual Result<> lock_exclusive() = 0;
};

/// The one error of a disk that people can mend: by making room.
inline bool is_disk_full(const Error& error) { return error.message.find("disk is full") != std::string::npos; }

enum class OpenMode : std::uint8_t {
  kRead,
  kReadWrite,
  kCreate,
  kCreateNew
};  ///< kCreate: read-write, made when absent; 0600

/// Threads: any. Paths are absolute or relative to the working directory, '/'-separated.
class Disk {
 public:
  virtual ~Disk() = default;
  /// @error kNotFound absent; kConflict exists (kCreateNew); kUnavailable anything else, with the path and the reason.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  /// A second name for a file that never changes again.  @error kUnavailable  this disk, or these two places, cannot.
  virtual Result<> link(const std::string& from, const std::string& to) {
    return fail(Code::kUnavailable, "no second name for " + from + " at " + to);
  }
  virtual Result<> remove(const std::string& path) = 0;     ///< @error kNotFound
  virtual Result<> make_dirs(const std::string& path) = 0;  ///< 0700, durable; existing is success
  virtual Result<> sync_dir(const std::string& path) = 0;   ///< entries (creates, renames, removes) survive power loss
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  ///< names, sorted
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

}  // namespace callimport
