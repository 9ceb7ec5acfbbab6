#include "api/cli/session.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "api/data_folder.h"
#include "api/grpc/router.h"
#include "api/serve/config.h"

namespace callimport::api {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool terminal_has_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto text = environment(name);
    if (text.empty()) continue;
    return text.find("UTF-8") != std::string::npos || text.find("utf8") != std::string::npos ||
           text.find("UTF8") != std::string::npos || text.find("utf-8") != std::string::npos;
  }
  return false;
}

const char* name_of(int code) {
  static constexpr const char* kNames[] = {
      "ok",        "cancelled",      "unknown",           "invalid_argument",   "deadline_exceeded",
      "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
      "aborted",   "out_of_range",   "unimplemented",     "internal",           "unavailable",
      "data_loss", "unauthenticated"};
  return code >= 0 && code < 17 ? kNames[code] : "unknown";
}

std::size_t columns_of(int terminal) {
  if (const auto forced = environment("CALLIMPORT_FORCE_TTY"); !forced.empty()) {
    const auto asked = static_cast<std::size_t>(std::strtoul(forced.c_str(), nullptr, 10));
    return asked == 0 ? 80 : asked;
  }
  if (isatty(terminal) != 1) return 0;
  winsize size{};
  if (ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

tl::unexpected<CliError> sorry(int exit, std::string code, std::string message, std::string next) {
  return tl::unexpected(CliError{exit, std::move(code), std::move(message), std::move(next)});
}

Output Session::output() const {
  if (flags.output == "json") return Output::kJson;
  if (flags.output == "jsonl") return Output::kJsonl;
  if (flags.output == "csv") return Output::kCsv;
  if (flags.output == "html") return Output::kHtml;
  return flags.output == "none" ? Output::kNone : Output::kText;
}

TimeFormat Session::time_format() const {
  if (flags.time_format == "iso") return TimeFormat::kIso;
  return flags.time_format == "raw" ? TimeFormat::kRaw : TimeFormat::kRelative;
}

std::int64_t Session::now_ms() const { return to_unix_ms(std::chrono::system_clock::now()); }
std::string Session::time(std::int64_t unix_ms) const { return show_time(unix_ms, time_format(), now_ms()); }

std::chrono::milliseconds Session::timeout() const {
  return std::chrono::milliseconds{static_cast<std::int64_t>(flags.command_timeout_s * 1000)};
}

std::string Session::data_folder() const { return flags.data.empty() ? default_data_folder() : flags.data; }

std::string Session::config_file() const {
  if (!flags.config_file.empty()) return flags.config_file;
  const auto home = environment("HOME"), xdg = environment("XDG_CONFIG_HOME");
  const auto config_home = !xdg.empty() ? xdg : home.empty() ? std::string() : home + "/.config";
  for (const auto& path : {DataFolder{data_folder()}.config_file(), config_home + "/callimport/callimport.toml"}) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return {};
}

tl::expected<ConnectionWords, CliError> Session::profile() const {
  auto name = flags.profile.empty() ? environment("CALLIMPORT_PROFILE") : flags.profile;
  const bool named = !name.empty();
  const auto path = config_file();
  const std::string next = "callimport help config   # shows [profile.NAME]";
  if (path.empty()) {
    if (!named) return ConnectionWords{};
    return sorry(kExitUsage, "usage", "no profile " + printable(name) + ": there is no configuration file", next);
  }
  const auto config = read_config(path);
  if (!config) return sorry(kExitUsage, "config.malformed", printable(config.error().message), next);
  const auto found = config->profiles.find(named ? name : "default");
  if (found != config->profiles.end()) return found->second;
  if (!named) return ConnectionWords{};
  std::string known;
  for (const auto& [one, unused] : config->profiles) known += (known.empty() ? "" : ", ") + one;
  return sorry(kExitUsage, "usage",
               fmt::format("no profile {} in {}; there {}", printable(name), path,
                           known.empty() ? std::string("is none") : "are: " + known),
               next);
}

tl::expected<const Connection*, CliError> Session::connection() {
  if (connection_) return &*connection_;
  CLI_TRY(const auto said, profile());
  auto resolved = resolve_connection(flags.connection, connection_environment(environment), said);
  if (!resolved) {
    return sorry(kExitUsage, "connection.malformed", printable(resolved.error().message),
                 "callimport help environment   # and `help config` say how a connection is described");
  }
  const DataFolder folder{data_folder()};
  if (resolved->address.empty()) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder.socket(), ignored)) {
      return sorry(kExitFailed, "server.absent", "no server runs on " + folder.path,
                   "callimport serve --data " + folder.path);
    }
    resolved->address = "unix:" + folder.socket();
    resolved->tls = {};
  } else if (resolved->access_token.empty() && is_loopback(resolved->address)) {
    // The folder's own token, shown to this machine only.
    if (auto token = read_secret_file(folder.token_file())) resolved->access_token = std::move(*token);
  }
  connection_ = std::move(*resolved);
  return &*connection_;
}

