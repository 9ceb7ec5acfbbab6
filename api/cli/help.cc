#include <fmt/format.h>

#include "api/cli/tree.h"
#include "api/serve/config.h"
#include "workflows/import/table.h"

namespace callimport::api {
namespace {

constexpr std::string_view kExitCodes = R"(exit codes
  0    done
  1    failed
  2    wrong usage
  3    cancelled or declined
  4    sign-in needed
  5    finished with gaps          (5 to 8: watch, start --wait, show --exit-status)
  6    import failed; a replay differs
  7    --command-timeout ran out
  8    still pending, or waits for a person
  130  Ctrl-C
)";

constexpr std::string_view kEnvironment = R"(environment
  CALLIMPORT_DATA         data folder (else $XDG_DATA_HOME/callimport, else ~/.local/share/callimport)
  CALLIMPORT_FORCE_TTY    columns: behave as on a terminal that wide
  NO_COLOR, TERM=dumb     no colours
  LC_ALL, LC_CTYPE, LANG  without UTF-8 in them, bars and marks are ASCII

connection: a flag counts before these, and these before the [profile.NAME] of the configuration
  CALLIMPORT_PROFILE      the profile (else the one named default)
  CALLIMPORT_ACCESS_FILE  file with the access token of a server of ours, for --address
  CALLIMPORT_WEB_URL      Temporal's Web UI, for show --web
  TEMPORAL_ADDRESS        server as host:port
  TEMPORAL_NAMESPACE      Temporal namespace
  TEMPORAL_API_KEY        the API key; TEMPORAL_API_KEY_FILE: a file that holds it
  TEMPORAL_TLS            true or false; on by itself with an API key, a CA or a certificate
  TEMPORAL_TLS_SERVER_CA_CERT_PATH, TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH
                          PEM files; the same with _DATA instead of _PATH: the PEM itself
  TEMPORAL_TLS_SERVER_NAME  name expected in the server's certificate
)";

}  // namespace

void add_help(Tree& tree) {
  auto& verb = tree.verb(tree.root, "help", "Help for a command, or on: stages, exit-codes, environment, config",
                         {"callimport help start", "callimport help stages"});
  auto words = std::make_shared<std::vector<std::string>>();  // shared by the parser and the body
  verb.add_option("topic", *words, "a command, or stages, exit-codes, environment, config");
  tree.run(verb, [&tree, words]() -> Ended {
    const auto& session = tree.session;
    const CLI::App* at = &tree.root;
    if (words->size() == 1) {
      const auto& topic = words->front();
      if (topic == "stages") return session.print(workflows::describe_table()), static_cast<int>(kExitDone);
      if (topic == "exit-codes") return session.print(kExitCodes), static_cast<int>(kExitDone);
      if (topic == "environment") return session.print(kEnvironment), static_cast<int>(kExitDone);
      if (topic == "config") return session.print(kConfigHelp), static_cast<int>(kExitDone);
    }
    for (const auto& word : *words) {
      const auto subs = at->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
      if (subs.empty())
        return sorry(kExitUsage, "usage", "no help on \"" + printable(word.substr(0, 60)) + "\"", "callimport help");
      at = subs.front();
    }
    session.print(at->help());
    return kExitDone;
  });
}

}  // namespace callimport::api
