#pragma once
// Grain's OAuth 2 endpoints: authorization codes with PKCE, short access tokens, refresh tokens that change with each
// use. What the vendor does not say is decided as: the old refresh token dies at once, scopes are not looked at.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "simulations/sandboxes/sandbox.h"

namespace callimport::simulations {

inline constexpr std::string_view kGrainTokenPath = "/_/public-api/oauth2/token";
inline constexpr std::string_view kGrainAuthorizePath = "/_/public-api/oauth2/authorize";

struct GrainOAuthOptions {
  std::string client_id, client_secret;  ///< empty id: no client is registered; empty secret: a public client
  std::string redirect_prefix = "http://127.0.0.1:";
  std::string refresh_token;  ///< good from the start on; empty: only codes bring tokens
  Nanos access_life = std::chrono::hours{1};
  bool legacy = false;             ///< an old client: no refresh token, no expiry
  bool deny = false;               ///< the person at the authorize page says no
  std::uint64_t revoke_after = 0;  ///< renewals, then the access is revoked; 0: never
};

/// Threads: one at a time.
class GrainOAuth {
 public:
  GrainOAuth(GrainOAuthOptions options, std::uint64_t seed);

  /// POST of a token request: JSON, a form, or multipart form data.
  SandboxReply token(const SandboxRequest& request, Timestamp now);
  /// GET of the browser, as if the person answered at once: 302 to the redirect with `code`, or the error of
  /// one who said no, and the `state` given.
  SandboxReply authorize(const SandboxRequest& request);
  bool accepts(std::string_view token, Timestamp now) const;

  /// A person takes the access back: all tokens die.
  void revoke();
  std::uint64_t renewals() const { return renewals_; }
  const std::string& refresh_token() const { return refresh_; }  ///< the only good one

 private:
  struct Code {
    std::string redirect_uri, challenge;
  };
  SandboxReply hand_out(Timestamp now);
  std::string make_token(std::string_view prefix);

  GrainOAuthOptions options_;
  std::uint64_t seed_ = 0, made_ = 0, renewals_ = 0;
  std::string refresh_;
  std::map<std::string, Timestamp, std::less<>> access_;  ///< until when
  std::map<std::string, Code, std::less<>> codes_;
};

}  // namespace callimport::simulations
