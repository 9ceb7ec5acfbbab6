#include "api/grpc/socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace callimport::api {
namespace {

inline constexpr int kWaitingMax = 1024;
inline constexpr int kNoDescriptorPauseMs = 100;
constexpr std::string_view kPeerPrefix = "fd:";

std::string name_of(uid_t id) {
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(id, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return fmt::format("uid {}", id);
}

}  // namespace

int Peers::keep(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    ::close(fd);
    return -1;
  }
  const std::lock_guard lock(mutex_);
  int kept = fd;
  for (auto found = by_number_.find(kept); found != by_number_.end() && found->second.id != who.uid;
       found = by_number_.find(kept)) {
    const int next = ::fcntl(fd, F_DUPFD_CLOEXEC, kept + 1);
    if (kept != fd) ::close(kept);
    kept = next;
    if (kept < 0) break;
  }
  if (kept != fd) ::close(fd);
  if (kept >= 0 && !by_number_.contains(kept)) by_number_.emplace(kept, User{who.uid, name_of(who.uid)});
  return kept;
}

std::optional<std::string> Peers::user_of(std::string_view peer) const {
  if (!peer.starts_with(kPeerPrefix)) return std::nullopt;
  peer.remove_prefix(kPeerPrefix.size());
  int number = -1;
  const auto read = std::from_chars(peer.data(), peer.data() + peer.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) return std::nullopt;
  return found->second.name;
}

Result<std::unique_ptr<SocketListener>> SocketListener::open(const std::string& path, mode_t mode,
                                                             std::function<void(int fd)> accepted) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(
        Code::kInvalid,
        fmt::format("the path {} is too long for a Unix socket ({} characters at most): use a shorter data folder",
                    path, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Code::kUnavailable, fmt::format("no socket for {}: {}", path, std::strerror(errno)));
  auto listener = std::unique_ptr<SocketListener>(new SocketListener(path, fd));
  ::unlink(path.c_str());  // left by a killed server; the data folder's lock says nobody listens there
  const auto* named = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(fd, named, sizeof address) != 0 || ::chmod(path.c_str(), mode) != 0 || ::listen(fd, kWaitingMax) != 0) {
    return fail(Code::kConflict, fmt::format("cannot listen on {}: {}", path, std::strerror(errno)));
  }
  listener->thread_ =
      std::thread([self = listener.get(), accepted = std::move(accepted)] { self->accept_all(accepted); });
  return listener;
}

void SocketListener::accept_all(const std::function<void(int fd)>& accepted) const {
  while (true) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted(fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      ::poll(nullptr, 0, kNoDescriptorPauseMs);  // others end meanwhile
    } else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
      return;  // shut down
    }
  }
}

SocketListener::~SocketListener() {
  ::shutdown(fd_, SHUT_RDWR);  // ends the accept
  if (thread_.joinable()) thread_.join();
  ::close(fd_);
  ::unlink(path_.c_str());
}

}  // namespace callimport::api
