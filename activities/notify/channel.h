#pragma once
// Where messages go.
#include <memory>
#include <string>
#include <vector>

#include "activities/http/http.h"
#include "activities/notify/message.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// How a channel is served.
struct Manner {
  bool people = false;                      ///< the rules address persons; else only its `own` recipients get anything
  bool merges = true;                       ///< routine news wait for company (N-01)
  bool roots = false;                       ///< has roots that are edited, and broadcasts
  Nanos gap{0};                             ///< least time between two messages to one recipient
  int at_once = 1;                          ///< messages under way together, to different recipients
  Nanos given_up = std::chrono::hours{24};  ///< a message that could not be sent for so long goes by another channel
};

/// Threads: the loop. Errors name no secret: no password, no webhook URL.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual std::string_view name() const = 0;  ///< log, mail, slack, ...
  virtual Manner manner() const { return {}; }
  /// Recipients of the channel's own that this record goes to: a Slack channel, an endpoint that wants such events.
  virtual std::vector<Recipient> own(const storage::Notification& news) const {
    (void)news;
    return {};
  }
  /// May be asked again for the same message id: after a death nobody knows whether it went.
  virtual engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) = 0;
};

/// One line of the log each, at once. Name: log.
std::unique_ptr<Channel> make_log_channel();
/// A Slack incoming webhook: the simple way, without threads. Name: slack. Lifetime: `http` outlives it.
std::unique_ptr<Channel> make_slack_channel(Http& http, storage::Secret webhook_url);

/// What all channels say: news first, then what happens next; several are told oldest first.
std::string message_text(const std::vector<storage::Notification>& news);
/// The JSON a webhook gets: &, < and > escaped, at most kSlackTextMax characters.
std::string slack_body(const std::vector<storage::Notification>& news);
inline constexpr std::size_t kSlackTextMax = 3'000;

}  // namespace callimport::activities
