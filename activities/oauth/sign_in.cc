#include "activities/oauth/sign_in.h"

#include <fmt/core.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "activities/oauth/token_request.h"
#include "activities/platforms/answers.h"

namespace callimport::activities {
namespace {

using nlohmann::json;

constexpr std::size_t kStateCharacters = 32;     ///< of 36: 165 bits
constexpr std::size_t kVerifierCharacters = 64;  ///< RFC 7636 takes 43 to 128

std::string redirect_of(const SignInOrder& order) {
  return fmt::format("http://127.0.0.1:{}{}", order.port, redirect_path(order.platform));
}

std::string_view base_or(const OAuthClient& client, std::string_view vendors) {
  return client.base_url.empty() ? vendors : std::string_view(client.base_url);
}

/// Of a code, where the words of read_tokens are of a refresh token.
Error refusal_of(const Trouble& trouble, std::string_view title) {
  if (const auto* attention = std::get_if<NeedsAttention>(&trouble)) {
    if (attention->cause != "access.revoked")
      return {Code::kConflict, fmt::format("{}: {}", attention->cause, attention->message)};
    return {Code::kConflict,
            fmt::format("signin.code_refused: {} does not take the code: it was used before, came too late, or was "
                        "given to somebody else; sign in again",
                        title)};
  }
  return std::visit(
      [](const auto& what) {
        std::string message = "the platform did not answer as it should; sign in again";
        if constexpr (requires { what.message; }) message = what.message + "; sign in again";
        return Error{Code::kUnavailable, fmt::format("{}: {}", what.cause, message)};
      },
      trouble);
}

storage::Secret write_pending(const PendingSignIn& pending) {
  const SignInOrder& order = pending.order;
  const json text = {{"platform", order.platform},
                     {"workspace", order.workspace},
                     {"port", order.port},
                     {"credential", order.credential},
                     {"verifier", pending.verifier.reveal()}};
  return storage::Secret(text.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// Nothing: it is of another version.
std::optional<PendingSignIn> read_pending(const storage::Secret& kept) {
  try {
    const json text = json::parse(kept.reveal());
    return PendingSignIn{{text.at("platform"), text.at("workspace"), text.at("port"), text.at("credential")},
                         storage::Secret(text.at("verifier").get<std::string>())};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string challenge_of(std::string_view verifier) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size());
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::array<char, sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, kVariant)> text{};
  sodium_bin2base64(text.data(), text.size(), digest.data(), digest.size(), kVariant);
  return text.data();
}

std::string redirect_path(std::string_view platform) { return "/callback/" + encode_path_segment(platform); }

SignIns::SignIns(storage::Vault& vault, Http& http, Clock& clock, Random& random, OAuthClients clients)
    : vault_(vault), http_(http), clock_(clock), random_(random), clients_(std::move(clients)) {}

Result<SignInBegun> SignIns::begin(SignInOrder order) {
  const Platform* platform = find_platform(order.platform);
  if (platform == nullptr) return fail(Code::kInvalid, "platform.unknown: no connector has this name");
  if (!platform->oauth) {
    return fail(Code::kInvalid, fmt::format("signin.not_offered: {} has no sign-in in a browser", platform->title));
  }
  const auto client = clients_.find(order.platform);
  if (client == clients_.end() || client->second.id.empty()) {
    return fail(Code::kConflict,
                fmt::format("signin.client_missing: {} has issued no OAuth client to this installation, or [oauth.{}] "
                            "in the configuration does not name it",
                            platform->title, platform->name));
  }
  if (order.port < 1 || order.port > 65'535) return fail(Code::kInvalid, "a port is a number from 1 to 65535");
  const PendingSignIn pending{order, storage::Secret(random_.id_text(kVerifierCharacters))};
  SignInBegun begun;
  begun.state = random_.id_text(kStateCharacters);
  begun.until_ms = to_unix_ms(clock_.now() + kSignInLife);
  const OAuthFacts& facts = *platform->oauth;
  begun.address = fmt::format(
      "{}{}?response_type=code&client_id={}&redirect_uri={}&code_challenge={}&code_challenge_method=S256&state={}",
      base_or(client->second, facts.authorize_base), facts.authorize_path, encode_path_segment(client->second.id),
      encode_path_segment(redirect_of(order)), challenge_of(pending.verifier.reveal()), begun.state);
  if (!client->second.scopes.empty())
    begun.address += fmt::format("&{}={}", facts.scopes_key, encode_path_segment(client->second.scopes));
  TRY_VOID(vault_.keep(begun.state, write_pending(pending), begun.until_ms, to_unix_ms(clock_.now())));
  return begun;
}

Result<PendingSignIn> SignIns::take(const std::string& state) {
  const auto kept = vault_.take(state, to_unix_ms(clock_.now()));
  if (!kept && kept.error().code != Code::kNotFound) return tl::unexpected(kept.error());
  auto pending = kept ? read_pending(*kept) : std::nullopt;
  // Of a platform whose client was taken from the configuration meanwhile: begun here, but not to be finished here.
  if (!pending || !clients_.contains(pending->order.platform)) {
    return fail(Code::kNotFound,
                "signin.unknown: this sign-in is over, was finished before, or was never begun here; begin again");
  }
  return std::move(*pending);
}

engine::Awaitable<Result<storage::OAuthBundle>> SignIns::exchange(PendingSignIn pending, storage::Secret code) {
  const Platform* platform = find_platform(pending.order.platform);
  const OAuthClient& client = clients_.at(pending.order.platform);
  if (code.reveal().empty() || code.reveal().size() > kCodeBytesMax)
    co_return fail(Code::kInvalid, "signin.code_refused: the browser brought no code that could be one");
  storage::OAuthBundle bundle;
  bundle.client_id = client.id;
  bundle.client_secret = client.secret;
  bundle.token_endpoint = fmt::format("{}{}", base_or(client, platform->base_url), platform->oauth->token_path);
  HttpRequest request = write_exchange(bundle, &*platform->oauth, {code, pending.verifier, redirect_of(pending.order)});
  auto sending = http_.send(std::move(request));
  const Result<HttpReply> reply = co_await std::move(sending);
  if (!reply) {
    co_return fail(Code::kUnavailable,
                   fmt::format("platform.outage: {} does not answer: {}", platform->title, reply.error().message));
  }
  auto tokens = read_tokens(*reply, std::move(bundle), clock_.now());
  if (!tokens) co_return tl::unexpected(refusal_of(tokens.error(), platform->title));
  co_return std::move(*tokens);
}

}  // namespace callimport::activities
