#pragma once
// Slack as the configuration has it: the channel by a bot token, and the buttons that come back.
#include <memory>

#include "activities/http/http.h"
#include "activities/notify/channel.h"
#include "activities/notify/templates.h"
#include "api/serve/config.h"
#include "storage/runtime/clock.h"

namespace callimport::api {

struct Front;
struct House;

/// A channel by slack.token_file, else the incoming webhook; null: neither is set.
/// Lifetime: templates, `http` and `clock` outlive it.
/// @error kInvalid  a secret's file cannot be read, or a token without a channel: names the key.
Result<std::unique_ptr<activities::Channel>> make_slack(const ServeConfig& config,
                                                        const activities::Templates& templates, activities::Http& http,
                                                        Clock& clock);

/// The route of buttons, where slack.signing_secret_file is set.  @error kInvalid  as make_slack.
Result<> open_slack_buttons(Front& front, House& house, const ServeConfig& config);

}  // namespace callimport::api
