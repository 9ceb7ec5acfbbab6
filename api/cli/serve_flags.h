#pragma once
// What `serve` and `worker` share: both open a data folder and run until a signal.
#include "api/cli/session.h"
#include "api/serve/house.h"

namespace callimport::api {

/// Data folder, configuration (of the file named, or of the folder's own if it is there), and how to talk.
tl::expected<void, CliError> fill_order(const Session& session, HouseOrder& order);

/// Why it ended, with the next command.
tl::unexpected<CliError> server_error(const Error& error, const std::string& data_folder);

}  // namespace callimport::api
