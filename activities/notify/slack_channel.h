#pragma once
// A Slack channel by a bot token: one root message an import, edited in place; news as replies in its thread; the end
// and escalations shown to the whole channel, too.
//
// Slack has no key by which a repeat is known. What may have arrived is therefore not posted again: a reply becomes an
// edit of the root, which shows the same news, and a root is looked for first, where the token may read the channel.
#include <map>
#include <memory>
#include <set>
#include <string>

#include "activities/notify/channel.h"
#include "activities/notify/slack_api.h"
#include "activities/notify/slack_view.h"
#include "storage/runtime/clock.h"

namespace callimport::activities {

inline constexpr std::chrono::seconds kSlackEditGap{5};     ///< two edits of one root
inline constexpr std::chrono::seconds kSlackMessageGap{1};  ///< two messages in one channel

struct SlackSettings {
  storage::Secret token;
  std::string api_url;      ///< empty: Slack's own
  std::string channel;      ///< id, or name with #
  std::string ops_channel;  ///< of what concerns a platform or the server; empty: `channel`
  SlackManners manners;
};

/// Name: slack. Threads: the loop. Lifetime: `http` and `clock` outlive it.
std::unique_ptr<Channel> make_slack_bot_channel(Http& http, Clock& clock, SlackSettings settings);

/// How a message is found again: CHANNEL:TS.
struct SlackRef {
  std::string channel, ts;
  std::string text() const { return ts.empty() ? std::string() : channel + ":" + ts; }
  static SlackRef parse(std::string_view text);  ///< what is none is empty
};

}  // namespace callimport::activities
