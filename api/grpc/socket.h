#pragma once
// A Unix socket we accept on ourselves, since gRPC does not tell who is at its other end. Connections are handed to
// gRPC by their descriptor, under which gRPC names the peer ("fd:12"); the kernel says whose it is.
#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "storage/model/result.h"

namespace callimport::api {

/// Which user each connection is of. A descriptor's number is one user's for as long as the process lives: a call that
/// outlived its connection is never taken for that of whoever got the number next.
class Peers {
 public:
  /// The same connection under a number that was no other user's before. -1: none is left, and it is closed.
  int keep(int fd);
  /// The user's name ("anna", or "uid 1000" where the machine knows none); nothing for another kind of peer.
  std::optional<std::string> user_of(std::string_view peer) const;

 private:
  struct User {
    uid_t id;
    std::string name;
  };
  // Not runtime/mutex.h: beside gRPC its macros are Abseil's.
  mutable std::mutex mutex_;  ///< guards by_number_
  std::unordered_map<int, User> by_number_;
};

/// Threads: one of its own accepts. `accepted` is called there with each connection, non-blocking, to be owned.
class SocketListener {
 public:
  /// What lies at `path` is removed first. @error kConflict  it cannot be listened on.
  static Result<std::unique_ptr<SocketListener>> open(const std::string& path, mode_t mode,
                                                      std::function<void(int fd)> accepted);
  /// Ends the thread; the path is removed.
  ~SocketListener();
  SocketListener(const SocketListener&) = delete;
  SocketListener& operator=(const SocketListener&) = delete;

 private:
  SocketListener(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void accept_all(const std::function<void(int fd)>& accepted) const;

  std::string path_;
  int fd_;
  std::thread thread_;
};

}  // namespace callimport::api
