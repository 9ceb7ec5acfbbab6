#pragma once
// How an import is started: by the library's own service, which knows roles, consent and the audit log, or, where only
// Temporal answers, as any workflow.
#include "activities/import/contract.h"
#include "api/cli/session.h"
#include "api/cli/start_flags.h"

namespace callimport::api {

/// Once for a customer's workspace somebody says that the customer owns its calls: by --owns-data, or asked here.
/// @error consent.missing  nobody said so, and there is nobody to ask.
tl::expected<void, CliError> settle_consent(Session& session, StartFlags& flags, const activities::ImportInput& order);
/// True when this call started it; false when the same request was carried out before.
/// @error already_exists  it runs, started by another request.
tl::expected<bool, CliError> launch_import(Session& session, const StartFlags& flags,
                                           const activities::ImportInput& order);

}  // namespace callimport::api
