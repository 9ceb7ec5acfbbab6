#pragma once
// From a message to what Slack shows of it: the root, which is the import as it stands, and replies, which are its
// news.
#include <functional>
#include <string>

#include "activities/notify/layout.h"
#include "activities/notify/message.h"
#include "activities/notify/slack_blocks.h"

namespace callimport::activities {

/// The three lines of a record, from the templates that mail has, too.
using LinesOf = std::function<Lines(const storage::Notification& news, const storage::ImportRow& import)>;
LinesOf plain_lines();  ///< the record's own text

struct SlackManners {
  LinesOf lines = plain_lines();
  /// Where an import is looked at, for its button: the import's id goes in for {import}; empty: no such button.
  std::string open_url;
  bool buttons = false;  ///< Slack can call us back
  /// The Slack user id of who is meant by a record of the message; empty: nobody is mentioned.
  std::function<std::string(const Message& message, const storage::Notification& news)> mention;
};

/// What a button carries back, and what it does there.
inline constexpr const char *kSlackPause = "import.pause", *kSlackResume = "import.resume",
                            *kSlackRetry = "import.retry_failed", *kSlackApprove = "import.approve",
                            *kSlackMute = "import.mute";

/// The import as it stands when it is shown; the newest record is its first line.
SlackPost root_post(const Message& message, const SlackManners& manners, std::int64_t now_ms);
/// The records of a message, oldest first where there are several.
SlackPost news_post(const Message& message, const SlackManners& manners);

}  // namespace callimport::activities
