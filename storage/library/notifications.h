#pragma once
// Records of what people are to be told.
#include <string>
#include <vector>

#include "storage/library/records.h"
#include "storage/model/result.h"
#include "storage/runtime/random.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// From columns id, import, at_ms, event, subject, text, next, facts, weight.
Notification read_notification(const Statement& row);

class NotificationReads {
 public:
  explicit NotificationReads(Database& db);
  Result<std::vector<Notification>> newest(const std::string& import, int limit);  ///< empty import: of all

 private:
  Statement newest_, newest_of_;
};

/// Inside a transaction of the writer.
class NotificationWrites {
 public:
  NotificationWrites(Database& db, Random& random);
  /// Told once: an id known already changes nothing. An empty id is given one.
  Result<> add(const Notification& notification);

 private:
  Random& random_;
  Statement add_;
};

}  // namespace callimport::storage