std::string Session::name_space() {
  const auto connected = connection();
  return connected ? (*connected)->name_space : std::string();
}

tl::expected<Client*, CliError> Session::client() {
  if (client_ != nullptr) return client_.get();
  CLI_TRY(const auto* connected, connection());
  client_ = Client::create(*connected);
  return client_.get();
}

std::optional<CliError> Session::ask_raw(std::string_view method, const google::protobuf::MessageLite& request,
                                         google::protobuf::MessageLite& response) {
  auto connected = client();
  if (!connected) return connected.error();
  const auto status =
      (*connected)->call("/callimport.v1.CallImportService/" + std::string(method), request, response, timeout());
  if (status.code == kGrpcUnimplemented && status.message.find("unknown service") != std::string::npos) {
    return CliError{kExitFailed, kLibraryAbsent,
                    connection_->address +
                        " is a Temporal service without a library: calls, credentials and details "
                        "of imports are where the worker runs",
                    "repeat it there without --address, or with --data FOLDER"};
  }
  if (!status.ok()) return to_error(status, *this);
  return std::nullopt;
}

void Session::print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Session::show(std::string_view text) const { print(terminal_has_utf8() ? std::string(text) : in_ascii(text)); }

void Session::say(std::string_view text) const {
  if (!flags.quiet) say_raw(std::string(text) + "\n");
}

void Session::say_raw(std::string_view text) const {
  const auto shown = terminal_has_utf8() ? std::string(text) : in_ascii(text);
  std::fwrite(shown.data(), 1, shown.size(), stderr);
  std::fflush(stderr);
}

bool Session::out_is_terminal() const {
  return !environment("CALLIMPORT_FORCE_TTY").empty() || isatty(STDOUT_FILENO) == 1;
}
bool Session::err_is_terminal() const {
  return !environment("CALLIMPORT_FORCE_TTY").empty() || isatty(STDERR_FILENO) == 1;
}
bool Session::may_ask() const { return !flags.no_input && isatty(STDIN_FILENO) == 1; }

std::size_t Session::width() const { return columns_of(STDOUT_FILENO); }
std::size_t Session::talk_width() const { return columns_of(STDERR_FILENO); }

tl::expected<bool, CliError> Session::confirm(std::string_view question) const {
  if (flags.yes) return true;
  if (!may_ask())
    return sorry(kExitUsage, "input.needed", std::string(question) + " There is no terminal to ask on.",
                 "repeat the command with --yes");
  CLI_TRY(const auto answer, ask_line(std::string(question) + " [y/N]"));
  return answer == "y" || answer == "Y" || answer == "yes";
}

tl::expected<std::string, CliError> Session::ask_line(std::string_view question) const {
  say_raw(std::string(question) + " ");
  std::string answer;
  if (!std::getline(std::cin, answer)) return sorry(kExitCancelled, "declined", "no answer came", {});
  const auto from = answer.find_first_not_of(" \t\r");
  if (from == std::string::npos) return std::string();
  return answer.substr(from, answer.find_last_not_of(" \t\r") - from + 1);
}

