#pragma once
// What `show` tells beside where an import stands: the rules it runs by, and what it is to an engineer (ux ID-05,
// ID-17).
#include <string>

#include "api/cli/imports.h"
#include "api/cli/session.h"

namespace callimport::api {

/// What it was asked for, with the verb that changes it where one does.
Ended show_settings(const Session& session, const v1::Import& import);
/// Its workflow, run, search attributes, and how to read its history, with our command line and with Temporal's.
Ended show_technical(Session& session, const std::string& id);

}  // namespace callimport::api
