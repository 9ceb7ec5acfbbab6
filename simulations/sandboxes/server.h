#pragma once
// A sandbox behind a real socket: HTTP/1.1 with keep-alive on its own io_context, thousands of connections on one
// thread.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simulations/sandboxes/sandbox.h"
#include "storage/model/result.h"

namespace callimport::simulations {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  std::string
      log_path;  ///< empty: no request log; else one JSON line a request is appended, before its answer goes out
};
inline constexpr int kServerConnectionsMax = 4096;  ///< beyond it, new ones are closed at once

/// Threads: `listen` makes it answer nothing yet; then either `run` on this thread or `start` on one of its own. `stop`
/// from any thread. The sandbox is called on that one thread and outlives the server.
class SandboxServer {
 public:
  /// @error kUnavailable  the address is taken or not ours, or the log cannot be opened: says which.
  static Result<std::unique_ptr<SandboxServer>> listen(Sandbox& sandbox, const ServerOptions& options);
  virtual ~SandboxServer() = default;
  virtual std::uint16_t port() const = 0;
  virtual void run() = 0;    ///< until `stop`, SIGINT or SIGTERM
  virtual void start() = 0;  ///< on a thread that the destructor stops and joins
  virtual void stop() = 0;
};

/// `callimport sandbox <platform> <flags>`: args are the words after `sandbox`. Prints `listening on HOST:PORT`.
/// @return exit code: 0 stopped, 1 cannot listen, 2 wrong flags.
int sandbox_main(const std::vector<std::string>& args);

}  // namespace callimport::simulations
