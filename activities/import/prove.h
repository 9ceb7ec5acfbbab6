#pragma once
// Proves access: it is accepted, it may list, and it opens the workspace whose calls the import knows.
#include <memory>
#include <optional>
#include <string>

#include "activities/import/session.h"

namespace callimport::activities {

inline constexpr int kKnownCallsAsked = 3;  ///< whose details are asked for when no listed call is known

/// The first page of the workspace. Trouble: the platform's; NeedsAttention{access.wrong_account} when the import knows
/// calls and this access sees none of them: a token of another workspace, which would make all of them look deleted.
Awaitable<Fetched<ListPage>> prove_access(std::shared_ptr<Session> session, std::string import);

/// Why a credential is not taken, in the words of the trouble it met.
struct Refusal {
  std::string cause, message;
};
/// The same for a credential that is about to replace another, outside of any step. `fresh`: not sealed yet, tried as
/// it is; nothing: the sealed one of `ask`, renewed where it must be. Nothing: it is taken.
Awaitable<std::optional<Refusal>> prove_credential(SharedDeps deps, ImportInput ask,
                                                   std::optional<storage::OpenedCredential> fresh);

}  // namespace callimport::activities
