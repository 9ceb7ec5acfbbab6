#include "api/serve/serve.h"

#include <fmt/format.h>

#include "api/cli/serve_flags.h"
#include "api/cli/tree.h"
#include "api/serve/dynamic_config.h"

namespace callimport::api {
namespace {

struct ServeFlags {
  std::string ip, tls_cert, tls_key, api_key_file, database;
  std::vector<std::string> namespaces, attributes, limits;
  int port = -1, ready_fd = -1;
  bool require_token = false, insecure_public = false;
  std::uint64_t die_after_commits = 0;
  bool time_skipping = false;
  HttpFlags http;
  // Of Temporal's dev server, without a meaning here.
  bool headless = false;
  std::vector<std::string> idle;
};

/// Flags of `temporal server start-dev` that there is nothing for here: name, and why.
struct IdleFlag {
  const char *name, *why;
};
constexpr IdleFlag kIdleFlags[] = {
    {"--ui-port", "there is no Web UI in this program"},
    {"--ui-ip", "there is no Web UI in this program"},
    {"--ui-public-path", "there is no Web UI in this program"},
    {"--ui-asset-path", "there is no Web UI in this program"},
    {"--ui-codec-endpoint", "there is no Web UI in this program"},
    {"--metrics-port", "metrics are at --http-port, under /metrics"},
    {"--sqlite-pragma", "the database has its settings"},
};

tl::expected<void, CliError> listen_at(const ServeFlags& flags, std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos)
    return sorry(kExitUsage, "config.malformed", "server.address must be HOST:PORT", "callimport help config");
  auto host = flags.ip.empty() ? address.substr(0, colon) : flags.ip;
  if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
  address = host + ":" + (flags.port >= 0 ? std::to_string(flags.port) : address.substr(colon + 1));
  return {};
}

tl::expected<void, CliError> fill_config(const ServeFlags& flags, ServeConfig& config) {
  CLI_TRY_VOID(listen_at(flags, config.address));
  fill_http(flags.http, config.http);
  config.require_token = config.require_token || flags.require_token;
  config.insecure_public = config.insecure_public || flags.insecure_public;
  if (!flags.tls_cert.empty()) config.tls_cert_file = flags.tls_cert;
  if (!flags.tls_key.empty()) config.tls_key_file = flags.tls_key;
  if (!flags.api_key_file.empty()) config.api_key_file = flags.api_key_file;
  config.namespaces.insert(config.namespaces.end(), flags.namespaces.begin(), flags.namespaces.end());
  for (const auto& text : flags.attributes) {
    const auto attribute = parse_search_attribute(text);
    if (!attribute)
      return sorry(kExitUsage, "usage", printable(text.substr(0, 100)) + ": " + attribute.error().message,
                   "callimport serve --help");
    config.search_attributes[attribute->first] = attribute->second;
  }
  return {};
}

/// Keys of the dev server that mean nothing here are taken: a script that sets them goes on.
tl::expected<void, CliError> fill_limits(Session& session, const ServeFlags& flags, ServeOrder& order) {
  for (const auto& words : flags.limits) {
    engine::EmbeddedOptions unused;
    const auto set = set_dynamic_config(words, &unused);
    if (!set) {
      return sorry(kExitUsage, "usage", printable(words.substr(0, 100)) + ": " + set.error().message,
                   "callimport serve --help");
    }
    if (*set) {
      order.limits.push_back(words);
    } else {
      session.say(fmt::format("--dynamic-config-value {} is accepted and not used: nothing here has that key",
                              printable(words.substr(0, words.find('=')))));
    }
  }
  return {};
}

/// The dev server keeps everything in one file; here it is a folder beside it.
void use_database(Session& session, const ServeFlags& flags) {
  if (flags.database.empty() || !session.flags.data.empty()) return;
  session.flags.data = flags.database + ".d";
  session.say("--db-filename: the data are in the folder " + session.flags.data);
}

Ended run(Session& session, const ServeFlags& flags) {
  use_database(session, flags);
  if (flags.headless) session.say("--headless: nothing to leave out, there is no Web UI in this program");
  for (const auto& word : flags.idle) session.say(word);
  ServeOrder order;
  CLI_TRY_VOID(fill_order(session, order));
  CLI_TRY_VOID(fill_config(flags, order.config));
  CLI_TRY_VOID(fill_limits(session, flags, order));
  order.ready_fd = flags.ready_fd;
  order.die_after_commits = flags.die_after_commits;
  order.time_skipping = flags.time_skipping;
  const auto served = serve(order);
  if (served) return kExitDone;
  return server_error(served.error(), order.data_folder);
}

void add_dev_server_flags(CLI::App& verb, ServeFlags& flags) {
  const std::string group = "As Temporal's dev server";
  verb.add_option("-n,--namespace", flags.namespaces, "a namespace to be there, besides default; may be repeated")
      ->allow_extra_args(false)
      ->group(group);
  verb.add_option("--search-attribute", flags.attributes, "NAME=TYPE in each namespace; may be repeated")
      ->allow_extra_args(false)
      ->group(group);
  verb.add_option("--dynamic-config-value", flags.limits, "KEY=VALUE for limits of workflows; may be repeated")
      ->allow_extra_args(false)
      ->group(group);
  verb.add_option("-f,--db-filename", flags.database, "keep the data in the folder FILE.d")->group(group);
  verb.add_flag("--headless", flags.headless, "accepted: there is no Web UI")->group(group);
  for (const auto& idle : kIdleFlags) {
    const std::string word = fmt::format("{} is accepted and not used: {}", idle.name, idle.why);
    verb.add_option_function<std::string>(
            idle.name, [&flags, word](const std::string&) { flags.idle.push_back(word); },
            std::string("accepted: ") + idle.why)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->group(group);
  }
}

}  // namespace

void add_serve(Tree& tree) {
  auto& verb = tree.verb(tree.root, "serve", "Run the server: imports, library, and Temporal's API on one port",
                         {"callimport serve", "callimport serve --data /srv/calls --port 7233"});
  auto flags = std::make_shared<ServeFlags>();  // shared by the parser and the body
  verb.add_option("--ip", flags->ip, "address to listen on (127.0.0.1)");
  verb.add_option("--port", flags->port, "port to listen on (7233); 0: a free one")->check(CLI::Range(0, 65'535));
  add_http_flags(verb, flags->http);
  verb.add_flag("--require-token", flags->require_token, "Temporal's service wants the access token, too");
  verb.add_flag("--time-skipping", flags->time_skipping,
                "for tests: workflow time jumps over waiting when Temporal's TestService unlocks it");
  verb.add_option("--api-key-file", flags->api_key_file, "file with the key Temporal's clients must send");
  verb.add_option("--tls-cert", flags->tls_cert, "PEM of the certificate: TLS on the port");
  verb.add_option("--tls-key", flags->tls_key, "PEM of its key");
  verb.add_flag("--insecure-public", flags->insecure_public,
                "listen where others can reach it without TLS and API key, and mean it");
  add_dev_server_flags(verb, *flags);
  verb.add_option("--ready-fd", flags->ready_fd,
                  "descriptor that gets one line with the addresses once calls are answered")
      ->check(CLI::Range(0, 1 << 20));
  verb.add_option("--die-after-commits", flags->die_after_commits)->group("");
  tree.run(verb, [&session = tree.session, flags] { return run(session, *flags); });
}

}  // namespace callimport::api
