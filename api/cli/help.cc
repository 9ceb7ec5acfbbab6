#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "api/cli/manual.h"
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
  7    --command-timeout or --timeout ran out
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

constexpr std::string_view kWindows = R"(when the bulk of an import may run; its first calls come at any hour
  nights                                   every day from 20:00 to 06:00, in the customer's zone (the default)
  always                                   at any hour
  weekdays 20:00-06:00 America/New_York    days, then hours, then a zone where it is another than the customer's
  weekends; mon-thu 22:00-05:00            several, each after a semicolon; days without hours are whole days
  nights; closed 2026-12-24..2026-12-26    whole days on which nothing runs
  nights; open 2026-12-27 08:00-12:00      dated hours on which it runs besides

days: mon tue wed thu fri sat sun, mon-fri, sat,sun, weekdays, weekends, daily
zones are IANA names, never offsets. A local time that a change of the clock leaves out moves forward to the change;
of one that comes twice the first counts.

a window that closes lets calls under way end and takes no new ones. Another one for a running import:
  callimport window set imp_7f3a "always"
)";

struct HelpFlags {
  std::vector<std::string> words;
  bool man = false;
  std::string to;
};

/// The app the words lead to.
tl::expected<const CLI::App*, CliError> named(const CLI::App& root, const std::vector<std::string>& words) {
  const CLI::App* at = &root;
  for (const auto& word : words) {
    const auto subs = at->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
    if (subs.empty())
      return sorry(kExitUsage, "usage", "no help on \"" + printable(word.substr(0, 60)) + "\"", "callimport help");
    at = subs.front();
  }
  return at;
}

Ended man(const Session& session, const CLI::App& root, const HelpFlags& flags) {
  const auto pages = manual(root);
  if (flags.to.empty()) {
    std::string path;
    for (const auto& word : flags.words) path += (path.empty() ? "" : " ") + word;
    for (const auto& page : pages) {
      if (page.path == path) session.print(man_page(page, pages.front()));
    }
    return kExitDone;
  }
  std::error_code error;
  std::filesystem::create_directories(flags.to, error);
  for (const auto& page : pages) {
    std::ofstream out(flags.to + "/" + man_file(page), std::ios::trunc);
    out << man_page(page, pages.front());
    out.close();
    if (!out) return sorry(kExitFailed, "file.unwritable", "cannot write into " + flags.to, "give another --to FOLDER");
  }
  session.say(fmt::format("{} pages written into {}", pages.size(), flags.to));
  return kExitDone;
}

}  // namespace

void add_help(Tree& tree) {
  auto& verb =
      tree.verb(tree.root, "help", "Help for a command, or on: stages, windows, exit-codes, environment, config",
                {"callimport help start", "callimport help --man start | man -l -"});
  auto flags = std::make_shared<HelpFlags>();  // shared by the parser and the body
  verb.add_option("topic", flags->words, "a command, or stages, windows, exit-codes, environment, config");
  auto* as_man = verb.add_flag("--man", flags->man, "as a manual page");
  verb.add_option("--to", flags->to, "with --man: write the pages of all commands into this folder")->needs(as_man);
  tree.run(verb, [&tree, flags]() -> Ended {
    const auto& session = tree.session;
    static const std::map<std::string, std::function<std::string()>> topics = {
        {"stages", [] { return workflows::describe_table(); }},
        {"exit-codes", [] { return std::string(kExitCodes); }},
        {"environment", [] { return std::string(kEnvironment); }},
        {"windows", [] { return std::string(kWindows); }},
        {"config", [] { return std::string(kConfigHelp); }}};
    if (flags->words.size() == 1) {
      if (const auto topic = topics.find(flags->words.front()); topic != topics.end()) {
        session.print(topic->second());
        return kExitDone;
      }
    }
    CLI_TRY(const auto* at, named(tree.root, flags->words));
    if (flags->man) return man(session, tree.root, *flags);
    session.print(at->help());
    return kExitDone;
  });
}

}  // namespace callimport::api
