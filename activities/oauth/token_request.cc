#include "activities/oauth/token_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "activities/platforms/answers.h"
#include "activities/platforms/json.h"

namespace callimport::activities {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
constexpr std::size_t kReplyBytesMax = 256u << 10, kTokenCharactersMax = 8u << 10;
constexpr std::int64_t kLifeSecondsMax = 10LL * 365 * 24 * 3600;

HttpRequest post(const storage::OAuthBundle& bundle, Fields fields, const OAuthFacts* facts) {
  fields.emplace_back("client_id", bundle.client_id);
  if (!bundle.client_secret.reveal().empty()) fields.emplace_back("client_secret", bundle.client_secret.reveal());
  HttpRequest request;
  request.method = "POST";
  request.url = bundle.token_endpoint;
  request.body_bytes_max = kReplyBytesMax;
  const bool as_json = facts != nullptr && facts->json_body;
  request.headers = {{"Accept", "application/json"},
                     {"Content-Type", as_json ? "application/json" : "application/x-www-form-urlencoded"}};
  if (as_json) {
    nlohmann::json body = nlohmann::json::object();
    for (const auto& [name, value] : fields) body[name] = value;
    request.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return request;
  }
  for (const auto& [name, value] : fields) {
    if (!request.body.empty()) request.body += '&';
    request.body += name + "=" + encode_path_segment(value);
  }
  return request;
}

bool is_token(const std::string& text) {
  return !text.empty() && text.size() <= kTokenCharactersMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Trouble read_refusal(const HttpReply& reply, Timestamp now) {
  if (auto delay = read_delay(reply, now)) return *delay;
  const auto body = parse_json(reply.body);
  const std::string error = body ? text_of(*body, "error") : std::string();
  if (error == "invalid_grant") {
    return NeedsAttention{"access.revoked", "the platform no longer takes the refresh token", "customer admin"};
  }
  if (error == "invalid_client" || error == "unauthorized_client") {
    return NeedsAttention{"access.client_refused", "the platform does not take our OAuth client's id or secret",
                          "whoever registered the OAuth client"};
  }
  return changed_answer(fmt::format("the token endpoint answered {}", reply.status), now);
}

}  // namespace

HttpRequest write_refresh(const storage::OAuthBundle& bundle, const OAuthFacts* facts) {
  return post(bundle, {{"grant_type", "refresh_token"}, {"refresh_token", bundle.refresh.reveal()}}, facts);
}

HttpRequest write_exchange(const storage::OAuthBundle& bundle, const OAuthFacts* facts, const CodeGrant& grant) {
  return post(bundle,
              {{"grant_type", "authorization_code"},
               {"code", grant.code.reveal()},
               {"redirect_uri", grant.redirect_uri},
               {"code_verifier", grant.verifier.reveal()}},
              facts);
}

Fetched<storage::OAuthBundle> read_tokens(const HttpReply& reply, storage::OAuthBundle bundle, Timestamp now) {
  if (reply.status != 200) return tl::unexpected(read_refusal(reply, now));
  auto body = read_body(reply, now);
  if (!body) return tl::unexpected(body.error());
  std::string access = text_of(*body, "access_token"), refresh = text_of(*body, "refresh_token");
  if (!is_token(access) || (!refresh.empty() && !is_token(refresh))) {
    return tl::unexpected<Trouble>(changed_answer("the token endpoint answered without a usable token", now));
  }
  bundle.access = storage::Secret(std::move(access));
  if (!refresh.empty()) bundle.refresh = storage::Secret(std::move(refresh));
  const auto seconds = whole_number_of(*body, "expires_in");
  bundle.expires_ms = 0;
  if (seconds && *seconds > 0 && *seconds <= kLifeSecondsMax) bundle.expires_ms = to_unix_ms(now) + *seconds * 1'000;
  return bundle;
}

}  // namespace callimport::activities
