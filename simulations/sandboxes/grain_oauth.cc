#include "simulations/sandboxes/grain_oauth.h"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "simulations/sandboxes/calls.h"
#include "simulations/sandboxes/grain_wire.h"
#include "simulations/sandboxes/multipart.h"

namespace callimport::simulations {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size()) {
      const std::string hex(text.substr(i + 1, 2));
      out += static_cast<char>(std::strtol(hex.c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Fields read_form(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    fields[percent_decoded(pair.substr(0, equals))] = percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

std::optional<Fields> read_token_request(const SandboxRequest& request) {
  const std::string_view type = find_header(request.headers, "content-type");
  if (type.starts_with("multipart/form-data")) {
    auto parts = read_multipart(type, request.body);
    if (!parts) return std::nullopt;
    Fields fields;
    for (auto& part : *parts) fields[part.name] = std::move(part.body);
    return fields;
  }
  if (!type.starts_with("application/json")) return read_form(request.body);
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) return std::nullopt;
  Fields fields;
  for (const auto& [name, value] : body.items()) {
    if (value.is_string()) fields[name] = value.get<std::string>();
  }
  return fields;
}

/// base64url(SHA-256(verifier)) without padding (RFC 7636, 4.2).
std::string challenge_of(std::string_view verifier) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), digest.data());
  std::array<unsigned char, 64> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  std::string out(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

SandboxReply refused(std::string_view error) { return json_reply(400, {{"error", error}}); }

}  // namespace

GrainOAuth::GrainOAuth(GrainOAuthOptions options, std::uint64_t seed)
    : options_(std::move(options)), seed_(seed), refresh_(options_.refresh_token) {}

std::string GrainOAuth::make_token(std::string_view prefix) {
  ++made_;
  return fmt::format("{}{:016x}{:016x}", prefix, mix(seed_ + 91, made_), mix(seed_ + 92, made_));
}

SandboxReply GrainOAuth::hand_out(Timestamp now) {
  const std::string access = make_token("grainat_");
  access_[access] = options_.legacy ? Timestamp::max() : now + options_.access_life;
  nlohmann::json body = {{"token_type", "bearer"}, {"access_token", access}};
  if (!options_.legacy) {
    refresh_ = make_token("grainrt_");
    body["refresh_token"] = refresh_;
    body["expires_in"] = std::chrono::floor<std::chrono::seconds>(options_.access_life).count();
  }
  return json_reply(200, body);
}

SandboxReply GrainOAuth::token(const SandboxRequest& request, Timestamp now) {
  if (request.method != "POST") return error_reply(404, "not_found", "No such page.");
  const auto fields = read_token_request(request);
  if (!fields) return refused("invalid_request");
  const auto field = [&fields](std::string_view name) {
    const auto found = fields->find(name);
    return found == fields->end() ? std::string() : found->second;
  };
  if (options_.client_id.empty() || field("client_id") != options_.client_id) return refused("invalid_client");
  if (field("client_secret") != options_.client_secret) return refused("invalid_client");
  if (field("grant_type") == "refresh_token") {
    if (refresh_.empty() || field("refresh_token") != refresh_) return refused("invalid_grant");
    if (options_.revoke_after != 0 && renewals_ >= options_.revoke_after) revoke();
    if (refresh_.empty()) return refused("invalid_grant");
    ++renewals_;
    return hand_out(now);
  }
  if (field("grant_type") != "authorization_code") return refused("unsupported_grant_type");
  const auto code = codes_.find(field("code"));
  if (code == codes_.end()) return refused("invalid_grant");
  const Code known = code->second;
  codes_.erase(code);  // a code is good for one try
  if (field("redirect_uri") != known.redirect_uri) return refused("invalid_grant");
  if (challenge_of(field("code_verifier")) != known.challenge) return refused("invalid_grant");
  return hand_out(now);
}

SandboxReply GrainOAuth::authorize(const SandboxRequest& request) {
  const std::string_view target = request.target;
  const Fields query = read_form(target.substr(std::min(target.find('?'), target.size() - 1) + 1));
  const auto value = [&query](std::string_view name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  if (options_.client_id.empty() || value("client_id") != options_.client_id || value("response_type") != "code" ||
      !value("redirect_uri").starts_with(options_.redirect_prefix) || value("code_challenge_method") != "S256") {
    return error_reply(400, "bad_request", "Not an authorization request of a registered client.");
  }
  std::string answer = "error=access_denied";
  if (!options_.deny) {
    const std::string code = make_token("graincode_");
    codes_[code] = Code{value("redirect_uri"), value("code_challenge")};
    answer = "code=" + code;
  }
  SandboxReply reply;
  reply.status = 302;
  reply.headers.emplace_back("location", fmt::format("{}?{}&state={}", value("redirect_uri"), answer, value("state")));
  return reply;
}

bool GrainOAuth::accepts(std::string_view token, Timestamp now) const {
  const auto found = access_.find(token);
  return found != access_.end() && now < found->second;
}

void GrainOAuth::revoke() {
  refresh_.clear();
  access_.clear();
  codes_.clear();
}

}  // namespace callimport::simulations
