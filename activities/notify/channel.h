#pragma once
// Where notifications go. One message carries one or several of them, of one import, in order.
#include <memory>
#include <string>
#include <vector>

#include "activities/http/http.h"
#include "activities/notify/mail.h"
#include "storage/library/records.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// Threads: the loop. Errors name no secret: no password, no webhook URL.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual std::string_view name() const = 0;
  /// Routine news of this channel are merged with their neighbours (deliverer.h).
  virtual bool merges() const { return true; }
  virtual engine::Awaitable<Result<>> send(std::vector<storage::Notification> news) = 0;
};

/// One line of the log each, at once. Name: log.
std::unique_ptr<Channel> make_log_channel();
/// Name: mail. Lifetime: `mail` outlives it.
std::unique_ptr<Channel> make_mail_channel(Mail& mail, std::string from, std::vector<std::string> to);
/// A Slack incoming webhook. Name: slack. Lifetime: `http` outlives it.
std::unique_ptr<Channel> make_slack_channel(Http& http, storage::Secret webhook_url);

/// What all channels say: news first, then what happens next; several are told oldest first.
std::string message_text(const std::vector<storage::Notification>& news);
/// The JSON a webhook gets: &, < and > escaped, at most kSlackTextMax characters.
std::string slack_body(const std::vector<storage::Notification>& news);
inline constexpr std::size_t kSlackTextMax = 3'000;

}  // namespace callimport::activities
