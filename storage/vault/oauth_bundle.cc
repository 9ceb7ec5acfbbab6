#include "storage/vault/oauth_bundle.h"

#include <sodium.h>

#include <nlohmann/json.hpp>

namespace callimport::storage {
namespace {

using nlohmann::json;

constexpr std::int64_t kExpiresInMax = 10LL * 365 * 24 * 3600;  // ten years

bool is_fine_endpoint(std::string_view url) {
  if (url.find_first_of(" \t\r\n\"") != std::string_view::npos) return false;
  if (url.starts_with("https://") && url.size() > 8) return true;
  for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (url.starts_with(host) && (url.size() == host.size() || url[host.size()] == ':' || url[host.size()] == '/'))
      return true;
  }
  return false;
}

tl::unexpected<Error> wrong(std::string_view field, std::string_view wants) {
  return fail(Code::kInvalid, std::string("the OAuth credential's ") + std::string(field) + " " + std::string(wants));
}

Result<std::string> text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string();
  if (!found->is_string()) return wrong(name, "is no text");
  return found->get<std::string>();
}

Result<std::int64_t> expiry_of(const json& object, std::int64_t now_ms) {
  const auto at = object.find("expires_at_ms"), in = object.find("expires_in");
  if (at != object.end() && !at->is_null()) {
    if (!at->is_number_integer() || at->get<double>() < 0 || at->get<double>() > 9e15)
      return wrong("expires_at_ms", "is no time in milliseconds");
    return at->get<std::int64_t>();
  }
  if (in == object.end() || in->is_null()) return 0;
  if (!in->is_number_integer() || in->get<double>() <= 0 || in->get<double>() > static_cast<double>(kExpiresInMax))
    return wrong("expires_in", "is no number of seconds");
  return now_ms + in->get<std::int64_t>() * 1'000;
}

/// The parsed copy of the secrets goes with its memory overwritten.
struct Wiped {
  json value;
  ~Wiped() {
    if (!value.is_object()) return;
    for (auto& member : value) {
      if (!member.is_string()) continue;
      auto& text = member.get_ref<std::string&>();
      sodium_memzero(text.data(), text.size());
    }
  }
};

}  // namespace

bool is_bundle(std::string_view secret) {
  const std::size_t first = secret.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && secret[first] == '{';
}

Result<OAuthBundle> read_bundle(const Secret& secret, std::int64_t now_ms, std::string_view token_endpoint_default) {
  const Wiped parsed{json::parse(secret.reveal(), nullptr, false)};
  if (!parsed.value.is_object()) return fail(Code::kInvalid, "the OAuth credential is not one JSON object");
  OAuthBundle bundle;
  TRY(auto access, text_of(parsed.value, "access_token"));
  TRY(auto refresh, text_of(parsed.value, "refresh_token"));
  TRY(auto client_secret, text_of(parsed.value, "client_secret"));
  bundle.access = Secret(std::move(access));
  bundle.refresh = Secret(std::move(refresh));
  bundle.client_secret = Secret(std::move(client_secret));
  TRY(bundle.client_id, text_of(parsed.value, "client_id"));
  TRY(bundle.token_endpoint, text_of(parsed.value, "token_endpoint"));
  TRY(bundle.expires_ms, expiry_of(parsed.value, now_ms));
  if (bundle.token_endpoint.empty()) bundle.token_endpoint = token_endpoint_default;
  if (bundle.access.reveal().empty() && bundle.refresh.reveal().empty())
    return fail(Code::kInvalid, "the OAuth credential has neither an access_token nor a refresh_token");
  if (bundle.refresh.reveal().empty()) return bundle;
  if (bundle.client_id.empty()) return wrong("client_id", "is missing: a refresh token is good for its client only");
  if (!is_fine_endpoint(bundle.token_endpoint))
    return wrong("token_endpoint", "is neither an https address nor one of this machine");
  return bundle;
}

Secret write_bundle(const OAuthBundle& bundle) {
  Wiped out{{{"access_token", bundle.access.reveal()},
             {"refresh_token", bundle.refresh.reveal()},
             {"client_id", bundle.client_id},
             {"client_secret", bundle.client_secret.reveal()},
             {"token_endpoint", bundle.token_endpoint}}};
  if (bundle.expires_ms != 0) out.value["expires_at_ms"] = bundle.expires_ms;
  return Secret(out.value.dump(-1, ' ', true, json::error_handler_t::replace));
}

}  // namespace callimport::storage
