#pragma once
// `start` on a terminal without flags: asks for what it needs, one question at a time (ux TS-01).
#include <cstdint>
#include <string>

#include "activities/import/contract.h"
#include "api/cli/imports.h"
#include "api/cli/secret_input.h"
#include "api/cli/session.h"

namespace callimport::api {

/// What `start` was told, by flags or by answers.
struct StartFlags {
  std::string platform, workspace, title, customer, credential, base_url, request_id, import_id, after, before,
      task_queue, token_kind = "pat";
  TokenFlags token;
  activities::ImportSettings settings;
  std::int64_t sample = 0;
  WatchFlags watch;  ///< with wait
  bool no_media = false, wait = false, dry_run = false;
};

/// Asks on stderr, reads stdin, asks again where an answer cannot be used, and says the command that needs no
/// questions. What flags said is not asked. The token itself is asked for later, when the import is sure to be started.
/// @error declined  the input ended.
tl::expected<StartFlags, CliError> ask_for_start(Session& session, StartFlags flags);

}  // namespace callimport::api
