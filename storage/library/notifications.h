#pragma once
// What people were told, and the deliveries that carry it.
#include <optional>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/runtime/random.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class NotificationReads {
 public:
  explicit NotificationReads(Database& db);
  Result<std::vector<Notification>> newest(const std::string& import, int limit);  ///< empty import: of all
  Result<std::vector<Library::Due>> due(std::int64_t now_ms, int limit);
  Result<std::optional<std::int64_t>> next_ms();

 private:
  Statement newest_, newest_of_, due_, next_;
};

/// Inside a transaction of the writer.
class NotificationWrites {
 public:
  NotificationWrites(Database& db, Random& random);
  /// Told once: an id known already changes nothing. An empty id is given one.
  Result<> add(const Notification& notification, const std::vector<std::string>& channels);
  Result<> set_delivery(const Delivery& delivery);  ///< @error kNotFound  @error kInvalid  no such state

 private:
  Database& db_;
  Random& random_;
  Statement add_, queue_, set_delivery_;
};

}  // namespace callimport::storage
