#pragma once
// Endpoints of others, the messages to them and how each attempt ended. What becomes a message is decided above
// (activities/webhooks); here are its rows, and what it is made of: notifications and calls after a number.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/library/records.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

struct Webhook {
  std::int64_t number = 0;
  std::string id;  ///< whk_...
  std::string url;
  std::vector<std::string> types;  ///< of events; empty: all
  std::string owner;
  bool enabled = true;
  std::string why;                 ///< it is not
  std::string secret, old_secret;  ///< handles in the vault; the old one is empty when there is none
  std::int64_t old_until_ms = 0;
  std::int64_t created_ms = 0;
  std::int64_t news_after = 0, calls_after = 0, changes_after = 0;
  std::optional<std::int64_t> success_ms, failure_ms;
};

struct WebhookMessage {
  std::int64_t number = 0, webhook = 0;
  std::string id, type;
  std::int64_t at_ms = 0;
  std::string body;
  std::string state = "queued";  ///< queued, delivered, failed
  int attempts = 0;
  std::int64_t next_ms = 0;
};

inline constexpr int kWebhookAttemptsKept = 30;  ///< of one message, the last ones

struct WebhookAttempt {
  std::int64_t seq = 0, at_ms = 0, took_ms = 0;
  int status = 0;     ///< 0: no answer
  std::string error;  ///< empty: it arrived
};

struct NumberedNotification {
  std::int64_t number = 0;
  Notification notification;
};
/// How an import stood at a moment: the last change until then.
struct Moment {
  LaneRow row;
  Lane lane = Lane::kFirst;
  Counters counters;
};
/// A call in the library without content, names and titles.
struct RegisteredCall {
  std::int64_t number = 0;
  std::string id, import, platform, workspace, source_id, source, media_type, transcript_state, privacy;
  std::int64_t start_ms = 0;
  std::optional<std::int64_t> end_ms, duration_ms;
  std::optional<MediaFacts> media;
};

/// What of a call is newer than when it came.
inline constexpr int kChangedDetails = 1, kChangedWords = 2, kChangedMedia = 4;
struct ChangedCall {
  std::int64_t number = 0;  ///< of the change
  int what = 0;             ///< these, added up
  RegisteredCall call;      ///< as it is now
};

/// Threads: as the connection's.
class WebhookReads {
 public:
  explicit WebhookReads(Database& db);
  Result<std::vector<Webhook>> all();  ///< in the order they were added
  /// Newest first, those before the number `before` (0: from the newest).
  Result<std::vector<WebhookMessage>> messages(std::int64_t webhook, std::int64_t before, int limit);
  Result<std::optional<WebhookMessage>> message(std::int64_t webhook, const std::string& id);
  Result<std::vector<WebhookAttempt>> attempts(std::int64_t message);  ///< oldest first
  /// Queued and due, in the order they are due.
  Result<std::vector<WebhookMessage>> due(std::int64_t webhook, std::int64_t now_ms, int limit);
  Result<std::optional<std::int64_t>> next_ms(std::int64_t webhook, std::int64_t now_ms);  ///< of what is not due yet
  Result<std::int64_t> queued(std::int64_t webhook, const std::string& type);
  Result<std::int64_t> queued_but(std::int64_t webhook, const std::string& type);  ///< of all other types

  Result<std::vector<NumberedNotification>> news(std::int64_t after, int limit);
  Result<std::optional<Moment>> moment(const std::string& import, std::int64_t at_ms);
  Result<std::vector<RegisteredCall>> calls(std::int64_t after, int limit);
  Result<std::int64_t> last_news();
  Result<std::int64_t> last_call();
  Result<std::vector<ChangedCall>> changes(std::int64_t after, int limit);  ///< in the order of the newest change
  Result<std::int64_t> last_change();

 private:
  Statement all_, messages_, message_, attempts_, due_, next_, queued_, queued_but_, news_, moment_, calls_, last_news_,
      last_call_, changes_, last_change_;
};

/// Inside a transaction of the writer, with reads that see it.
class WebhookWrites : public WebhookReads {
 public:
  explicit WebhookWrites(Database& db);
  Result<> add(const Webhook& row);       ///< its number is given here
  Result<> set(const Webhook& row);       ///< all but number, id and created_ms  @error kNotFound
  Result<> remove(std::int64_t webhook);  ///< with its messages
  /// One that is known by its id stays as it is.
  Result<> put(const WebhookMessage& message);
  Result<> set_state(const WebhookMessage& message);                          ///< state, attempts, next_ms
  Result<> add_attempt(std::int64_t message, const WebhookAttempt& attempt);  ///< its seq is given here
  /// All that is queued of it is due again, as if it had never been tried.
  Result<> begin_anew(std::int64_t webhook, std::int64_t now_ms);
  /// Of those that have ended the newest `kept` stay.
  Result<> trim(std::int64_t webhook, int kept);

 private:
  Database& db_;
  Statement add_, set_, remove_, remove_messages_, remove_attempts_, put_, set_state_, add_attempt_, trim_own_attempts_,
      begin_anew_, oldest_kept_, trim_attempts_, trim_;
};

}  // namespace callimport::storage
