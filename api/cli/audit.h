#pragma once
// What people did, for `audit` and `show --audit` (ux ID-19, TH-02).
#include <string>

#include "api/cli/session.h"

namespace callimport::api {

/// Newest first, `limit` rows at most; empty import: of all.
Ended show_audit(Session& session, const std::string& import, int limit);

}  // namespace callimport::api
