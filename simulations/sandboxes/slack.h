#pragma once
// Slack's Web API as a workspace sees it: messages, edits, threads, with Slack's limits on blocks, one message a second
// a channel, its answers when a token or a channel is gone; and buttons, pressed by a person of the workspace, as the
// signed requests that Slack sends.
//
// What Slack's pages leave open is decided as: a channel's second message within a second is refused with Retry-After
// 1; a burst is not forgiven. Blocks over 13,200 characters of JSON in all are msg_blocks_too_long.
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "simulations/sandboxes/sandbox.h"

namespace callimport::simulations {

inline constexpr std::string_view kSlackSandboxToken = "xoxb-sandbox-0123456789-abcdefghijklmnop";
inline constexpr std::string_view kSlackSandboxSecret = "8f742231b10e8888abcd99yyyzzz85a5";

struct SlackOptions {
  std::string token{kSlackSandboxToken};
  std::string signing_secret{kSlackSandboxSecret};
  std::vector<std::string> channels = {"imports", "ops"};  ///< by name
  std::vector<std::string> users = {"U0ANA", "U0BEN"};
  bool history = false;   ///< the token may read channels, too
  bool paced = true;      ///< one message a second a channel
  std::string html = {};  ///< in the place of every answer; status 502
  int limit_first = 0;    ///< 429 to so many requests
  int retry_after_s = 30;
  int drop_first = 0;  ///< so many requests are done and never answered
};

struct SlackMessage {
  std::string channel, ts, thread;  ///< channel: its id; thread: of the root; empty: none
  bool broadcast = false;
  int edits = 0;
  nlohmann::json payload;  ///< the last request's
};

/// A button as Slack sends it to an app: POST, a form, signed.
struct SlackPress {
  std::string body;
  SandboxHeaders headers;  ///< names lower-case
};

/// Threads: one at a time.
class SlackSandbox final : public Sandbox {
 public:
  explicit SlackSandbox(SlackOptions options);
  SandboxReply handle(const SandboxRequest& request, Timestamp now) override;

  const std::vector<SlackMessage>& messages() const { return messages_; }
  const SlackMessage* find(std::string_view ts) const;
  std::uint64_t requests() const { return requests_; }
  /// What was asked and answered with ok, by method, for those who check the shape of requests.
  const std::vector<std::pair<std::string, nlohmann::json>>& taken() const { return taken_; }
  std::string channel_id(std::string_view name) const;
  SlackOptions& options() { return options_; }

  void revoke() { revoked_ = true; }
  void remove_channel(const std::string& name) { channels_.erase(name); }
  void archive_channel(const std::string& name) { archived_.insert(name); }
  void remove_message(std::string_view ts);

  /// `user` presses the first button of that action in a message.
  SlackPress press(std::string_view ts, std::string_view action, std::string_view user, Timestamp now) const;
  /// Any body, signed as Slack does.
  SlackPress sign(std::string body, Timestamp now) const;

 private:
  SandboxReply api(std::string_view method, const SandboxRequest& request, Timestamp now);
  SandboxReply post(const nlohmann::json& body, Timestamp now);
  SandboxReply update(const nlohmann::json& body);
  SandboxReply whisper(const nlohmann::json& body);
  SandboxReply permalink(std::string_view channel, std::string_view ts) const;
  SandboxReply history(std::string_view channel) const;
  SandboxReply shown(std::string_view path, std::string_view query, Timestamp now) const;
  /// The id of a channel or a person, by id or name; empty: there is none.
  std::string resolve(std::string_view channel) const;
  bool is_archived(std::string_view id) const;

  SlackOptions options_;
  std::map<std::string, std::string, std::less<>> channels_;  ///< name, id
  std::set<std::string, std::less<>> archived_;
  std::map<std::string, Timestamp> last_;  ///< message, by channel
  std::vector<SlackMessage> messages_;
  std::vector<std::pair<std::string, nlohmann::json>> taken_;
  std::vector<std::pair<std::string, std::string>> whispers_;  ///< to one person: who, what
  std::uint64_t requests_ = 0;
  int dropped_ = 0, limited_ = 0;
  bool revoked_ = false;
};

/// What Slack finds wrong with blocks and text: its error's name; empty: nothing.
std::string slack_fault(const nlohmann::json& body);

/// `callimport sandbox slack`, parsed; the first two words left out.
struct SlackCommand {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string log_path;
  int ready_fd = -1;
  SlackOptions slack;
};
/// @error kInvalid  names the flag and what it wants.
Result<SlackCommand> slack_sandbox_options(const std::vector<std::string>& args);
std::string_view slack_sandbox_usage();

}  // namespace callimport::simulations
