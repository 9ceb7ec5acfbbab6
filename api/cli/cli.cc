#include "api/cli/cli.h"

#include <fmt/format.h>

#include <csignal>
#include <iostream>

#include "api/cli/text.h"
#include "api/cli/tree.h"
#include "storage/model/spelling.h"

namespace callimport::api {
namespace {

CliHooks g_hooks;

/// Only the first line of a verb's description belongs into the list of verbs.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* sub) const override {
    const auto text = sub->get_description();
    std::stringstream out;
    CLI::detail::format_help(out, sub->get_display_name(true), text.substr(0, text.find('\n')), column_width_);
    return out.str();
  }
};

void add_global_flags(CLI::App& root, GlobalFlags& flags) {
  const std::string group = "Everywhere";
  root.add_option("-o,--output", flags.output, "text, json, jsonl, csv or none; html for a report")
      ->check(CLI::IsMember({"text", "json", "jsonl", "csv", "html", "none"}))
      ->group(group);
  root.add_option("--fields", flags.fields, "only these fields of the answer, e.g. id,condition,counters.found")
      ->delimiter(',')
      ->group(group);
  root.add_option("--time-format", flags.time_format, "relative, iso or raw")
      ->check(CLI::IsMember({"relative", "iso", "raw"}))
      ->group(group);
  root.add_option("--color", flags.color, "auto, always or never; NO_COLOR is honoured")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->group(group);
  root.add_option("--data", flags.data, "data folder (CALLIMPORT_DATA)")->group(group);
  root.add_option("--config-file", flags.config_file,
                  "configuration (default: callimport.toml in the data folder, else in $XDG_CONFIG_HOME/callimport)")
      ->group(group);
  root.add_option("--command-timeout", flags.command_timeout_s, "seconds to wait for an answer")
      ->check(CLI::Range(0.1, 86'400.0))
      ->group(group);
  root.add_option("--log-level", flags.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->group(group);
  root.add_option("--log-format", flags.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->group(group);
  root.add_flag("-q,--quiet", flags.quiet, "no talk on stderr")->group(group);
  root.add_flag("-y,--yes", flags.yes, "answer questions with yes")->group(group);
  root.add_flag("--no-input", flags.no_input, "never ask")->group(group);
}

/// Names and meaning as in Temporal's own command line, which also reads TEMPORAL_*.
void add_connection_flags(CLI::App& root, GlobalFlags& flags) {
  const std::string group = "Connection";
  auto& words = flags.connection;
  root.add_option("--address", words.address,
                  "server as host:port (TEMPORAL_ADDRESS; default: the socket in the data folder)")
      ->group(group);
  root.add_option("-n,--namespace", words.name_space, "Temporal namespace (TEMPORAL_NAMESPACE; default)")->group(group);
  root.add_option("--profile", flags.profile,
                  "a [profile.NAME] of the configuration (CALLIMPORT_PROFILE; default: the one named default)")
      ->group(group);
  root.add_option("--api-key-file", words.api_key_file, "file with the API key (else TEMPORAL_API_KEY)")->group(group);
  root.add_option("--access-file", words.access_file, "file with the server's access token (CALLIMPORT_ACCESS_FILE)")
      ->group(group);
  root.add_flag("--tls{true}", words.tls, "use TLS; on by itself with an API key, a CA or a certificate (TEMPORAL_TLS)")
      ->group(group);
  root.add_option("--tls-ca-path", words.tls_ca_path, "PEM of the CA to believe instead of the machine's own")
      ->group(group);
  root.add_option("--tls-cert-path", words.tls_cert_path, "PEM of the client's certificate")->group(group);
  root.add_option("--tls-key-path", words.tls_key_path, "PEM of its key")->group(group);
  root.add_option("--tls-server-name", words.tls_server_name, "name expected in the server's certificate")
      ->group(group);
}

void add_verbs(Tree& tree) {
  add_start(tree);
  add_estimate(tree);
  add_watch(tree);
  add_overview(tree);
  add_list(tree);
  add_show(tree);
  add_report(tree);
  add_cancel(tree);
  add_pause_resume(tree);
  add_window(tree);
  add_retry(tree);
  add_skip(tree);
  add_approve(tree);
  add_undo(tree);
  add_audit(tree);
  add_notifications(tree);
  add_calls(tree);
  add_people(tree);
  add_credentials(tree);
  add_budgets(tree);
  add_webhooks(tree);
  add_quarantine(tree);
  add_serve(tree);
  add_worker(tree);
  add_sandbox(tree);
  add_history(tree);
  add_metrics(tree);
  add_platforms(tree);
  add_doctor(tree);
  add_backup(tree);
  add_restore(tree);
  add_version(tree);
  add_completion(tree);
  add_help(tree);
}

/// The deepest app the words reach, and the first word that is none of its verbs.
std::pair<const CLI::App*, std::string> stray_word(const CLI::App& root, int argc, char** argv) {
  const CLI::App* at = &root;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) break;
    const auto subs = at->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
    if (subs.empty()) return {at, word};
    at = subs.front();
  }
  return {at, {}};
}

CliError usage_error(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
  CliError usage{kExitUsage, "usage", error.what(), {}};
  for (auto& c : usage.message) c = c == '\n' ? ' ' : c;
  if (usage.message.size() > 300) usage.message = usage.message.substr(0, 300) + "...";
  usage.message = printable(usage.message);
  const auto [at, word] = stray_word(root, argc, argv);
  std::string path;
  for (const auto* app = at; app != nullptr; app = app->get_parent())
    path = app->get_name() + (path.empty() ? "" : " ") + path;
  usage.next = path + " --help";
  const auto subs = at->get_subcommands({});
  if (word.empty() || subs.empty()) return usage;
  std::vector<std::string> names;
  for (const auto* sub : subs) {
    if (!sub->get_group().empty()) names.push_back(sub->get_name());
  }
  usage.message = fmt::format("no command \"{} {}\"", path, printable(word.substr(0, 100)));
  if (const auto guess = nearest(word, names)) usage.next = fmt::format("{} {}   # did you mean this?", path, *guess);
  return usage;
}

/// -o given before the parse failed: so that even a usage error comes as JSON when JSON was asked for.
void peek_output(GlobalFlags& flags, int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-o" || word == "--output") flags.output = argv[i + 1];
  }
}

}  // namespace

