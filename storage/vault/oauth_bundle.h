#pragma once
// What is sealed for a credential of kind oauth: the tokens, and what it takes to renew them. One secret like any
// other, as JSON: {"access_token", "refresh_token", "expires_at_ms", "client_id", "client_secret", "token_endpoint"}.
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/vault/vault.h"

namespace callimport::storage {

struct OAuthBundle {
  Secret access;   ///< empty: to be had with `refresh` first
  Secret refresh;  ///< empty: a client whose access tokens do not expire
  std::string client_id;
  Secret client_secret;  ///< empty: a public client
  std::string token_endpoint;
  std::int64_t expires_ms = 0;  ///< of `access`; 0: never
};

/// True for JSON objects: everything else is a bare token.
bool is_bundle(std::string_view secret);
/// Also takes `expires_in` (seconds from `now_ms` on) as token endpoints answer it. `token_endpoint_default` stands in
/// for an absent one.
/// @error kInvalid  not such an object, no token in it, a refresh token without client_id, an endpoint that is neither
/// https nor on this machine: says which field, quotes nothing.
Result<OAuthBundle> read_bundle(const Secret& secret, std::int64_t now_ms, std::string_view token_endpoint_default);
Secret write_bundle(const OAuthBundle& bundle);

}  // namespace callimport::storage
