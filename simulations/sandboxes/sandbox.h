#pragma once
// A sandbox is a vendor's server as a pure handler: (request, now) -> reply. It keeps its own state (requests counted,
// cursors handed out) and reads no clock, so it behaves the same behind a socket (server.h) and in process on a virtual
// clock (in_process.h). One seed, one workspace, one behaviour.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/time.h"

namespace callimport::simulations {

using SandboxHeaders = std::vector<std::pair<std::string, std::string>>;

/// Value of the first header of that lower-case name; empty when absent.
std::string_view find_header(const SandboxHeaders& headers, std::string_view name);

struct SandboxRequest {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, as on the request line
  SandboxHeaders headers;    ///< names lower-case; `host` is used to write links
  std::string body;
};

struct SandboxReply {
  int status = 200;
  SandboxHeaders headers;  ///< names lower-case; without content-length
  std::string body;
  Nanos delay{0};                        ///< the carrier waits this long before it answers
  bool refused = false;                  ///< no answer at all: the carrier drops the line
  std::optional<std::size_t> cut_after;  ///< the carrier drops the line after this many bytes of the body
  std::string call;                      ///< the call asked about, for the request log; empty: none
};

/// Threads: one at a time.
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  virtual SandboxReply handle(const SandboxRequest& request, Timestamp now) = 0;
};

/// One answered request, as the log keeps it. Never a token, a header or a query.
struct SandboxLogEntry {
  Timestamp at;
  std::string method, path, call;
  int status = 0;         ///< 0: no answer was given
  std::size_t bytes = 0;  ///< of the body that are sent, if the client takes them all
  std::string range;      ///< the Range header asked for; empty: none
};
SandboxLogEntry log_entry(const SandboxRequest& request, const SandboxReply& reply, Timestamp at,
                          std::size_t bytes_sent);
/// {"time","method","path","call","status","bytes","range"}, one line without the newline.
std::string to_json_line(const SandboxLogEntry& entry);

}  // namespace callimport::simulations