std::string Session::bold(std::string_view text) const {
  const bool dumb = environment("TERM") == "dumb" || !environment("NO_COLOR").empty();
  const bool on = flags.color == "always" || (flags.color == "auto" && out_is_terminal() && !dumb);
  return on ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

tl::expected<std::int64_t, CliError> read_time(const std::string& flag, const std::string& text) {
  if (text.empty()) return 0;
  const auto time = parse_utc(text.size() == 10 ? text + "T00:00:00Z" : text);
  if (time) return to_unix_ms(*time);
  return sorry(kExitUsage, "usage", flag + " wants a day or a time, e.g. 2026-09-04 or 2026-09-04T22:00:00Z",
               "give it in that form");
}

namespace {

inline constexpr int kRetryAbsentS = 5;  ///< a server that starts anew answers by then
inline constexpr int kRetryBusyS = 1;    ///< too many calls, or replies nobody reads: over as fast as it came

/// The dotted code that an error of ours begins with ("role.refused: ..."); empty: none.
std::string dotted_code(const std::string& message) {
  const auto end = message.find(": ");
  if (end == std::string::npos) return {};
  const auto code = message.substr(0, end);
  const auto dot = code.find('.');
  const bool plain = code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") == std::string::npos;
  return plain && dot != std::string::npos && dot > 0 && dot + 1 < code.size() ? code : std::string();
}

/// The list that has what was not found.
std::string where_to_look(const std::string& message) {
  for (const char* kind : {"webhook", "credential", "call"}) {
    if (message.starts_with(std::string("no ") + kind)) return fmt::format("callimport {}s list", kind);
  }
  return "callimport list";
}

/// What ours say beyond the status.
CliError our_error(const std::string& code, CliError error) {
  error.code = code;
  error.message = error.message.substr(code.size() + 2);
  if (code == "role.refused") error.next = "ask one of them; [roles] in the configuration says who has which";
  if (code == "consent.missing") error.next = "repeat the command with --owns-data";
  if (code == "signin.client_missing") error.next = "callimport help config   # [oauth.PLATFORM] names it";
  if (code.starts_with("access.") || code.starts_with("signin.") || code == "role.refused") error.exit = kExitSignIn;
  if (code.starts_with("consent.")) error.exit = kExitUsage;
  return error;
}

}  // namespace

CliError to_error(const engine::PortStatus& status, const Session& session) {
  CliError error;
  error.code = name_of(status.code);
  error.message = printable(status.message);
  error.request_id = printable(session.failed_request());
  switch (status.code) {
    case kGrpcCancelled:
      if (interrupted()) return {kExitInterrupted, "interrupted", "stopped by Ctrl-C", {}};
      break;
    case kGrpcInvalidArgument: error.exit = kExitUsage; break;
    case kGrpcDeadlineExceeded:
      error.exit = kExitTimeout;
      error.message = fmt::format("no answer within {} s", session.flags.command_timeout_s);
      error.next = "repeat with a longer --command-timeout, or look with: callimport doctor";
      break;
    case kGrpcResourceExhausted: error.retry_after_s = kRetryBusyS; break;
    case kGrpcNotFound: error.next = where_to_look(error.message); break;
    case kGrpcPermissionDenied:
    case kGrpcUnauthenticated:
      error.exit = kExitSignIn;
      error.next = "run it as the user of the data folder, or give --access-file <data folder>/access.token";
      break;
    case kGrpcUnavailable:
      error.code = "server.absent";
      error.message = "the server does not answer: " + error.message;
      error.retry_after_s = kRetryAbsentS;
      error.next = "callimport doctor";
      break;
    case kGrpcUnimplemented: error.next = "callimport version   # is the server older than this program?"; break;
    default: break;
  }
  const auto code = dotted_code(error.message);
  return code.empty() ? error : our_error(code, std::move(error));
}

void print_error(const Session& session, const CliError& error) {
  if (session.json()) {
    nlohmann::json object = {
        {"code", error.code}, {"message", error.message}, {"next", error.next}, {"next_action", error.next}};
    if (!error.request_id.empty()) object["request_id"] = error.request_id;
    if (error.retry_after_s > 0) object["retry_after_s"] = error.retry_after_s;
    std::cerr << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  std::cerr << "callimport: " << error.message << '\n';
  if (!error.next.empty()) std::cerr << "next: " << error.next << '\n';
  const bool ours = error.code == "internal" || error.code == "unknown" || error.code == "data_loss";
  if (ours && !error.request_id.empty()) std::cerr << "details: " << error.request_id << " in the server's log\n";
}

}  // namespace callimport::api
