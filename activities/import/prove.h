#pragma once
// Proves access: it is accepted, it may list, and it opens the workspace whose calls the import knows.
#include <memory>
#include <string>

#include "activities/import/session.h"

namespace callimport::activities {

inline constexpr int kKnownCallsAsked = 3;  ///< whose details are asked for when no listed call is known

/// The first page of the workspace. Trouble: the platform's; NeedsAttention{access.wrong_account} when the import knows
/// calls and this access sees none of them: a token of another workspace, which would make all of them look deleted.
Awaitable<Fetched<ListPage>> prove_access(std::shared_ptr<Session> session, std::string import);

/// A new secret held against an open import before it replaces the old one. `generation` 0 and nothing to renew it
/// with.
struct NewAccess {
  Access access;
  ImportInput ask;
};
Awaitable<Fetched<bool>> prove_new_access(SharedDeps deps, NewAccess asked);
/// The sealed credential of the import, renewed where it must be.
Awaitable<Fetched<bool>> prove_sealed_access(SharedDeps deps, ImportInput ask);

}  // namespace callimport::activities
