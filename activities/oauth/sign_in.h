#pragma once
// Access that a person gives in a browser: OAuth 2 authorization code with PKCE (RFC 6749 4.1, RFC 7636 S256) and a
// loopback redirect (RFC 8252 7.3). Who listens there is the caller's business; verifier, client secret and tokens
// never leave this process.
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "activities/http/http.h"
#include "activities/platforms/platform.h"
#include "engine/awaitable.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/random.h"
#include "storage/vault/oauth_bundle.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// What a platform has issued to this installation.
struct OAuthClient {
  std::string id;
  storage::Secret secret;  ///< empty: a public client
  std::string scopes;      ///< asked for, as the platform writes them; empty: whatever it gives
  std::string base_url;    ///< of pages and endpoints in place of the vendor's, without a trailing slash; empty: those
};
using OAuthClients = std::map<std::string, OAuthClient, std::less<>>;  ///< by platform

struct SignInOrder {
  std::string platform, workspace;
  int port = 0;            ///< where the browser comes back to
  std::string credential;  ///< cred_... that gets the access; empty: a new one
};
struct SignInBegun {
  std::string address;  ///< of the authorize page
  std::string state;
  std::int64_t until_ms = 0;
};
/// Between the address and the code: sealed in the vault, under the state, so that a restart does not forget it.
struct PendingSignIn {
  SignInOrder order;
  storage::Secret verifier;
};

inline constexpr Nanos kSignInLife = std::chrono::minutes{10};
inline constexpr std::size_t kSignInsMax = storage::kKeptMax;  ///< the oldest is forgotten for a new one
inline constexpr std::size_t kCodeBytesMax = 4u << 10;

/// base64url(SHA-256(verifier)) without padding (RFC 7636, 4.2).
std::string challenge_of(std::string_view verifier);
/// One path for each platform, so that none can send back another's answer.
std::string redirect_path(std::string_view platform);

/// Threads: `exchange` on the loop; `begin` and `take` block, on any (use a Pool). Lifetime: vault, http, clock and
/// random outlive it and what it has begun.
class SignIns {
 public:
  SignIns(storage::Vault& vault, Http& http, Clock& clock, Random& random, OAuthClients clients);

  /// @error kInvalid   platform.unknown, signin.not_offered, a port that is none.
  /// @error kConflict  signin.client_missing.
  Result<SignInBegun> begin(SignInOrder order);
  /// The one that `state` belongs to, once.  @error kNotFound  signin.unknown: forged, over, used, or forgotten.
  Result<PendingSignIn> take(const std::string& state);
  /// Tokens for the code, with all it takes to renew them.  @error kConflict  signin.code_refused and what else the
  /// platform says.  @error kUnavailable  platform.outage; the code may be used up.
  engine::Awaitable<Result<storage::OAuthBundle>> exchange(PendingSignIn pending, storage::Secret code);

 private:
  storage::Vault& vault_;
  Http& http_;
  Clock& clock_;
  Random& random_;
  const OAuthClients clients_;
};

}  // namespace callimport::activities
