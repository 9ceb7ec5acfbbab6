#pragma once
// One run of the program as a client: its global flags, its connection, and how it talks.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "api/cli/client.h"
#include "api/cli/text.h"
#include "api/connection.h"

namespace callimport::api {

/// Exit codes (ux 2.1); `callimport help exit-codes` prints them.
enum Exit : int {
  kExitDone = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitCancelled = 3,
  kExitSignIn = 4,
  kExitGaps = 5,
  kExitImportFailed = 6,
  kExitTimeout = 7,
  kExitPending = 8,
  kExitInterrupted = 130,
};

/// What a verb that could not do its work says: the code, one sentence, and the next command.
struct CliError {
  int exit = kExitFailed;
  std::string code;  ///< dotted or a gRPC status in words
  std::string message;
  std::string next;  ///< a command or an advice; empty: none is known
  std::string request_id = {};  ///< the server's, as in its log; empty: it never came so far
  int retry_after_s = 0;        ///< when the same may work by itself; 0: not known
};
using Ended = tl::expected<int, CliError>;
tl::unexpected<CliError> sorry(int exit, std::string code, std::string message, std::string next);

enum class Output { kText, kJson, kJsonl, kCsv, kHtml, kNone };

struct GlobalFlags {
  std::string output = "text", time_format = "relative", color = "auto", log_level = "info", log_format = "text";
  std::string data, config_file, profile;
  std::vector<std::string> fields;
  ConnectionWords connection;
  bool quiet = false, yes = false, no_input = false;
  double command_timeout_s = 30;
};

class Session {
 public:
  GlobalFlags flags;

  Output output() const;
  bool json() const { return output() == Output::kJson || output() == Output::kJsonl; }
  TimeFormat time_format() const;
  std::string time(std::int64_t unix_ms) const;
  std::int64_t now_ms() const;
  std::chrono::milliseconds timeout() const;
  std::string data_folder() const;

  /// The configuration: --config-file, else callimport.toml in the data folder, else in $XDG_CONFIG_HOME/callimport.
  /// Empty: none is there.
  std::string config_file() const;

  /// Where to connect and as whom, resolved at first use: flags, environment, profile; without an address the socket in
  /// the data folder. The verb `worker` sets flags.connection.address before it asks.
  /// @error usage  an unreadable file, no such profile; @error server.absent  no address, and no server runs here.
  tl::expected<const Connection*, CliError> connection();
  std::string name_space();  ///< of the connection
  /// The client of the connection, made at first use.
  tl::expected<Client*, CliError> client();
  /// Of the last call that the server refused or failed; empty: none did.
  std::string failed_request() const { return client_ == nullptr ? std::string() : client_->failed_request(); }
  /// A method of callimport.v1.
  template <class Request, class Response>
  tl::expected<Response, CliError> ask(std::string_view method, const Request& request) {
    Response response;
    if (auto error = ask_raw(method, request, response)) return tl::unexpected(std::move(*error));
    return response;
  }

  // Streams: data on stdout, talk on stderr. On a terminal without UTF-8 our own marks are ASCII.
  void print(std::string_view text) const;    ///< stdout, as it is
  void say(std::string_view text) const;      ///< stderr, a line; silent with --quiet
  void say_raw(std::string_view text) const;  ///< stderr, without a line break
  bool out_is_terminal() const;
  bool err_is_terminal() const;
  bool may_ask() const;            ///< stdin is a terminal and --no-input was not given
  std::size_t width() const;       ///< columns of the terminal on stdout; 0: not one
  std::size_t talk_width() const;  ///< the same for stderr
  /// One line from the terminal, without spaces around it. @error declined  the input ended.
  tl::expected<std::string, CliError> ask_line(std::string_view question) const;
  /// Asks on the terminal; true with --yes. Without a terminal: an error that names the flag.
  tl::expected<bool, CliError> confirm(std::string_view question) const;
  std::string bold(std::string_view text) const;  ///< on stdout, when colours are on
  void show(std::string_view text) const;         ///< stdout, for people

 private:
  std::optional<CliError> ask_raw(std::string_view method, const google::protobuf::MessageLite& request,
                                  google::protobuf::MessageLite& response);
  tl::expected<ConnectionWords, CliError> profile() const;

  std::optional<Connection> connection_;
  std::unique_ptr<Client> client_;
};

/// The code of an error that says: a Temporal service answers there, but no library of ours.
inline constexpr const char* kLibraryAbsent = "library.absent";

/// A day or a time as unix ms; 0 for an empty text. @error usage  names `flag`.
tl::expected<std::int64_t, CliError> read_time(const std::string& flag, const std::string& text);

/// A gRPC status as the terminal says it. `doing` names what was tried.
CliError to_error(const engine::PortStatus& status, const Session& session);
/// Writes the error on stderr: text, or JSON {code, message, next, next_action, request_id, retry_after_s} (ux 2.1,
/// 2.7); the last two where they are known.
void print_error(const Session& session, const CliError& error);

}  // namespace callimport::api

/// CLI_TRY(auto x, f()); hands a CliError up.
#define CLI_TRY(declaration, expression) \
  CALLIMPORT_TRY(return, CALLIMPORT_CONCAT(cli_try_, __LINE__), declaration, expression)
/// The same for nothing.
#define CLI_TRY_VOID(expression) \
  if (auto cli_try_void = (expression); !cli_try_void) return tl::unexpected(std::move(cli_try_void).error())
