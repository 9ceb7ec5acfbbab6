#pragma once
// Where a client connects, and as whom: one resolution for every verb and for the worker. Flag before environment
// before profile before default, setting by setting. No gRPC here; api/grpc/channel.h opens what this names.
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/result.h"

namespace callimport::api {

/// What one source (the flags, the environment, a profile) says; empty: nothing.
struct ConnectionWords {
  std::string address{};     ///< host:port, or unix:/path
  std::string name_space{};  ///< Temporal's namespace
  std::string tls{};         ///< true or false
  std::string tls_ca_path{}, tls_cert_path{}, tls_key_path{}, tls_server_name{};
  std::string tls_ca_data{}, tls_cert_data{}, tls_key_data{};  ///< PEM itself; the environment only
  std::string api_key_file{};
  std::string api_key{};      ///< the environment only: a secret is no word of a command line
  std::string access_file{};  ///< with the access token of a server of ours
  std::string web_url{};      ///< of Temporal's Web UI, e.g. http://127.0.0.1:8233
};

/// Reads one variable; empty: not set.
using Environment = std::function<std::string(const char* name)>;
/// TEMPORAL_*, as Temporal's clients read them, and CALLIMPORT_ACCESS_FILE, CALLIMPORT_WEB_URL.
ConnectionWords connection_environment(const Environment& environment);

/// PEM texts; what is empty was not given. Without `ca` the machine's own roots are believed.
struct Tls {
  bool on = false;
  std::string ca{}, cert{}, key{};
  std::string server_name{};  ///< expected in the server's certificate instead of the address's host
};

struct Connection {
  std::string address{};  ///< empty: none was named
  std::string name_space = "default";
  std::string api_key{};       ///< opens Temporal's API; secret
  std::string access_token{};  ///< of a server of ours: opens everything; secret
  Tls tls{};
  std::string web_url{};

  /// Headers of a call of `method` (/package.Service/Method): authorization where there is something to say, and the
  /// namespace, which some front ends route by.
  std::vector<std::pair<std::string, std::string>> headers(std::string_view method) const;
};

/// Files are read here. TLS is on when asked for, or when a certificate, a CA or an API key is given (as Temporal's
/// clients do), unless `tls` says false.
/// @error kInvalid  an unreadable or empty file, a certificate without its key, a word that is neither true nor false:
/// names the flag.
Result<Connection> resolve_connection(const ConnectionWords& flags, const ConnectionWords& environment,
                                      const ConnectionWords& profile);

/// True for a host that cannot be reached from another machine: 127.0.0.0/8, ::1, localhost, unix:.
bool is_loopback(std::string_view address);

inline constexpr std::size_t kSecretBytesMax = 16u << 10;
/// One secret on one line, without its closing line break. `what` names it in the error.
/// @error kInvalid  empty, over kSecretBytesMax, or with a control character inside. Never shows the content.
Result<std::string> one_secret(std::string text, const std::string& what);
/// The same from a file. @error kInvalid  also: unreadable.
Result<std::string> read_secret_file(const std::string& path);

}  // namespace callimport::api
