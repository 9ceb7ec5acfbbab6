#pragma once
// The gRPC door: one server over a Router, on a TCP address and a Unix socket. No generated service code: every call
// comes through one generic reactor, so unknown methods and services get the texts clients look for (conformance A2,
// 0.7).
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/grpc/router.h"
#include "storage/model/result.h"
#include "storage/runtime/executor.h"

namespace callimport::api {

inline constexpr std::size_t kRequestBytesMax = 4u << 20;          ///< ours, with grpc-go's words (conformance 0.6)
inline constexpr std::size_t kLibraryRequestBytesMax = 64u << 20;  ///< beyond it the library refuses in its own words
inline constexpr std::size_t kPendingCallsMax = 20'000;
/// Replies that wait for their reader, of one connection and of all: beyond it further ones are RESOURCE_EXHAUSTED. So
/// callers that never read cost memory up to here.
inline constexpr std::size_t kUnreadBytesPerConnectionMax = 160u << 20;  ///< clients take replies up to 128 MiB
inline constexpr std::size_t kUnreadBytesMax = 320u << 20;
inline constexpr std::size_t kUnreadCountsFrom = 4u << 10;  ///< smaller ones are bounded by kPendingCallsMax
inline constexpr auto kHandshakeMax = std::chrono::seconds{20};

/// A token that opens everything, known by its name (token:NAME).
struct NamedToken {
  std::string name, text;
};

/// A call that was answered with an error.
struct FailedCall {
  std::string request_id, method, who;  ///< who: as Caller::name; empty: nobody had to say
  PortStatus status;
};

struct DoorOptions {
  std::string address;        ///< host:port, port 0: a free one; empty: no TCP
  std::string socket;         ///< path of the Unix socket, made 0600; empty: none
  std::string shared_socket;  ///< a second one that every user of the machine may open; needs roles; empty: none
  std::string token;          ///< what a trusted call on TCP must bear (token:access); empty: none is trusted there
  std::vector<NamedToken> tokens;  ///< others that open the same
  RoleMap roles{};                 ///< empty: everybody who may connect is admin
  bool require_token = false;      ///< also for Temporal's services on TCP
  std::string api_key;             ///< Temporal's services on TCP want it (token:api-key) or the token; empty: none
  std::string tls_cert, tls_key;   ///< PEM; both: TCP speaks TLS
  bool insecure_public = false;    ///< an address others can reach without TLS and API key, because somebody said so
  std::string request_prefix = "req_";              ///< of request ids: tells those of one process from another's
  std::function<void(const FailedCall&)> failed{};  ///< on gRPC's thread; empty: nobody wants to know
  std::chrono::milliseconds silent_max = std::chrono::seconds{60};  ///< then a ping; unanswered for 20 s (or as long
                                                                    ///< as this, if less) it ends the connection
};

/// Threads: `open` and `close` from the owner; `router`'s functions as Router says. Lifetime: `loop` and `router`
/// outlive it.
class Door {
 public:
  /// @error kConflict  the address is in use: says which and what to do.
  /// @error kInvalid   the socket's path is too long; a certificate and key that are none or do not belong together; an
  /// address other machines can reach without TLS and API key.
  static Result<std::unique_ptr<Door>> open(const Router& router, Executor& loop, DoorOptions options);
  virtual ~Door() = default;
  virtual std::string address() const = 0;  ///< as bound, e.g. 127.0.0.1:41733; empty without TCP
  virtual std::string socket() const = 0;
  /// Blocks, off the loop, which must still run: new calls are refused, those open end within `grace` or are cancelled.
  virtual void close(std::chrono::milliseconds grace) = 0;
};

}  // namespace callimport::api
