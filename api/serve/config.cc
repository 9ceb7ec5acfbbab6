#include "api/serve/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "activities/platforms/platform.h"
#include "api/serve/budgets_config.h"
#include "api/serve/people_config.h"
#include "api/serve/toml_shape.h"
#include "storage/windows/time_window.h"

namespace callimport::api {
namespace {

inline constexpr std::size_t kConfigBytesMax = 1u << 20;
constexpr std::string_view kTypes[] = {"Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"};
constexpr std::string_view kTypeWords = "TYPE being Text, Keyword, Int, Double, Bool, Datetime or KeywordList";

/// Sets one field from a node; false: the node has another type or is out of range, and `wanted` says what it should
/// be.
template <class Into>
struct Key {
  std::string wanted;
  std::function<bool(Into&, const toml::node&)> set;
};

Key<ServeConfig> text(std::string& (*field)(ServeConfig&)) {
  return {"text in quotes", [field](ServeConfig& config, const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (value) field(config) = *value;
            return value.has_value();
          }};
}

Key<ServeConfig> yes_or_no(bool& (*field)(ServeConfig&)) {
  return {"true or false", [field](ServeConfig& config, const toml::node& node) {
            const auto value = node.value_exact<bool>();
            if (value) field(config) = *value;
            return value.has_value();
          }};
}

Key<ServeConfig> whole(int& (*field)(ServeConfig&), int least, int most) {
  return {fmt::format("a whole number from {} to {}", least, most), [=](ServeConfig& config, const toml::node& node) {
            const auto value = node.value_exact<std::int64_t>();
            if (!value || *value < least || *value > most) return false;
            field(config) = static_cast<int>(*value);
            return true;
          }};
}

Key<ServeConfig> checked(std::string wanted, std::string ImportsConfig::* field, bool (*good)(const std::string&)) {
  return {std::move(wanted), [field, good](ServeConfig& config, const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (!value || !good(*value)) return false;
            config.imports.*field = *value;
            return true;
          }};
}

Key<ServeConfig> price(double& (*field)(ServeConfig&)) {
  return {"a price of 0 or more, e.g. 0.25", [field](ServeConfig& config, const toml::node& node) {
            const auto value = node.value<double>();
            if (!value || !std::isfinite(*value) || *value < 0) return false;
            field(config) = *value;
            return true;
          }};
}

Key<ServeConfig> texts(std::vector<std::string>& (*field)(ServeConfig&)) {
  return {"a list of texts, e.g. [\"cs@example.com\"]", [field](ServeConfig& config, const toml::node& node) {
            const auto* list = node.as_array();
            if (list == nullptr) return false;
            field(config).clear();
            for (const auto& item : *list) {
              const auto value = item.value_exact<std::string>();
              if (!value) return false;
              field(config).push_back(*value);
            }
            return true;
          }};
}

Key<ServeConfig> networks() {
  return {"a list of networks, e.g. [\"10.1.0.0/16\"]", [](ServeConfig& config, const toml::node& node) {
            const auto* list = node.as_array();
            if (list == nullptr) return false;
            for (const auto& item : *list) {
              const auto text = item.value_exact<std::string>();
              const auto network = activities::parse_network(text.value_or(""));
              if (!network) return false;
              config.webhooks.allow_networks.push_back(*network);
            }
            return true;
          }};
}

template <class Into>
using Table = std::map<std::string, Key<Into>, std::less<>>;

Key<ConnectionWords> word(std::string ConnectionWords::* field) {
  return {"text in quotes", [field](ConnectionWords& words, const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (value) words.*field = *value;
            return value.has_value();
          }};
}

Key<ServeConfig> attributes() {
  return {"a list of NAME=TYPE, e.g. [\"Region=Keyword\"], " + std::string(kTypeWords),
          [](ServeConfig& config, const toml::node& node) {
            const auto* list = node.as_array();
            if (list == nullptr) return false;
            for (const auto& item : *list) {
              const auto text = item.value_exact<std::string>();
              const auto pair = text ? parse_search_attribute(*text) : fail(Code::kInvalid, "");
              if (!pair) return false;
              config.search_attributes[pair->first] = pair->second;
            }
            return true;
          }};
}

const Table<ConnectionWords>& profile_keys() {
  static const Table<ConnectionWords> keys = {
      {"address", word(&ConnectionWords::address)},
      {"namespace", word(&ConnectionWords::name_space)},
      {"tls",
       {"true or false",
        [](ConnectionWords& words, const toml::node& node) {
          const auto value = node.value_exact<bool>();
          if (value) words.tls = *value ? "true" : "false";
          return value.has_value();
        }}},
      {"tls_ca_path", word(&ConnectionWords::tls_ca_path)},
      {"tls_cert_path", word(&ConnectionWords::tls_cert_path)},
      {"tls_key_path", word(&ConnectionWords::tls_key_path)},
      {"tls_server_name", word(&ConnectionWords::tls_server_name)},
      {"api_key_file", word(&ConnectionWords::api_key_file)},
      {"access_file", word(&ConnectionWords::access_file)},
      {"web_url", word(&ConnectionWords::web_url)},
  };
  return keys;
}

const std::map<std::string, Table<ServeConfig>, std::less<>>& tables() {
  static const std::map<std::string, Table<ServeConfig>, std::less<>> all = {
      {"server",
       {{"address", text([](ServeConfig& c) -> std::string& { return c.address; })},
        {"tls_cert", text([](ServeConfig& c) -> std::string& { return c.tls_cert_file; })},
        {"tls_key", text([](ServeConfig& c) -> std::string& { return c.tls_key_file; })},
        {"api_key_file", text([](ServeConfig& c) -> std::string& { return c.api_key_file; })},
        {"token_files", texts([](ServeConfig& c) -> std::vector<std::string>& { return c.token_files; })},
        {"shared_socket", text([](ServeConfig& c) -> std::string& { return c.shared_socket; })},
        {"insecure_public", yes_or_no([](ServeConfig& c) -> bool& { return c.insecure_public; })},
        {"require_token", yes_or_no([](ServeConfig& c) -> bool& { return c.require_token; })}}},
      {"http",
       {{"enabled", yes_or_no([](ServeConfig& c) -> bool& { return c.http.enabled; })},
        {"host", text([](ServeConfig& c) -> std::string& { return c.http.host; })},
        {"port", whole([](ServeConfig& c) -> int& { return c.http.port; }, 0, 65'535)},
        {"url", text([](ServeConfig& c) -> std::string& { return c.http.url; })}}},
      {"engine",
       {{"namespace", text([](ServeConfig& c) -> std::string& { return c.name_space; })},
        {"namespaces", texts([](ServeConfig& c) -> std::vector<std::string>& { return c.namespaces; })},
        {"search_attributes", attributes()},
        {"retention_hours", whole([](ServeConfig& c) -> int& { return c.retention_hours; }, 1, 24 * 3650)},
        {"cached_runs", whole([](ServeConfig& c) -> int& { return c.cached_runs_max; }, 0, 1'000'000)}}},
      {"limits",
       {{"activities", whole([](ServeConfig& c) -> int& { return c.activities_max; }, 1, 10'000)},
        {"undo_days", whole([](ServeConfig& c) -> int& { return c.undo_days; }, 0, 3650)},
        {"quarantine_mb", whole([](ServeConfig& c) -> int& { return c.quarantine_mb; }, 0, 1'000'000)},
        {"threads", whole([](ServeConfig& c) -> int& { return c.pool_threads; }, 1, 256)}}},
      {"imports",
       {{"window", checked("a window, e.g. \"nights\" or \"weekdays 20:00-06:00; weekends\"", &ImportsConfig::window,
                           [](const std::string& text) { return storage::TimeWindow::parse(text, "").has_value(); })},
        {"zone",
         checked("a time zone, e.g. \"Europe/Madrid\"", &ImportsConfig::zone,
                 [](const std::string& text) { return storage::TimeWindow::parse("nights", text).has_value(); })},
        {"order", checked("newest, length, owner or account", &ImportsConfig::order,
                          [](const std::string& text) {
                            return text == "newest" || text == "length" || text == "owner" || text == "account";
                          })},
        {"first_lane", whole([](ServeConfig& c) -> int& { return c.imports.first_lane; }, 1, 100'000)}}},
      {"transcriber",
       {{"url", text([](ServeConfig& c) -> std::string& { return c.transcriber.url; })},
        {"model", text([](ServeConfig& c) -> std::string& { return c.transcriber.model; })},
        {"key_file", text([](ServeConfig& c) -> std::string& { return c.transcriber.key_file; })},
        {"bytes_max", whole([](ServeConfig& c) -> int& { return c.transcriber.bytes_max; }, 1, 2'000'000'000)},
        {"at_once", whole([](ServeConfig& c) -> int& { return c.transcriber.at_once; }, 1, 100)}}},
      {"mail",
       {{"url", text([](ServeConfig& c) -> std::string& { return c.mail.url; })},
        {"from", text([](ServeConfig& c) -> std::string& { return c.mail.from; })},
        {"to", texts([](ServeConfig& c) -> std::vector<std::string>& { return c.mail.to; })},
        {"user", text([](ServeConfig& c) -> std::string& { return c.mail.user; })},
        {"password_file", text([](ServeConfig& c) -> std::string& { return c.mail.password_file; })},
        {"tls", yes_or_no([](ServeConfig& c) -> bool& { return c.mail.tls; })},
        {"ca_file", text([](ServeConfig& c) -> std::string& { return c.mail.ca_file; })},
        {"templates", text([](ServeConfig& c) -> std::string& { return c.mail.templates; })},
        {"open_url", text([](ServeConfig& c) -> std::string& { return c.mail.open_url; })}}},
      {"prices",
       {{"currency", text([](ServeConfig& c) -> std::string& { return c.prices.currency; })},
        {"hour", price([](ServeConfig& c) -> double& { return c.prices.hour; })},
        {"gb", price([](ServeConfig& c) -> double& { return c.prices.gigabyte; })},
        {"call", price([](ServeConfig& c) -> double& { return c.prices.call; })}}},
      {"webhooks", {{"allow_networks", networks()}}},
      {"slack",
       {{"webhook_url_file", text([](ServeConfig& c) -> std::string& { return c.slack.webhook_url_file; })},
        {"token_file", text([](ServeConfig& c) -> std::string& { return c.slack.token_file; })},
        {"channel", text([](ServeConfig& c) -> std::string& { return c.slack.channel; })},
        {"ops_channel", text([](ServeConfig& c) -> std::string& { return c.slack.ops_channel; })},
        {"signing_secret_file", text([](ServeConfig& c) -> std::string& { return c.slack.signing_secret_file; })},
        {"open_url", text([](ServeConfig& c) -> std::string& { return c.slack.open_url; })},
        {"api_url", text([](ServeConfig& c) -> std::string& { return c.slack.api_url; })}}},
  };
  return all;
}

template <class Map>
std::string names_of(const Map& map) {
  std::string names;
  for (const auto& [name, unused] : map) names += (names.empty() ? "" : ", ") + name;
  return names;
}

Result<> complain(const std::string& file, const toml::source_region& where, const std::string& what) {
  return fail(Code::kInvalid, fmt::format("{}:{}: {}", file, where.begin.line, what));
}

template <class Into>
Result<> read_table(const std::string& file, const std::string& name, const Table<Into>& keys, const toml::table& table,
                    Into& into) {
  for (const auto& [key, node] : table) {
    const auto found = keys.find(key.str());
    if (found == keys.end()) {
      return complain(file, node.source(),
                      fmt::format("no key {} in [{}]; it may hold: {}", key.str(), name, names_of(keys)));
    }
    if (!found->second.set(into, node)) {
      return complain(file, node.source(), fmt::format("{}.{} must be {}", name, key.str(), found->second.wanted));
    }
  }
  return {};
}

const Table<WorkspaceConfig>& workspace_keys() {
  static const Table<WorkspaceConfig> keys = {
      {"privacy",
       {"\"private\", \"team\" or \"everyone\"",
        [](WorkspaceConfig& workspace, const toml::node& node) {
          const auto value = node.value_exact<std::string>();
          if (value) workspace.privacy = *value;
          return value && (*value == "private" || *value == "team" || *value == "everyone");
        }}},
      {"customer",
       {"a name in quotes",
        [](WorkspaceConfig& workspace, const toml::node& node) {
          const auto value = node.value_exact<std::string>();
          if (value) workspace.customer = *value;
          return value.has_value();
        }}},
      {"domains",
       {"a list of domains in quotes",
        [](WorkspaceConfig& workspace, const toml::node& node) {
          const auto* list = node.as_array();
          if (list == nullptr) return false;
          for (const auto& one : *list) {
            const auto domain = one.value_exact<std::string>();
            if (!domain || domain->find('.') == std::string::npos || domain->find('@') != std::string::npos)
              return false;
            workspace.domains.push_back(*domain);
          }
          return true;
        }}},
  };
  return keys;
}

Result<> read_workspaces(const std::string& file, const toml::table& table, ServeConfig& config) {
  for (const auto& [name, node] : table) {
    const auto* keys = node.as_table();
    if (keys == nullptr) return complain(file, node.source(), "workspaces are tables: [workspaces.NAME]");
    const std::string full = "workspaces." + std::string(name.str());
    TRY_VOID(read_table(file, full, workspace_keys(), *keys, config.workspaces[std::string(name.str())]));
  }
  return {};
}

Key<OAuthConfig> oauth_text(std::string OAuthConfig::* field) {
  return {"text in quotes", [field](OAuthConfig& client, const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (value) client.*field = *value;
            return value.has_value();
          }};
}

const Table<OAuthConfig>& oauth_keys() {
  static const Table<OAuthConfig> keys = {
      {"client_id", oauth_text(&OAuthConfig::client_id)},
      {"client_secret_file", oauth_text(&OAuthConfig::client_secret_file)},
      {"scopes", oauth_text(&OAuthConfig::scopes)},
      {"base_url",
       {"empty, an https address, or an http one of this machine",
        [](OAuthConfig& client, const toml::node& node) {
          const auto value = node.value_exact<std::string>();
          if (!value) return false;
          client.base_url = *value;
          while (client.base_url.ends_with('/')) client.base_url.pop_back();
          constexpr std::string_view kPlain = "http://";
          return value->empty() || value->starts_with("https://") ||
                 (value->starts_with(kPlain) && is_loopback(client.base_url.substr(kPlain.size())));
        }}},
  };
  return keys;
}

Result<> read_oauth(const std::string& file, const toml::table& table, ServeConfig& config) {
  for (const auto& [name, node] : table) {
    const auto* keys = node.as_table();
    const auto* platform = activities::find_platform(name.str());
    if (keys == nullptr || platform == nullptr || !platform->oauth)
      return complain(file, node.source(), "oauth holds tables of platforms where one can sign in: [oauth.grain]");
    const std::string full = "oauth." + std::string(name.str());
    TRY_VOID(read_table(file, full, oauth_keys(), *keys, config.oauth[std::string(name.str())]));
  }
  return {};
}

Result<> read_profiles(const std::string& file, const toml::table& table, ServeConfig& config) {
  for (const auto& [name, node] : table) {
    const auto* keys = node.as_table();
    if (keys == nullptr) return complain(file, node.source(), "profiles are tables: [profile.NAME]");
    const std::string full = "profile." + std::string(name.str());
    TRY_VOID(read_table(file, full, profile_keys(), *keys, config.profiles[std::string(name.str())]));
  }
  return {};
}

Result<> read_roles(const std::string& file, const toml::table& table, ServeConfig& config) {
  for (const auto& [who, node] : table) {
    const auto text = node.value_exact<std::string>();
    const auto role = text ? parse_role(*text) : std::nullopt;
    const bool named =
        who.str().starts_with("os:") || who.str().starts_with("token:") || who.str().starts_with("slack:");
    if (!named || !role) {
      return complain(file, node.source(),
                      "[roles] holds \"os:USER\", \"token:NAME\" or \"slack:USER\" = \"viewer\", \"operator\", "
                      "\"approver\" or \"admin\"");
    }
    config.roles.set(std::string(who.str()), *role);
  }
  return {};
}

}  // namespace

const std::string_view kConfigHelp = R"([server]
address = "127.0.0.1:7233"      # where Temporal's and our own gRPC service listen; port 0: a free one
require_token = false           # true: Temporal's service wants the bearer token too
api_key_file = ""               # a file with the key Temporal's clients must send; the access token opens everything
tls_cert = ""                   # PEM files: TLS on the address
tls_key = ""
token_files = []                # further access tokens, each known as token:NAME by its file NAME.token
shared_socket = ""              # a second Unix socket, for other users of this machine; [roles] says what they may do
insecure_public = false         # true: an address others reach without TLS and API key is meant

[http]                          # health, metrics, and what others call: links to unsubscribe, Slack's buttons
enabled = true
host = "127.0.0.1"              # another needs server.tls_cert, server.tls_key and server.api_key_file
port = 8233                     # without this key: 8233 if nobody has it; 0: a free one
url = ""                        # where others reach it, e.g. "https://calls.example.com"; empty: host and port, and no links to unsubscribe

[engine]
namespace = "default"           # where imports run
namespaces = []                 # others to be there
search_attributes = []          # e.g. ["Region=Keyword"], in each of them
retention_hours = 720           # how long closed histories are kept
cached_runs = 1000              # runs kept in memory between their tasks

[limits]
activities = 64                 # activities running at once
quarantine_mb = 5000            # of broken recordings that are kept; the oldest go first
threads = 8                     # for database and file work
undo_days = 30                  # how long after its end an import can be undone; 0: never

[roles]                         # who may do what; without a row everybody who may connect is admin
# "os:anna" = "operator"        # a user of this machine, on a socket: viewer, operator, approver, admin
# "slack:U02ABCDEF" = "operator" # who presses buttons in Slack, by their member id there
# "token:access" = "admin"      # whoever bears the data folder's token; others by their file's name

[imports]                       # what an import is given where its start does not say
window = "nights"               # when all but the first calls may run; "always": at any hour; help windows has the words
zone = ""                       # of the customers' nights, e.g. "Europe/Madrid"; empty: this machine's
order = "newest"                # who comes first: newest, length, owner, account
first_lane = 100                # calls that come before all others, at any hour
[transcriber]                   # of calls that come without a transcript; absent: they stay so
url = "https://speech.example.com/v1/audio/transcriptions"
model = "whisper-1"
key_file = "/etc/callimport/transcriber.key"
bytes_max = 25000000            # of one recording; longer ones are not sent
at_once = 2                     # requests together

[budgets]
bulk_calls = 5000               # calls of bulk, of all imports together, in the time below
first_calls = 100000            # calls of first lanes in that time: a reserve of their own
hours = 12
left_to_customer_percent = 0    # of the platforms' limits: for the customers' own tools

[budgets.grain]                 # in the place of the documented limits, or besides, of each workspace
per_minute = 300                # also per_second, per_hour, per_day, and each after list_, details_, transcript_, media_link_
left_to_customer_percent = 0

[budgets.weights]               # of workspaces, where they share; all others have 1
"a-workspace" = 1

[mail]
url = "smtp://127.0.0.1:25"     # smtps:// for TLS from the first byte
from = "callimport@example.com"
to = ["cs@example.com"]
user = ""
password_file = ""              # a file, so that this one holds no secret
tls = false                     # true: nothing is sent without; with a user it never is
ca_file = ""                    # PEM, where this machine's authorities do not know the server's
templates = ""                  # a folder of files in place of our words (activities/notify/templates)
open_url = ""                   # where an import is looked at, e.g. "https://calls.example.com/imports/{import}"

[slack]
token_file = ""                 # a file with a bot token (chat:write): a root message an import, edited, news in its thread
channel = ""                    # where: its id (in Slack: channel details), or "#imports"
ops_channel = ""                # of what concerns a platform or the server; empty: the same
signing_secret_file = ""        # a file with the app's signing secret: buttons, which Slack sends to URL/slack/actions
open_url = ""                   # of an import's page, e.g. "https://calls.example.com/imports/{import}"
api_url = ""                    # empty: Slack's own; another for a sandbox
webhook_url_file = ""           # in the place of all that: a file with an incoming webhook's URL, without threads

[people.ana]                    # whom messages go to; a table each
name = "Ana Ruiz"
mail = "ana@example.com"
slack = ""                      # a user's id there
channels = ["mail", "slack"]    # the one preferred first; the next is where a message goes that it would not take
known_as = ["os:ana"]           # as who starts imports and approves: os:USER, token:NAME
zone = "Europe/Madrid"
level = "important"             # everything, important, act (only what wants somebody), none
levels = { acme = "everything" } # of one workspace or import
quiet = "22:00-07:00"           # the digest tells of what came then
digest = true                   # at 08:30, when there is anything
watches_all = false             # every import, not only those they started
backup = ""                     # who acts when they do not; a person's id

[notify]                        # who they are to imports; ids of people
owner = ""                      # of imports whose starter is nobody of these
approvers = []
on_call = []
ops = []
admins = []
team_leads = []

[notify.customers.acme]         # what the customer of a workspace hears, by mail
name = "Acme"
mail = "calls@acme.com"
zone = "Europe/Madrid"
told = false                    # the beginning, the first calls, delays and the end
weekly = false                  # a digest on Mondays

[webhooks]                      # messages to programs of others; docs/webhooks.md
allow_networks = []             # internal networks they may be in, e.g. ["10.1.0.0/16"]; all others are refused

[prices]                        # of an import, for its estimate; 0: no such price
currency = "EUR"
hour = 0.0                      # of recorded time
gb = 0.0                        # of recordings
call = 0.0

[workspaces.acme]               # of the platform, by the name imports of it have
privacy = "team"                # of its calls at least: private, team, everyone; the platform may be stricter
domains = ["acme.com"]          # of its own people, who are internal
customer = ""                   # whose it is: meetings are compared among a customer's workspaces; empty: its own name

[oauth.grain]                   # the client Grain has issued to this installation, for `credentials connect`
client_id = ""
client_secret_file = ""         # a file, so that this one holds no secret; empty: a public client
scopes = ""                     # e.g. "workspace"; empty: whatever the platform gives
base_url = ""                   # instead of the vendor's own addresses, e.g. a sandbox

[profile.default]               # where clients connect; others by --profile NAME
address = ""                    # host:port; empty: the socket in the data folder
namespace = "default"
tls = false                     # on by itself with an API key, a CA or a certificate
tls_ca_path = ""
tls_cert_path = ""
tls_key_path = ""
tls_server_name = ""
api_key_file = ""               # opens Temporal's API
access_file = ""                # the server's access token: opens the library, too
web_url = ""                    # Temporal's Web UI, for show --web
)";

Result<std::pair<std::string, std::string>> parse_search_attribute(const std::string& text) {
  const auto sign = text.find('=');
  const auto type = sign == std::string::npos ? std::string_view() : std::string_view(text).substr(sign + 1);
  if (sign == 0 || std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes))
    return fail(Code::kInvalid, "a search attribute is NAME=TYPE, " + std::string(kTypeWords));
  return std::pair(text.substr(0, sign), std::string(type));
}

Result<ServeConfig> parse_config(std::string_view text, const std::string& name) {
  ServeConfig config;
  if (const auto fault = toml_fault(text))
    return fail(Code::kInvalid, fmt::format("{}:{}: {}", name, fault->line, fault->what));
  toml::table root;
  try {
    (void)toml::parse(ascii_stand_in(text), name);  // for its errors
    root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(Code::kInvalid, fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
  }
  for (const auto& [key, node] : root) {
    const auto* table = node.as_table();
    if (key.str() == "profile" && table != nullptr) {
      TRY_VOID(read_profiles(name, *table, config));
      continue;
    }
    if (key.str() == "oauth" && table != nullptr) {
      TRY_VOID(read_oauth(name, *table, config));
      continue;
    }
    if (key.str() == "roles" && table != nullptr) {
      TRY_VOID(read_roles(name, *table, config));
      continue;
    }
    if (key.str() == "workspaces" && table != nullptr) {
      TRY_VOID(read_workspaces(name, *table, config));
      continue;
    }
    if (key.str() == "budgets" && table != nullptr) {
      TRY_VOID(read_budgets(name, *table, config.budgets));
      continue;
    }
    if ((key.str() == "people" || key.str() == "notify") && table != nullptr) continue;  // in their order, below
    const auto found = tables().find(key.str());
    if (found == tables().end() || table == nullptr) {
      TRY_VOID(complain(name, node.source(),
                        fmt::format("no table [{}]; there are: budgets, {}, notify, oauth.PLATFORM, people.ID, roles, "
                                    "workspaces.NAME, profile.NAME",
                                    key.str(), names_of(tables()))));
    }
    TRY_VOID(read_table(name, found->first, found->second, *table, config));
  }
  if (const auto* people = root["people"].as_table()) TRY_VOID(read_people(name, *people, config.roster));
  if (const auto* notify = root["notify"].as_table()) TRY_VOID(read_notify(name, *notify, config.roster));
  return config;
}

Result<ServeConfig> read_config(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    const Code code = errno == ENOENT ? Code::kNotFound : Code::kInvalid;
    return fail(code, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  std::string text;
  text.resize(kConfigBytesMax + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kConfigBytesMax) return fail(Code::kInvalid, path + " is larger than 1 MiB: not a configuration");
  return parse_config(text, path);
}

}  // namespace callimport::api
