#include "storage/library/notifications.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {
constexpr std::size_t kIdCharacters = 20;
}  // namespace

Notification read_notification(const Statement& row) {
  return {.id = row.text(0),
          .import = row.text(1),
          .at_ms = row.integer(2),
          .event = row.text(3),
          .subject = row.text(4),
          .text = row.text(5),
          .next = row.text(6),
          .facts = row.text(7),
          .weight = row.text(8)};
}

NotificationReads::NotificationReads(Database& db)
    : newest_(db,
              "SELECT n.id, n.import, n.at_ms, n.event, n.subject, n.text, n.next, n.facts, n.weight"
              " FROM notification n ORDER BY n.number DESC LIMIT ?1"),
      newest_of_(db,
                 "SELECT n.id, n.import, n.at_ms, n.event, n.subject, n.text, n.next, n.facts, n.weight"
                 " FROM notification n WHERE n.import = ?2 ORDER BY n.number DESC LIMIT ?1") {}

Result<std::vector<Notification>> NotificationReads::newest(const std::string& import, int limit) {
  if (import.empty()) return all_rows(newest_.bind(1, limit), read_notification);
  return all_rows(newest_of_.bind(1, limit).bind(2, import), read_notification);
}

NotificationWrites::NotificationWrites(Database& db, Random& random)
    : random_(random),
      add_(db,
           "INSERT INTO notification(id, import, at_ms, event, subject, text, next, facts, weight)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(id) DO NOTHING") {}

Result<> NotificationWrites::add(const Notification& notification) {
  const std::string id = notification.id.empty() ? "ntf_" + random_.id_text(kIdCharacters) : notification.id;
  add_.bind(1, id).bind(2, notification.import).bind(3, notification.at_ms).bind(4, notification.event);
  add_.bind(5, notification.subject).bind(6, notification.text).bind(7, notification.next);
  return add_.bind(8, notification.facts).bind(9, notification.weight).run();
}

}  // namespace callimport::storage
