#pragma once
// The server's configuration: TOML with a few tables, every key optional. docs of the keys: kConfigHelp.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "activities/http/addresses.h"
#include "activities/notify/people.h"
#include "api/connection.h"
#include "api/roles.h"
#include "storage/model/result.h"
#include "storage/quota/settings.h"

namespace callimport::api {

struct MailConfig {
  std::string url;  ///< smtp://host:port or smtps://host:port; empty: no mail
  std::string from;
  std::vector<std::string> to;
  std::string user, password_file;  ///< the password is read from a file, never from this one
  bool tls = false;                 ///< nothing is sent without it
  std::string ca_file;              ///< PEM of who signs the server's certificate; empty: this machine's
  std::string templates;            ///< a folder with words in place of ours; empty: none
  std::string open_url;             ///< where an import is looked at, {import} being its id; empty: no such link
};
/// By a bot token, or the simple way: an incoming webhook. Secrets are in files.
struct SlackConfig {
  std::string webhook_url_file;     ///< with the incoming webhook's URL; empty: none
  std::string token_file;           ///< with the bot token; empty: none
  std::string channel;              ///< where imports are told of: its id, or its name with #
  std::string ops_channel;          ///< of what concerns a platform or the server; empty: `channel`
  std::string signing_secret_file;  ///< with what Slack signs buttons with; empty: messages have no buttons
  std::string open_url;             ///< of an import's page, {import} in it is its id; empty: messages have no link
  std::string api_url;              ///< empty: Slack's own
};

/// Health, metrics, and what others call us by: links to unsubscribe, Slack's buttons.
struct HttpConfig {
  bool enabled = true;
  std::string host = "127.0.0.1";
  int port = -1;    ///< 0: any free one; -1: kHttpPort if nobody has it
  std::string url;  ///< where others reach it, e.g. https://calls.example.com; empty: host and port
};
inline constexpr int kHttpPort = 8233;

struct WebhooksConfig {
  std::vector<activities::Network> allow_networks;  ///< internal ones that endpoints may be in
};

/// What an import is given where its start did not say.
struct ImportsConfig {
  std::string window = "nights";  ///< when bulk may run (storage/windows)
  std::string zone;               ///< the customers'; empty: this machine's
  std::string order = "newest";
  int first_lane = 100;
};

/// Pricing guidance for estimates; 0: no such price.
struct PriceConfig {
  std::string currency = "EUR";
  double hour = 0, gigabyte = 0, call = 0;
};

/// What holds for all calls of one workspace of a platform.
struct WorkspaceConfig {
  std::string privacy = "team";      ///< of its calls at least: private, team, everyone
  std::vector<std::string> domains;  ///< of its own people, besides those of users in the directory
  std::string customer;              ///< whose it is, where one customer has several; empty: its own name
};

/// What a platform has issued to this installation, for people who sign in in a browser.
struct OAuthConfig {
  std::string client_id;
  std::string client_secret_file;  ///< read from a file, never from this one; empty: a public client
  std::string scopes;              ///< as the platform writes them; empty: whatever it gives
  std::string base_url;            ///< instead of the vendor's own addresses, e.g. a sandbox
};

struct TranscriberConfig {
  std::string url;  ///< of POST /v1/audio/transcriptions; empty: calls without a transcript stay so
  std::string model = "whisper-1";
  std::string key_file;  ///< the key is read from a file, never from this one
  int bytes_max = 25'000'000;
  int at_once = 2;
};

struct ServeConfig {
  std::string address = "127.0.0.1:7233";
  bool require_token = false;
  bool insecure_public = false;  ///< an address others reach without TLS and API key is meant
  std::string tls_cert_file, tls_key_file, api_key_file;
  std::vector<std::string> token_files;  ///< further access tokens; each is known by its file's name
  std::string shared_socket;             ///< a second socket, which other users of the machine may open; needs roles
  RoleMap roles;
  int undo_days = 30;                                    ///< after its end an import may be undone for so long
  std::string name_space = "default";                    ///< where imports run
  std::vector<std::string> namespaces = {"default"};     ///< made sure of besides it
  std::map<std::string, std::string> search_attributes;  ///< in each of them: name -> type, besides the imports' own
  int retention_hours = 24 * 30;                         ///< of closed histories
  int activities_max = 64;                               ///< activities running at once
  int cached_runs_max = 1'000;
  int pool_threads = 8;
  int quarantine_mb = 5'000;  ///< of broken recordings that are kept
  ImportsConfig imports;
  MailConfig mail;
  SlackConfig slack;
  HttpConfig http;
  WebhooksConfig webhooks;
  PriceConfig prices;
  std::map<std::string, WorkspaceConfig, std::less<>> workspaces;
  std::map<std::string, OAuthConfig, std::less<>> oauth;  ///< by platform
  storage::BudgetSettings budgets;
  activities::Roster roster;  ///< [people] and [notify]
  TranscriberConfig transcriber;
  std::map<std::string, ConnectionWords, std::less<>> profiles;  ///< for clients; the server reads none of it
};

/// Reads a file on top of the defaults. An unknown key is an error, so that a typing mistake is not silently ignored.
/// @error kInvalid  malformed, or a value of another type or out of range: `file:line: what is wrong; what to do`.
/// @error kNotFound the file is not there.
Result<ServeConfig> read_config(const std::string& path);
Result<ServeConfig> parse_config(std::string_view text, const std::string& name);

/// NAME=TYPE with one of Temporal's types, as the server's flag and the configuration write it.
/// @error kInvalid  another form or type: names the types.
Result<std::pair<std::string, std::string>> parse_search_attribute(const std::string& text);

/// The keys with one line each, for `callimport help config`.
extern const std::string_view kConfigHelp;

}  // namespace callimport::api
