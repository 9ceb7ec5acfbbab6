#include "storage/library/webhooks.h"

#include <nlohmann/json.hpp>

#include "storage/sqlite/rows.h"

namespace callimport::storage {
namespace {

std::vector<std::string> read_types(const std::string& text) {
  std::vector<std::string> types;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return types;
  for (const auto& one : json) {
    if (one.is_string()) types.push_back(one.get<std::string>());
  }
  return types;
}

Webhook read_webhook(const Statement& row) {
  return {.number = row.integer(0),
          .id = row.text(1),
          .url = row.text(2),
          .types = read_types(row.text(3)),
          .owner = row.text(4),
          .enabled = row.text(5) == "enabled",
          .why = row.text(6),
          .secret = row.text(7),
          .old_secret = row.text(8),
          .old_until_ms = row.integer(9),
          .created_ms = row.integer(10),
          .news_after = row.integer(11),
          .calls_after = row.integer(12),
          .changes_after = row.integer(15),
          .success_ms = optional_integer(row, 13),
          .failure_ms = optional_integer(row, 14)};
}

WebhookMessage read_message(const Statement& row) {
  return {.number = row.integer(0),
          .webhook = row.integer(1),
          .id = row.text(2),
          .type = row.text(3),
          .at_ms = row.integer(4),
          .body = row.text(5),
          .state = row.text(6),
          .attempts = static_cast<int>(row.integer(7)),
          .next_ms = row.integer(8)};
}
#define CALLIMPORT_MESSAGE \
  "SELECT number, webhook, id, type, at_ms, body, state, attempts, next_ms FROM webhook_message "

WebhookAttempt read_attempt(const Statement& row) {
  return {.seq = row.integer(0),
          .at_ms = row.integer(1),
          .took_ms = row.integer(2),
          .status = static_cast<int>(row.integer(3)),
          .error = row.text(4)};
}

NumberedNotification read_news(const Statement& row) {
  NumberedNotification made;
  made.number = row.integer(0);
  made.notification.id = row.text(1);
  made.notification.import = row.text(2);
  made.notification.at_ms = row.integer(3);
  made.notification.event = row.text(4);
  return made;
}

Moment read_moment(const Statement& row) {
  Moment made;
  made.lane = row.integer(0) == 0 ? Lane::kFirst : Lane::kBulk;
  made.row = {.stage = row.text(1),
              .condition = row.text(2),
              .reason = row.text(3),
              .who = {},
              .why = {},
              .until_ms = optional_integer(row, 4)};
  made.counters.found = row.integer(5);
  made.counters.registered = row.integer(6);
  made.counters.duplicate = row.integer(7);
  made.counters.skipped = row.integer(8);
  made.counters.failed = row.integer(9);
  made.counters.pending = row.integer(10);
  made.counters.media_bytes = row.integer(11);
  return made;
}

RegisteredCall read_call(const Statement& row) {
  RegisteredCall call;
  call.number = row.integer(0);
  call.id = row.text(1);
  call.import = row.text(2);
  call.platform = row.text(3);
  call.workspace = row.text(4);
  call.source_id = row.text(5);
  call.source = row.text(6);
  call.media_type = row.text(7);
  call.transcript_state = row.text(8);
  call.privacy = row.text(9);
  call.start_ms = row.integer(10);
  call.end_ms = optional_integer(row, 11);
  call.duration_ms = optional_integer(row, 12);
  if (row.is_null(13)) return call;
  call.media = MediaFacts{.hash = row.text(13),
                          .bytes = row.integer(14),
                          .container = row.text(15),
                          .audio_codec = row.text(16),
                          .video_codec = row.text(17),
                          .duration_ms = optional_integer(row, 18)};
  return call;
}

std::int64_t read_number(const Statement& row) { return row.integer(0); }

}  // namespace

WebhookReads::WebhookReads(Database& db)
    : all_(db,
           "SELECT number, id, url, types, owner, state, why, secret, old_secret, old_until_ms, created_ms, news_after,"
           " calls_after, success_ms, failure_ms, changes_after FROM webhook ORDER BY number"),
      messages_(db, CALLIMPORT_MESSAGE "WHERE webhook = ?1 AND (?2 = 0 OR number < ?2) ORDER BY number DESC LIMIT ?3"),
      message_(db, CALLIMPORT_MESSAGE "WHERE webhook = ?1 AND id = ?2"),
      attempts_(db, "SELECT seq, at_ms, took_ms, status, error FROM webhook_attempt WHERE message = ?1 ORDER BY seq"),
      due_(db, CALLIMPORT_MESSAGE
           "WHERE webhook = ?1 AND state = 'queued' AND next_ms <= ?2 ORDER BY next_ms, number LIMIT ?3"),
      next_(db, "SELECT min(next_ms) FROM webhook_message WHERE webhook = ?1 AND state = 'queued' AND next_ms > ?2"),
      queued_(db, "SELECT count(*) FROM webhook_message WHERE webhook = ?1 AND state = 'queued' AND type = ?2"),
      queued_but_(db, "SELECT count(*) FROM webhook_message WHERE webhook = ?1 AND state = 'queued' AND type <> ?2"),
      news_(db, "SELECT number, id, import, at_ms, event FROM notification WHERE number > ?1 ORDER BY number LIMIT ?2"),
      moment_(
          db,
          "SELECT t.lane, t.stage, t.condition, t.reason, t.until_ms, t.found, t.registered, t.duplicate, t.skipped,"
          " t.failed, t.pending, t.media_bytes FROM timeline t WHERE t.import ="
          " (SELECT number FROM import WHERE id = ?1) AND t.at_ms <= ?2 ORDER BY t.change DESC LIMIT 1"),
      calls_(db,
             "SELECT number, id, import, platform, workspace, source_id, source, media_type, transcript_state, privacy,"
             " start_ms, end_ms, duration_ms, media_hash, media_bytes, container, audio_codec, video_codec,"
             " media_duration_ms FROM call WHERE number > ?1 ORDER BY number LIMIT ?2"),
      last_news_(db, "SELECT coalesce(max(number), 0) FROM notification"),
      last_call_(db, "SELECT coalesce(max(number), 0) FROM call"),
      changes_(db,
               "SELECT c.number, c.id, c.import, c.platform, c.workspace, c.source_id, c.source, c.media_type,"
               " c.transcript_state, c.privacy, c.start_ms, c.end_ms, c.duration_ms, c.media_hash, c.media_bytes,"
               " c.container, c.audio_codec, c.video_codec, c.media_duration_ms, o.number, o.what FROM call_change o"
               " JOIN call c ON c.number = o.call WHERE o.number > ?1 ORDER BY o.number LIMIT ?2"),
      last_change_(db, "SELECT coalesce(max(number), 0) FROM call_change") {}

Result<std::vector<Webhook>> WebhookReads::all() { return all_rows(all_, read_webhook); }

Result<std::vector<WebhookMessage>> WebhookReads::messages(std::int64_t webhook, std::int64_t before, int limit) {
  return all_rows(messages_.bind(1, webhook).bind(2, before).bind(3, limit), read_message);
}

Result<std::optional<WebhookMessage>> WebhookReads::message(std::int64_t webhook, const std::string& id) {
  return first_row(message_.bind(1, webhook).bind(2, id), read_message);
}

Result<std::vector<WebhookAttempt>> WebhookReads::attempts(std::int64_t message) {
  return all_rows(attempts_.bind(1, message), read_attempt);
}

Result<std::vector<WebhookMessage>> WebhookReads::due(std::int64_t webhook, std::int64_t now_ms, int limit) {
  return all_rows(due_.bind(1, webhook).bind(2, now_ms).bind(3, limit), read_message);
}

Result<std::optional<std::int64_t>> WebhookReads::next_ms(std::int64_t webhook, std::int64_t now_ms) {
  TRY(const auto next,
      first_row(next_.bind(1, webhook).bind(2, now_ms), [](const Statement& row) { return optional_integer(row, 0); }));
  return next.value_or(std::nullopt);
}

Result<std::int64_t> WebhookReads::queued(std::int64_t webhook, const std::string& type) {
  TRY(const auto count, first_row(queued_.bind(1, webhook).bind(2, type), read_number));
  return count.value_or(0);
}

Result<std::int64_t> WebhookReads::queued_but(std::int64_t webhook, const std::string& type) {
  TRY(const auto count, first_row(queued_but_.bind(1, webhook).bind(2, type), read_number));
  return count.value_or(0);
}

Result<std::vector<NumberedNotification>> WebhookReads::news(std::int64_t after, int limit) {
  return all_rows(news_.bind(1, after).bind(2, limit), read_news);
}

Result<std::optional<Moment>> WebhookReads::moment(const std::string& import, std::int64_t at_ms) {
  return first_row(moment_.bind(1, import).bind(2, at_ms), read_moment);
}

Result<std::vector<RegisteredCall>> WebhookReads::calls(std::int64_t after, int limit) {
  return all_rows(calls_.bind(1, after).bind(2, limit), read_call);
}

Result<std::int64_t> WebhookReads::last_news() {
  TRY(const auto last, first_row(last_news_, read_number));
  return last.value_or(0);
}

Result<std::int64_t> WebhookReads::last_call() {
  TRY(const auto last, first_row(last_call_, read_number));
  return last.value_or(0);
}

Result<std::vector<ChangedCall>> WebhookReads::changes(std::int64_t after, int limit) {
  return all_rows(changes_.bind(1, after).bind(2, limit), [](const Statement& row) {
    return ChangedCall{row.integer(19), static_cast<int>(row.integer(20)), read_call(row)};
  });
}

Result<std::int64_t> WebhookReads::last_change() {
  TRY(const auto last, first_row(last_change_, read_number));
  return last.value_or(0);
}

WebhookWrites::WebhookWrites(Database& db)
    : WebhookReads(db),
      db_(db),
      add_(db,
           "INSERT INTO webhook(url, types, owner, state, why, secret, old_secret, old_until_ms, news_after,"
           " calls_after, success_ms, failure_ms, id, changes_after, created_ms)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"),
      set_(db,
           "UPDATE webhook SET url = ?1, types = ?2, owner = ?3, state = ?4, why = ?5, secret = ?6, old_secret = ?7,"
           " old_until_ms = ?8, news_after = ?9, calls_after = ?10, success_ms = ?11, failure_ms = ?12,"
           " changes_after = ?14 WHERE id = ?13"),
      remove_(db, "DELETE FROM webhook WHERE number = ?1"),
      remove_messages_(db, "DELETE FROM webhook_message WHERE webhook = ?1"),
      remove_attempts_(
          db, "DELETE FROM webhook_attempt WHERE message IN (SELECT number FROM webhook_message WHERE webhook = ?1)"),
      put_(db,
           "INSERT INTO webhook_message(webhook, id, type, at_ms, body, state, attempts, next_ms)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(webhook, id) DO NOTHING"),
      set_state_(db, "UPDATE webhook_message SET state = ?2, attempts = ?3, next_ms = ?4 WHERE number = ?1"),
      add_attempt_(db,
                   "INSERT INTO webhook_attempt(message, seq, at_ms, took_ms, status, error) SELECT ?1,"
                   " coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5 FROM webhook_attempt WHERE message = ?1"),
      trim_own_attempts_(db,
                         "DELETE FROM webhook_attempt WHERE message = ?1"
                         " AND seq <= (SELECT max(seq) FROM webhook_attempt WHERE message = ?1) - ?2"),
      begin_anew_(db, "UPDATE webhook_message SET attempts = 0, next_ms = ?2 WHERE webhook = ?1 AND state = 'queued'"),
      oldest_kept_(db,
                   "SELECT number FROM webhook_message WHERE webhook = ?1 AND state <> 'queued' ORDER BY number DESC"
                   " LIMIT 1 OFFSET ?2"),
      trim_attempts_(db,
                     "DELETE FROM webhook_attempt WHERE message IN (SELECT number FROM webhook_message"
                     " WHERE webhook = ?1 AND state <> 'queued' AND number <= ?2)"),
      trim_(db, "DELETE FROM webhook_message WHERE webhook = ?1 AND state <> 'queued' AND number <= ?2") {}

namespace {
void bind_webhook(Statement& to, const Webhook& row) {
  to.bind(1, row.url).bind(2, nlohmann::json(row.types).dump()).bind(3, row.owner);
  to.bind(4, row.enabled ? "enabled" : "disabled").bind(5, row.why).bind(6, row.secret).bind(7, row.old_secret);
  to.bind(8, row.old_until_ms).bind(9, row.news_after).bind(10, row.calls_after);
  to.bind(11, row.success_ms).bind(12, row.failure_ms).bind(13, row.id);
  to.bind(14, row.changes_after);
}
}  // namespace

Result<> WebhookWrites::add(const Webhook& row) {
  bind_webhook(add_, row);
  return add_.bind(15, row.created_ms).run();
}

Result<> WebhookWrites::set(const Webhook& row) {
  bind_webhook(set_, row);
  TRY_VOID(set_.run());
  if (db_.changes() == 0) return fail(Code::kNotFound, "no webhook " + row.id);
  return {};
}

Result<> WebhookWrites::remove(std::int64_t webhook) {
  TRY_VOID(remove_attempts_.bind(1, webhook).run());
  TRY_VOID(remove_messages_.bind(1, webhook).run());
  return remove_.bind(1, webhook).run();
}

Result<> WebhookWrites::put(const WebhookMessage& message) {
  put_.bind(1, message.webhook).bind(2, message.id).bind(3, message.type).bind(4, message.at_ms).bind(5, message.body);
  return put_.bind(6, message.state).bind(7, message.attempts).bind(8, message.next_ms).run();
}

Result<> WebhookWrites::set_state(const WebhookMessage& message) {
  set_state_.bind(1, message.number).bind(2, message.state).bind(3, message.attempts);
  return set_state_.bind(4, message.next_ms).run();
}

Result<> WebhookWrites::add_attempt(std::int64_t message, const WebhookAttempt& attempt) {
  add_attempt_.bind(1, message).bind(2, attempt.at_ms).bind(3, attempt.took_ms).bind(4, attempt.status);
  TRY_VOID(add_attempt_.bind(5, attempt.error).run());
  return trim_own_attempts_.bind(1, message).bind(2, kWebhookAttemptsKept).run();
}

Result<> WebhookWrites::begin_anew(std::int64_t webhook, std::int64_t now_ms) {
  return begin_anew_.bind(1, webhook).bind(2, now_ms).run();
}

Result<> WebhookWrites::trim(std::int64_t webhook, int kept) {
  TRY(const auto oldest, first_row(oldest_kept_.bind(1, webhook).bind(2, kept), read_number));
  if (!oldest) return {};
  TRY_VOID(trim_attempts_.bind(1, webhook).bind(2, *oldest).run());
  return trim_.bind(1, webhook).bind(2, *oldest).run();
}

}  // namespace callimport::storage
