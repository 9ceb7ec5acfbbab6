#include "api/serve/serve.h"

#include <fmt/format.h>

#include <filesystem>

#include "api/cli/tree.h"
#include "api/data_folder.h"

namespace callimport::api {
namespace {

struct ServeFlags {
  std::string ip;
  int port = -1, ready_fd = -1;
  bool require_token = false;
  std::uint64_t die_after_commits = 0;
};

tl::expected<ServeConfig, CliError> configuration(const Session& session) {
  const auto path = session.config_file();
  if (path.empty()) return ServeConfig{};
  auto config = read_config(path);
  if (config) return *config;
  return sorry(kExitUsage, "config.malformed", printable(config.error().message),
               "correct the file; `callimport help config` shows every key");
}

Ended run(Session& session, const ServeFlags& flags) {
  ServeOrder order;
  order.data_folder = std::filesystem::absolute(session.data_folder()).lexically_normal().string();
  const DataFolder folder{order.data_folder};
  CLI_TRY(order.config, configuration(session));
  auto& address = order.config.address;
  const auto colon = address.rfind(':');
  if (colon == std::string::npos)
    return sorry(kExitUsage, "config.malformed", "server.address must be HOST:PORT", "callimport help config");
  if (!flags.ip.empty() || flags.port >= 0) {
    address = fmt::format("{}:{}", flags.ip.empty() ? address.substr(0, colon) : flags.ip,
                          flags.port >= 0 ? std::to_string(flags.port) : address.substr(colon + 1));
  }
  order.config.require_token = order.config.require_token || flags.require_token;
  order.ready_fd = flags.ready_fd;
  order.die_after_commits = flags.die_after_commits;
  order.log_level = session.flags.log_level;
  order.log_format = session.flags.log_format;
  order.quiet = session.flags.quiet;
  const auto served = serve(order);
  if (served) return kExitDone;
  const auto& error = served.error();
  const char* code = error.code == Code::kConflict  ? "conflict"
                     : error.code == Code::kCorrupt ? "corrupt"
                     : error.code == Code::kInvalid ? "invalid"
                                                    : "unavailable";
  return sorry(error.code == Code::kInvalid ? kExitUsage : kExitFailed, code, printable(error.message),
               "callimport doctor --data " + folder.path);
}

}  // namespace

void add_serve(Tree& tree) {
  auto& verb = tree.verb(tree.root, "serve", "Run the server: imports, library, and Temporal's API on one port",
                         {"callimport serve", "callimport serve --data /srv/calls --port 7233"});
  auto flags = std::make_shared<ServeFlags>();  // shared by the parser and the body
  verb.add_option("--ip", flags->ip, "address to listen on (127.0.0.1)");
  verb.add_option("--port", flags->port, "port to listen on (7233); 0: a free one")->check(CLI::Range(0, 65'535));
  verb.add_flag("--require-token", flags->require_token, "Temporal's service wants the access token, too");
  verb.add_option("--ready-fd", flags->ready_fd,
                  "descriptor that gets one line with the addresses once calls are answered")
      ->check(CLI::Range(0, 1 << 20));
  verb.add_option("--die-after-commits", flags->die_after_commits)->group("");
  tree.run(verb, [&session = tree.session, flags] { return run(session, *flags); });
}

}  // namespace callimport::api
