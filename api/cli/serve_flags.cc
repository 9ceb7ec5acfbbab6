#include "api/cli/serve_flags.h"

#include <filesystem>

namespace callimport::api {
namespace {

tl::expected<ServeConfig, CliError> configuration(const Session& session) {
  const auto path = session.config_file();
  if (path.empty()) return ServeConfig{};
  auto config = read_config(path);
  if (config) return *config;
  return sorry(kExitUsage, "config.malformed", printable(config.error().message),
               "correct the file; `callimport help config` shows every key");
}

}  // namespace

tl::expected<void, CliError> fill_order(const Session& session, HouseOrder& order) {
  order.data_folder = std::filesystem::absolute(session.data_folder()).lexically_normal().string();
  CLI_TRY(order.config, configuration(session));
  order.log_level = session.flags.log_level;
  order.log_format = session.flags.log_format;
  order.quiet = session.flags.quiet;
  return {};
}

void add_http_flags(CLI::App& verb, HttpFlags& flags) {
  verb.add_option("--http-host", flags.host, "address of health, metrics and links (127.0.0.1)");
  verb.add_option("--http-port", flags.port, "port of health, metrics and links (8233 if it is free); 0: any free one")
      ->check(CLI::Range(0, 65'535));
}

void fill_http(const HttpFlags& flags, HttpConfig& config) {
  if (!flags.host.empty()) config.host = flags.host;
  if (flags.port >= 0) config.port = flags.port;
  if (!flags.host.empty() || flags.port >= 0) config.enabled = true;
}

tl::unexpected<CliError> server_error(const Error& error, const std::string& data_folder) {
  const char* code = error.code == Code::kConflict   ? "conflict"
                     : error.code == Code::kCorrupt  ? "corrupt"
                     : error.code == Code::kInvalid  ? "invalid"
                     : error.code == Code::kNotFound ? "not_found"
                                                     : "unavailable";
  return sorry(error.code == Code::kInvalid ? kExitUsage : kExitFailed, code, printable(error.message),
               "callimport doctor --data " + data_folder);
}

}  // namespace callimport::api
