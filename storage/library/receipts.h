#pragma once
// What an activity wrote, once: the proof that makes a repeat harmless.
#include <optional>
#include <string>

#include "storage/library/library.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

inline constexpr std::size_t kReceiptBytesMax = 64 << 10;  ///< as any result of an activity

/// Inside a transaction of the writer.
class Receipts {
 public:
  explicit Receipts(Database& db);
  /// The stored result, or nothing when the activity has not written yet.  @error kConflict  `key` is an older attempt.
  Result<std::optional<std::string>> find(const ReceiptKey& key);
  Result<> put(const ReceiptKey& key, const std::string& result);  ///< @error kInvalid  over kReceiptBytesMax
  Result<> drop(const std::string& run_id);

 private:
  Statement find_, put_, drop_;
};

}  // namespace callimport::storage
