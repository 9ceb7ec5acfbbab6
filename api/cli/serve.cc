#include "api/serve/serve.h"

#include <fmt/format.h>

#include "api/cli/serve_flags.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct ServeFlags {
  std::string ip;
  int port = -1, ready_fd = -1;
  bool require_token = false;
  std::vector<std::string> namespaces, search_attributes;
  std::uint64_t die_after_commits = 0;
  bool time_skipping = false;
};

Ended run(Session& session, const ServeFlags& flags) {
  ServeOrder order;
  CLI_TRY_VOID(fill_order(session, order));
  auto& address = order.config.address;
  const auto colon = address.rfind(':');
  if (colon == std::string::npos)
    return sorry(kExitUsage, "config.malformed", "server.address must be HOST:PORT", "callimport help config");
  if (!flags.ip.empty() || flags.port >= 0) {
    address = fmt::format("{}:{}", flags.ip.empty() ? address.substr(0, colon) : flags.ip,
                          flags.port >= 0 ? std::to_string(flags.port) : address.substr(colon + 1));
  }
  order.config.require_token = order.config.require_token || flags.require_token;
  for (const auto& name : flags.namespaces) order.config.namespaces.push_back(name);
  for (const auto& attribute : flags.search_attributes) {
    const auto equals = attribute.find('=');
    if (equals == std::string::npos || equals == 0) {
      return sorry(kExitUsage, "usage", "--search-attribute " + printable(attribute) + " is not NAME=TYPE",
                   "callimport serve --search-attribute Customer=Keyword");
    }
    order.config.search_attributes[attribute.substr(0, equals)] = attribute.substr(equals + 1);
  }
  order.ready_fd = flags.ready_fd;
  order.die_after_commits = flags.die_after_commits;
  order.time_skipping = flags.time_skipping;
  const auto served = serve(order);
  if (served) return kExitDone;
  return server_error(served.error(), order.data_folder);
}

}  // namespace

void add_serve(Tree& tree) {
  auto& verb = tree.verb(tree.root, "serve", "Run the server: imports, library, and Temporal's API on one port",
                         {"callimport serve", "callimport serve --data /srv/calls --port 7233"});
  auto flags = std::make_shared<ServeFlags>();  // shared by the parser and the body
  verb.add_option("--ip", flags->ip, "address to listen on (127.0.0.1)");
  verb.add_option("--port", flags->port, "port to listen on (7233); 0: a free one")->check(CLI::Range(0, 65'535));
  verb.add_option("-n,--namespace", flags->namespaces, "Temporal namespace to make sure of; may be repeated")
      ->allow_extra_args(false);
  verb.add_option("--search-attribute", flags->search_attributes,
                  "search attribute NAME=TYPE in every namespace; TYPE: Text, Keyword, Int, Double, Bool, Datetime, "
                  "KeywordList; may be repeated")
      ->allow_extra_args(false);
  verb.add_flag("--require-token", flags->require_token, "Temporal's service wants the access token, too");
  verb.add_flag("--time-skipping", flags->time_skipping,
                "for tests: workflow time jumps over waiting when Temporal's TestService unlocks it");
  verb.add_option("--ready-fd", flags->ready_fd,
                  "descriptor that gets one line with the addresses once calls are answered")
      ->check(CLI::Range(0, 1 << 20));
  verb.add_option("--die-after-commits", flags->die_after_commits)->group("");
  tree.run(verb, [&session = tree.session, flags] { return run(session, *flags); });
}

}  // namespace callimport::api
