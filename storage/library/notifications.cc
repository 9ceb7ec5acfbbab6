#include "storage/library/notifications.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

constexpr std::size_t kIdCharacters = 20;

Notification read_notification(const Statement& row) {
  return {.id = row.text(0),
          .import = row.text(1),
          .at_ms = row.integer(2),
          .event = row.text(3),
          .subject = row.text(4),
          .text = row.text(5),
          .next = row.text(6)};
}

Library::Due read_due(const Statement& row) {
  Delivery delivery{.notification = row.text(0),
                    .channel = row.text(7),
                    .state = row.text(8),
                    .attempts = static_cast<int>(row.integer(9)),
                    .next_ms = row.integer(10),
                    .error = row.text(11)};
  return {.notification = read_notification(row), .delivery = std::move(delivery)};
}

}  // namespace

NotificationReads::NotificationReads(Database& db)
    : newest_(db,
              "SELECT id, import, at_ms, event, subject, text, next FROM notification ORDER BY number DESC LIMIT ?1"),
      newest_of_(db,
                 "SELECT id, import, at_ms, event, subject, text, next FROM notification WHERE import = ?2"
                 " ORDER BY number DESC LIMIT ?1"),
      due_(db,
           "SELECT n.id, n.import, n.at_ms, n.event, n.subject, n.text, n.next, d.channel, d.state, d.attempts, "
           "d.next_ms,"
           " d.error FROM delivery d JOIN notification n ON n.id = d.notification"
           " WHERE d.state = 'queued' AND d.next_ms <= ?1 ORDER BY d.next_ms, n.number, d.channel LIMIT ?2"),
      next_(db, "SELECT min(next_ms) FROM delivery WHERE state = 'queued'") {}

Result<std::vector<Notification>> NotificationReads::newest(const std::string& import, int limit) {
  if (import.empty()) return all_rows(newest_.bind(1, limit), read_notification);
  return all_rows(newest_of_.bind(1, limit).bind(2, import), read_notification);
}

Result<std::vector<Library::Due>> NotificationReads::due(std::int64_t now_ms, int limit) {
  return all_rows(due_.bind(1, now_ms).bind(2, limit), read_due);
}

Result<std::optional<std::int64_t>> NotificationReads::next_ms() {
  TRY(const auto next, first_row(next_, [](const Statement& row) { return optional_integer(row, 0); }));
  return next.value_or(std::nullopt);
}

NotificationWrites::NotificationWrites(Database& db, Random& random)
    : db_(db),
      random_(random),
      add_(db,
           "INSERT INTO notification(id, import, at_ms, event, subject, text, next) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
           " ON CONFLICT(id) DO NOTHING"),
      queue_(db,
             "INSERT INTO delivery(notification, channel, state, attempts, next_ms, error) VALUES(?1, ?2, 'queued', 0, "
             "?3, '')"
             " ON CONFLICT(notification, channel) DO NOTHING"),
      set_delivery_(db,
                    "UPDATE delivery SET state = ?3, attempts = ?4, next_ms = ?5, error = ?6"
                    " WHERE notification = ?1 AND channel = ?2") {}

Result<> NotificationWrites::add(const Notification& notification, const std::vector<std::string>& channels) {
  const std::string id = notification.id.empty() ? "ntf_" + random_.id_text(kIdCharacters) : notification.id;
  add_.bind(1, id).bind(2, notification.import).bind(3, notification.at_ms).bind(4, notification.event);
  TRY_VOID(add_.bind(5, notification.subject).bind(6, notification.text).bind(7, notification.next).run());
  if (db_.changes() == 0) return {};
  for (const auto& channel : channels) TRY_VOID(queue_.bind(1, id).bind(2, channel).bind(3, notification.at_ms).run());
  return {};
}

Result<> NotificationWrites::set_delivery(const Delivery& delivery) {
  if (delivery.state != "queued" && delivery.state != "delivered" && delivery.state != "failed") {
    return fail(Code::kInvalid, "a delivery is queued, delivered or failed, not " + delivery.state);
  }
  set_delivery_.bind(1, delivery.notification)
      .bind(2, delivery.channel)
      .bind(3, delivery.state)
      .bind(4, delivery.attempts);
  TRY_VOID(set_delivery_.bind(5, delivery.next_ms).bind(6, delivery.error).run());
  if (db_.changes() == 0) {
    return fail(Code::kNotFound, "no delivery of " + delivery.notification + " by " + delivery.channel);
  }
  return {};
}

}  // namespace callimport::storage