const CliHooks& cli_hooks() { return g_hooks; }

CLI::App& Tree::verb(CLI::App& parent, const std::string& name, const std::string& summary,
                     const std::vector<std::string>& examples) {
  std::string text = summary;
  if (!examples.empty()) text += "\n\nExamples:";
  for (const auto& example : examples) text += "\n  " + example;
  auto* sub = parent.add_subcommand(name, text + "\n");
  sub->fallthrough();
  sub->formatter(std::make_shared<Formatter>());
  return *sub;
}

void Tree::run(CLI::App& verb, std::function<Ended()> body) {
  verb.final_callback([this, body = std::move(body)] {
    if (!chosen) chosen = body;
  });
}

int run_cli(int argc, char** argv, CliHooks hooks) {
  g_hooks = std::move(hooks);
  std::signal(SIGPIPE, SIG_IGN);
  Session session;
  CLI::App root(
      "Brings recorded calls into a library you keep, once each, whatever happens on the way.\n\nExamples:\n"
      "  callimport serve\n  callimport start --platform grain --customer Acme --token-file grain.token --wait\n",
      "callimport");
  root.formatter(std::make_shared<Formatter>());
  root.set_help_flag("-h,--help", "Help for any command");
  root.set_version_flag("--version", std::string("callimport ") + kVersion);
  root.require_subcommand(1);
  Tree tree{root, session, {}};
  add_global_flags(root, session.flags);
  add_connection_flags(root, session.flags);
  add_verbs(tree);
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* at = &root;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    session.print(at->help());
    return kExitDone;
  } catch (const CLI::CallForVersion& version) {
    session.print(std::string(version.what()) + "\n");
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    if (argc == 1) {
      session.print(root.help());
      return kExitUsage;
    }
    peek_output(session.flags, argc, argv);
    print_error(session, usage_error(root, error, argc, argv));
    return kExitUsage;
  }
  const auto ended = tree.chosen ? tree.chosen() : Ended(kExitUsage);
  if (ended) return *ended;
  print_error(session, ended.error());
  return ended.error().exit;
}

}  // namespace callimport::api
