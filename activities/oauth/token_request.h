#pragma once
// The token endpoint of RFC 6749: pure functions that write a request for a new access token and read its reply.
#include "activities/http/http.h"
#include "activities/platforms/platform.h"
#include "activities/platforms/trouble.h"
#include "storage/vault/oauth_bundle.h"

namespace callimport::activities {

/// Asks with the bundle's refresh token (section 6). `facts` null: as the RFC says.
HttpRequest write_refresh(const storage::OAuthBundle& bundle, const OAuthFacts* facts);

/// What a browser came back with, and what shows that it was we who sent it.
struct CodeGrant {
  storage::Secret code, verifier;
  std::string redirect_uri;
};
/// Asks with a code (section 4.1.3; RFC 7636, 4.5).
HttpRequest write_exchange(const storage::OAuthBundle& bundle, const OAuthFacts* facts, const CodeGrant& grant);

/// The bundle with what the reply brought: a refresh token that is not repeated stays as it is. Trouble:
/// NeedsAttention{access.revoked, access.client_refused}, what read_delay says, Wait{platform.changed_answer}.
Fetched<storage::OAuthBundle> read_tokens(const HttpReply& reply, storage::OAuthBundle bundle, Timestamp now);

}  // namespace callimport::activities
