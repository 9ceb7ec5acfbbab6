#include "storage/runtime/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace callimport {

namespace {

/// Where SQLite's own locks lie: PENDING_BYTE and the 511 bytes after it
/// (https://sqlite.org/fileformat.html#the_lock_byte_page).
constexpr off_t kLockStart = 0x40000000;
constexpr off_t kLockBytes = 512;

tl::unexpected<Error> os_error(std::string_view verb, const std::string& path, int error) {
  std::string text = "cannot " + std::string(verb) + " " + path + ": ";
  if (error == ENOENT) return fail(Code::kNotFound, text + "no such file or folder");
  if (error == EEXIST) return fail(Code::kConflict, text + "it exists already");
  if (error == ENOSPC || error == EDQUOT) return fail(Code::kUnavailable, text + "the disk is full");
  return fail(Code::kUnavailable, text + std::strerror(error));
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = uninterrupted([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return os_error("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override {
    std::size_t done = 0;
    while (done < from.size()) {
      const ssize_t put = uninterrupted([&] {
        return ::pwrite(fd_.get(), from.data() + done, from.size() - done, static_cast<off_t>(offset + done));
      });
      if (put < 0) return os_error("write", path_, errno);
      done += static_cast<std::size_t>(put);
    }
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0) {
      return os_error("truncate", path_, errno);
    }
    return {};
  }

  Result<> sync() override {
    if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) < 0) return os_error("sync", path_, errno);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) < 0) return os_error("look at", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<> lock_exclusive() override {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = kLockStart;
    lock.l_len = kLockBytes;
    if (uninterrupted([&] { return ::fcntl(fd_.get(), F_OFD_SETLK, &lock); }) == 0) return {};
    if (errno == EAGAIN || errno == EACCES) return fail(Code::kConflict, path_ + " is in use by another process");
    return os_error("lock", path_, errno);
  }

 private:
  Descriptor fd_;
  std::string path_;
};

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead: return O_RDONLY;
    case OpenMode::kReadWrite: return O_RDWR;
    case OpenMode::kCreate: return O_RDWR | O_CREAT;
    case OpenMode::kCreateNew: return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0600); }));
  if (fd.get() < 0) return os_error("open", path, errno);
  struct stat status{};
  if (::fstat(fd.get(), &status) < 0) return os_error("open", path, errno);
  if (S_ISDIR(status.st_mode)) return os_error("open", path, EISDIR);
  return std::make_unique<PosixFile>(std::move(fd), path);
}

Result<> PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) return os_error("rename " + from + " to", to, errno);
  return {};
}

Result<> PosixDisk::link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) < 0) return os_error("link " + from + " to", to, errno);
  return {};
}

Result<> PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) < 0) return os_error("remove", path, errno);
  return {};
}

Result<> PosixDisk::make_dirs(const std::string& path) {
  for (std::size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0700) == 0) {
      const std::size_t slash = part.rfind('/');
      TRY_VOID(sync_dir(slash == std::string::npos ? "." : slash == 0 ? "/" : part.substr(0, slash)));
      continue;
    }
    if (errno != EEXIST) return os_error("make the folder", part, errno);
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) < 0) return os_error("make the folder", path, errno);
  if (!S_ISDIR(status.st_mode)) return os_error("make the folder", path, ENOTDIR);
  return {};
}

Result<> PosixDisk::sync_dir(const std::string& path) {
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (fd.get() < 0) return os_error("open the folder", path, errno);
  if (uninterrupted([&] { return ::fsync(fd.get()); }) < 0) return os_error("sync the folder", path, errno);
  return {};
}

Result<bool> PosixDisk::exists(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return os_error("look at", path, errno);
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  if (!folder) return os_error("list", path, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return os_error("list", path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::uint64_t> PosixDisk::free_bytes(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) < 0) return os_error("look at", path, errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace callimport
