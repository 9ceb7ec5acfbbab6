#pragma once
// Where a browser comes back to after a sign-in: a port of this machine that answers one path, for a while.
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/result.h"

namespace callimport::api {

using QueryFields = std::map<std::string, std::string, std::less<>>;
/// What stands behind the `?`, decoded; of a name that comes twice the first.
QueryFields read_query(std::string_view text);

/// HTTP/1.1 on 127.0.0.1, for GET only, one request a connection. Whatever else comes is answered 404 and waited past,
/// so that a stray or forged request ends nothing. Threads: one.
class Loopback {
 public:
  static constexpr std::size_t kConnectionsMax = 16;  ///< browsers open some that stay silent
  static constexpr std::size_t kHeadBytesMax = 16u << 10;

  /// On a free port.  @error kUnavailable  there is none.
  static Result<Loopback> open();
  Loopback(Loopback&& other) noexcept : listener_(std::exchange(other.listener_, -1)), port_(other.port_) {}
  Loopback& operator=(Loopback&&) = delete;
  ~Loopback();
  int port() const { return port_; }

  struct Page {
    int status = 200;
    std::string title, text;
    bool last = false;  ///< nothing more is waited for
  };
  /// Calls `answer` with the query of each GET of `path`, until one is the last. @return false: `until` came, or
  /// Ctrl-C, before that.
  bool serve(const std::string& path, std::chrono::steady_clock::time_point until,
             const std::function<Page(const QueryFields&)>& answer);

 private:
  struct Connection {
    int fd = -1;
    std::string head;
  };
  Loopback(int listener, int port) : listener_(listener), port_(port) {}
  void accept_one();
  /// @return true once its head is whole, or it is gone.
  bool read_some(Connection& connection);
  void close_all();

  int listener_ = -1, port_ = 0;
  std::vector<Connection> connections_;
};

}  // namespace callimport::api
