#pragma once
// Renews OAuth access, one renewal at a time for each credential: a platform that rotates refresh tokens locks out
// whoever uses the same one twice. The answer is sealed before anybody uses it.
//
// What a death in between leaves: before the answer, the vault still holds a refresh token that the platform may or may
// not have rotated away, and says that it was used; after the seal, nothing is lost. A refusal of a token that was used
// before is told as access.expired (a new sign-in is needed), not as access.revoked (somebody meant it).
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "activities/http/http.h"
#include "activities/platforms/trouble.h"
#include "engine/awaitable.h"
#include "storage/model/ids.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/vault/oauth_bundle.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

inline constexpr Nanos kRenewAhead = std::chrono::seconds{60};  ///< before the access token runs out

/// What a request is made with.
struct Access {
  storage::Secret token;
  std::string kind;             ///< pat, wat, oauth
  std::int64_t generation = 0;  ///< of the sealed credential it came from
  std::int64_t expires_ms = 0;  ///< 0: not known, or never
  bool renewable = false;
};
/// Of an opened credential. `token` is empty where only a refresh token is sealed.  @error kCorrupt
Result<Access> access_of(const storage::OpenedCredential& opened);
bool runs_out(const Access& access, Timestamp now);

/// Threads: the loop. One for the process. Lifetime: vault, http, loop, pool and clock outlive it and the renewals it
/// has begun.
class AccessTokens {
 public:
  AccessTokens(storage::Vault& vault, Http& http, Executor& loop, Pool& pool, Clock& clock);

  /// Access newer than `generation`, which was refused or runs out: what somebody put in meanwhile, or a renewal's.
  /// Of a credential that cannot be renewed what is sealed now: look at its generation. Everybody who asks while a
  /// renewal is under way gets its outcome. Trouble: as read_tokens; Again{platform.outage, store.*}, and
  /// Again{access.credential_gone} once it was wiped.
  engine::Awaitable<Fetched<Access>> newer_than(CredentialId id, std::int64_t generation);

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;  // shared with renewals under way
};

}  // namespace callimport::activities
