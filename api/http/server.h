#pragma once
// HTTP/1.1 in, by Beast: keep-alive, one request of a connection at a time, thousands of connections on one loop. The
// product's door and the sandboxes are this server with different handlers.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/http/message.h"
#include "storage/model/result.h"
#include "storage/model/time.h"

namespace boost::asio {
class io_context;
}

namespace callimport::api {

struct WebLimits {
  int connections = 512;                     ///< beyond it new ones are closed at once
  std::uint32_t head_bytes = 16 << 10;       ///< request line and headers; beyond: 431
  std::size_t body_bytes = 1 << 20;          ///< beyond: 413
  Nanos request = std::chrono::seconds{30};  ///< from the end of the answer before to the last byte of the request
  Nanos answer = std::chrono::seconds{30};   ///< for the client to take it
};

/// What the server itself refuses (400, 413, 431), made into an answer.
using RefusedReply = std::function<WebReply(int status)>;

struct WebServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  WebLimits limits{};
  std::string tls_cert, tls_key;  ///< PEM; both: TLS
  RefusedReply refused{};         ///< empty: the bare status
};

/// Threads: the one that runs `io`; made before it runs or on it. Lifetime: `io` and what the handler uses outlive it.
/// Destroyed: connections are closed, answers that come later go nowhere.
class WebServer {
 public:
  /// @error kConflict     the address is taken: says which.
  /// @error kUnavailable  it is not an address of this machine.
  /// @error kInvalid      certificate and key that TLS cannot use.
  static Result<std::unique_ptr<WebServer>> listen(boost::asio::io_context& io, WebHandler handler,
                                                   WebServerOptions options);
  virtual ~WebServer() = default;
  virtual std::uint16_t port() const = 0;
  virtual int connections() const = 0;
};

}  // namespace callimport::api
