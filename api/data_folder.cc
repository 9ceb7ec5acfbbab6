#include "api/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "storage/runtime/os_random.h"

namespace callimport::api {
namespace {

std::string reason() { return std::strerror(errno); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string read_line(int fd) {
  char text[256];
  const auto got = ::pread(fd, text, sizeof text, 0);
  std::string line(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  return line.substr(0, line.find('\n'));
}

/// True when the lock was free and is ours now.
bool lock(int fd) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

bool write_all(int fd, const std::string& text) {
  return ::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

std::string default_data_folder() {
  if (auto given = environment("CALLIMPORT_DATA"); !given.empty()) return given;
  if (auto data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/callimport";
  auto home = environment("HOME");
  if (home.empty()) {
    if (const auto* user = ::getpwuid(::getuid()); user != nullptr) home = user->pw_dir;
  }
  return home + "/.local/share/callimport";
}

Result<std::unique_ptr<FolderLock>> FolderLock::take(const DataFolder& folder, const std::string& who) {
  std::error_code error;
  std::filesystem::create_directories(folder.path, error);
  if (error)
    return fail(Code::kUnavailable, fmt::format("cannot make the data folder {}: {}", folder.path, error.message()));
  const int fd = ::open(folder.lock_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return fail(Code::kUnavailable, fmt::format("cannot use the data folder {}: {}", folder.path, reason()));
  if (!lock(fd)) {
    const auto holder = read_line(fd);
    ::close(fd);
    return fail(Code::kConflict, fmt::format("the data folder {} is in use by {}", folder.path,
                                             holder.empty() ? "another process" : holder));
  }
  if (!write_all(fd, who + "\n")) {
    const auto why = reason();
    ::close(fd);
    return fail(Code::kUnavailable, fmt::format("cannot write in the data folder {}: {}", folder.path, why));
  }
  return std::unique_ptr<FolderLock>(new FolderLock(fd));
}

std::string FolderLock::holder(const DataFolder& folder) {
  const int fd = ::open(folder.lock_file().c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return {};
  std::string line;
  if (!lock(fd)) line = read_line(fd);
  ::close(fd);
  return line;
}

FolderLock::~FolderLock() {
  (void)write_all(fd_, {});
  ::close(fd_);
}

Result<std::string> access_token(const DataFolder& folder) {
  const int fd = ::open(folder.token_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return fail(Code::kUnavailable, fmt::format("cannot open {}: {}", folder.token_file(), reason()));
  auto token = read_line(fd);
  if (token.empty()) {
    OsRandom random;
    token = random.id_text(40);
    if (!write_all(fd, token + "\n")) {
      const auto why = reason();
      ::close(fd);
      return fail(Code::kUnavailable, fmt::format("cannot write {}: {}", folder.token_file(), why));
    }
  }
  ::close(fd);
  return token;
}

}  // namespace callimport::api
