#pragma once
// Http over libcurl's multi interface on the production loop: connections are kept and reused, HTTP/2 where TLS offers
// it, proxies from the environment (never for this machine itself), certificates checked, redirects never followed.
#include <memory>
#include <optional>
#include <string>

#include "activities/http/addresses.h"
#include "activities/http/http.h"
#include "storage/runtime/clock.h"

namespace boost::asio {
class io_context;
}

namespace callimport::activities {

struct CurlOptions {
  std::string version = "0";           ///< of this binary, for the user agent callimport/<version>
  long connections_per_host_max = 64;  ///< more requests than that wait inside libcurl
  long connections_kept = 128;
  /// For URLs that came from outside: no connection is opened to what it refuses, whatever a name resolves to by then,
  /// and no proxy is used, which would go there in our place. Absent: anywhere.
  std::optional<AddressGuard> guard = std::nullopt;
};

inline constexpr Nanos kConnectTimeout = std::chrono::seconds{15};
inline constexpr std::size_t kHeaderBytesMax = 256u << 10;  ///< of one reply, all headers together

/// Threads: the loop that runs `io` and `clock`. Lifetime: both outlive it; when it goes, requests under way end as
/// kCancelled. Nothing of a URL, a header or a body is ever written to a log or an error text.
class CurlHttp final : public Http {
 public:
  CurlHttp(boost::asio::io_context& io, Clock& clock, CurlOptions options = CurlOptions());
  ~CurlHttp() override;
  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  engine::Awaitable<Result<HttpReply>> send(HttpRequest request) override;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport::activities
