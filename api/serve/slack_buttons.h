#pragma once
// Buttons under Slack's messages: POST /slack/actions. A press that proves to be Slack's, by a person who is known here
// and whose role allows it, becomes the same action as a verb of the terminal, in the audit log "via Slack". Whatever
// is refused is said in the log, and to that person alone where Slack lets us.
#include <functional>
#include <memory>
#include <string>

#include "api/grpc/router.h"
#include "api/http/router.h"
#include "api/roles.h"
#include "storage/runtime/clock.h"

namespace callimport::api {

inline constexpr const char* kSlackActionsPath = "/slack/actions";

/// A pressed button, read from what Slack sends.
struct SlackPressed {
  std::string user, channel;  ///< ids of Slack
  std::string action, import;
};
/// @error kInvalid  no form with a payload, or one that is no press of a button of ours.
Result<SlackPressed> read_slack_press(std::string_view body);

struct SlackButtonParts {
  const Router& router;  ///< the methods that act
  Clock& clock;
  std::string signing_secret;
  RoleMap roles;  ///< "slack:USER" or "slack:PERSON"; without any row nobody may press
  /// The person whose Slack id this is; empty: not known.
  std::function<std::string(const std::string& slack_user)> person;
  /// Tells one person in a channel, and nobody else; may be empty.
  std::function<void(const std::string& channel, const std::string& user, const std::string& text)> whisper;
};
/// Lifetime: what `parts` refers to outlives the router of the web.
void add_slack_buttons(WebRouter& web, SlackButtonParts parts);

}  // namespace callimport::api
