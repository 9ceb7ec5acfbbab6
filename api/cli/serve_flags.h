#pragma once
// What `serve` and `worker` share: both open a data folder and run until a signal.
#include <string>

#include "api/cli/tree.h"
#include "api/serve/house.h"

namespace callimport::api {

/// Data folder, configuration (of the file named, or of the folder's own if it is there), and how to talk.
tl::expected<void, CliError> fill_order(const Session& session, HouseOrder& order);

/// Where HTTP is answered; what is not said stays as it is.
struct HttpFlags {
  std::string host;
  int port = -1;
};
void add_http_flags(CLI::App& verb, HttpFlags& flags);
void fill_http(const HttpFlags& flags, HttpConfig& config);

/// Why it ended, with the next command.
tl::unexpected<CliError> server_error(const Error& error, const std::string& data_folder);

}  // namespace callimport::api
