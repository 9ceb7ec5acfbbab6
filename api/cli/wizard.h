#pragma once
// `start` on a terminal without flags: asks for what it needs, one question at a time (ux TS-01).
#include "api/cli/start_flags.h"

namespace callimport::api {

/// Asks on stderr, reads stdin, asks again where an answer cannot be used, and says the command that needs no
/// questions. What flags said is not asked. The token itself is asked for later, when the import is sure to be started.
/// @error declined  the input ended.
tl::expected<StartFlags, CliError> ask_for_start(Session& session, StartFlags flags);

}  // namespace callimport::api
