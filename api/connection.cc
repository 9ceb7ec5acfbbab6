#include "api/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace callimport::api {
namespace {

inline constexpr std::size_t kPemBytesMax = 1u << 20;

Result<std::string> read_bounded(const std::string& path, std::size_t bytes_max) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kInvalid, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string text(bytes_max + 3, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty()) return fail(Code::kInvalid, path + " is empty");
  return text;
}

using Word = std::string ConnectionWords::*;
using Sources = std::array<const ConnectionWords*, 3>;  // the first that says something counts

std::string first_of(const Sources& sources, Word word) {
  for (const auto* source : sources) {
    if (!(source->*word).empty()) return source->*word;
  }
  return {};
}

/// A text that is given itself or by the file it lies in: within one source the file counts.
Result<std::string> text_of(const Sources& sources, Word path, Word data, std::size_t bytes_max) {
  for (const auto* source : sources) {
    if (!(source->*path).empty()) return read_bounded(source->*path, bytes_max);
    if (data != nullptr && !(source->*data).empty()) return source->*data;
  }
  return std::string();
}

Result<std::string> api_key_of(const Sources& sources) {
  for (const auto* source : sources) {
    if (!source->api_key_file.empty()) return read_secret_file(source->api_key_file);
    if (!source->api_key.empty()) return one_secret(source->api_key, "TEMPORAL_API_KEY");
  }
  return std::string();
}

Result<Tls> tls_of(const Sources& sources, bool has_api_key) {
  Tls tls;
  TRY(tls.ca, text_of(sources, &ConnectionWords::tls_ca_path, &ConnectionWords::tls_ca_data, kPemBytesMax));
  TRY(tls.cert, text_of(sources, &ConnectionWords::tls_cert_path, &ConnectionWords::tls_cert_data, kPemBytesMax));
  TRY(tls.key, text_of(sources, &ConnectionWords::tls_key_path, &ConnectionWords::tls_key_data, kPemBytesMax));
  tls.server_name = first_of(sources, &ConnectionWords::tls_server_name);
  if (tls.cert.empty() != tls.key.empty())
    return fail(Code::kInvalid, "--tls-cert-path and --tls-key-path belong together: give both or none");
  const auto said = first_of(sources, &ConnectionWords::tls);
  if (!said.empty() && said != "true" && said != "false" && said != "1" && said != "0")
    return fail(Code::kInvalid, "--tls (TEMPORAL_TLS) must be true or false");
  const bool implied = has_api_key || !tls.ca.empty() || !tls.cert.empty() || !tls.server_name.empty();
  tls.on = said.empty() ? implied : said == "true" || said == "1";
  return tls;
}

}  // namespace

ConnectionWords connection_environment(const Environment& environment) {
  // The second names are those of older releases of the temporal command line.
  const auto any = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (auto value = environment(name); !value.empty()) return value;
    }
    return std::string();
  };
  ConnectionWords words;
  words.address = any({"TEMPORAL_ADDRESS"});
  words.name_space = any({"TEMPORAL_NAMESPACE"});
  words.tls = any({"TEMPORAL_TLS"});
  words.tls_ca_path = any({"TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_CA"});
  words.tls_cert_path = any({"TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CERT"});
  words.tls_key_path = any({"TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_KEY"});
  words.tls_server_name = any({"TEMPORAL_TLS_SERVER_NAME"});
  words.tls_ca_data = any({"TEMPORAL_TLS_SERVER_CA_CERT_DATA", "TEMPORAL_TLS_CA_DATA"});
  words.tls_cert_data = any({"TEMPORAL_TLS_CLIENT_CERT_DATA", "TEMPORAL_TLS_CERT_DATA"});
  words.tls_key_data = any({"TEMPORAL_TLS_CLIENT_KEY_DATA", "TEMPORAL_TLS_KEY_DATA"});
  words.api_key = any({"TEMPORAL_API_KEY"});
  words.api_key_file = any({"TEMPORAL_API_KEY_FILE"});
  words.access_file = any({"CALLIMPORT_ACCESS_FILE"});
  words.web_url = any({"CALLIMPORT_WEB_URL"});
  return words;
}

std::vector<std::pair<std::string, std::string>> Connection::headers(std::string_view method) const {
  std::vector<std::pair<std::string, std::string>> headers{{"temporal-namespace", name_space}};
  const bool ours = method.starts_with("/callimport.");
  const auto& first = ours ? access_token : api_key;
  const auto& second = ours ? api_key : access_token;
  const auto& bearer = first.empty() ? second : first;
  if (!bearer.empty()) headers.emplace_back("authorization", "Bearer " + bearer);
  return headers;
}

Result<Connection> resolve_connection(const ConnectionWords& flags, const ConnectionWords& environment,
                                      const ConnectionWords& profile) {
  const Sources sources{&flags, &environment, &profile};
  Connection connection;
  connection.address = first_of(sources, &ConnectionWords::address);
  if (auto name = first_of(sources, &ConnectionWords::name_space); !name.empty()) connection.name_space = name;
  TRY(connection.api_key, api_key_of(sources));
  if (const auto path = first_of(sources, &ConnectionWords::access_file); !path.empty()) {
    TRY(connection.access_token, read_secret_file(path));
  }
  TRY(connection.tls, tls_of(sources, !connection.api_key.empty()));
  connection.web_url = first_of(sources, &ConnectionWords::web_url);
  while (connection.web_url.ends_with('/')) connection.web_url.pop_back();
  return connection;
}

bool is_loopback(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  auto host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<std::string> one_secret(std::string text, const std::string& what) {
  if (text.ends_with("\n")) text.pop_back();
  if (text.ends_with("\r")) text.pop_back();
  if (text.empty()) return fail(Code::kInvalid, what + " is empty");
  if (text.size() > kSecretBytesMax)
    return fail(Code::kInvalid, what + " is longer than 16 KiB: is it the right file?");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    return fail(Code::kInvalid,
                what + " has a line break or another control character in it: probably more than it was copied");
  }
  return text;
}

Result<std::string> read_secret_file(const std::string& path) {
  TRY(auto text, read_bounded(path, kSecretBytesMax));
  return one_secret(std::move(text), path);
}

}  // namespace callimport::api
