#pragma once
// HTTP out, one request at a time: no retries, no sleeping, no redirects unless asked. Production: libcurl multi on the
// loop; simulation: a sandbox's handler called in process on the virtual clock.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/awaitable.h"
#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::activities {

struct HttpReply;

/// A body that is read as it is sent, never held whole.
struct BodySource {
  std::uint64_t size = 0;
  /// Bytes from `offset` on: as many as fit `into`, fewer only at the end, which comes at `size`. Called on the loop,
  /// also twice for one place: a request that met a connection about to close is sent anew. An error stops the
  /// transfer.
  std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::byte> into)> read;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                                           ///< may hold a signature: never logged
  std::vector<std::pair<std::string, std::string>> headers;  ///< may hold a token: never logged
  std::string body;
  std::optional<BodySource> body_source;     ///< in place of `body`, with POST or PUT
  Nanos timeout = std::chrono::seconds{30};  ///< whole exchange; streaming: without a byte for this long
  std::size_t body_bytes_max = 16u << 20;    ///< of the reply, when there is no `on_body`
  enum class Beyond : std::uint8_t { kFails, kIsCut };
  Beyond beyond_max = Beyond::kFails;  ///< cut: nobody reads what follows, and the line is closed
  /// Called once, on the loop, before the first piece of a streamed body: status and headers are there, the body is
  /// not. Only so can a resumed download tell a 206 from a 200 that begins anew. An error stops the transfer.
  std::function<Result<>(const HttpReply& head)> on_head;
  /// Streaming: called on the loop for each piece of a 200 or 206 body; an error stops the transfer.
  std::function<Result<>(std::string_view piece)> on_body;
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names lower-case
  std::string body;                                          ///< empty when streamed
  /// First header of that (lower-case) name; empty when absent.
  std::string_view header(std::string_view name) const;
};

/// Threads: the loop. @error kUnavailable  no answer: refused, reset, timed out, cut off in the body (what came was
/// streamed); kInvalid  a URL that is not http or https, a reply over body_bytes_max unless that is cut; kCancelled the
/// client stops.
class Http {
 public:
  virtual ~Http() = default;
  virtual engine::Awaitable<Result<HttpReply>> send(HttpRequest request) = 0;
};

}  // namespace callimport::activities
