#pragma once
// What people were shown of an import, for what they are shown next: when they last looked at its problems, and the
// time left that they were told. One row an import, one an import and person, and a bounded number of what was told.
#include <optional>
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/records.h"

namespace callimport::storage {

/// Further looks within it are the same one: whoever looks twice still sees what was new.
inline constexpr std::int64_t kSameLookMs = 60'000;

class LookReads {
 public:
  LookReads(Database& db, ImportReads& imports);
  Result<std::optional<ToldTimeLeft>> time_left(const std::string& import);
  Result<std::vector<ToldTimeLeft>> times_told(const std::string& import);

 private:
  ImportReads& imports_;
  Statement time_left_, times_told_;
};

/// Of one import: what is told moves by a tenth at least, so that few come near it. Later ones are not remembered.
inline constexpr int kTimesToldMax = 500;

/// On the writer. `look` is one statement, and so a transaction of its own; the others are inside one.
class LookWrites {
 public:
  LookWrites(Database& db, ImportReads& imports);
  Result<std::int64_t> look(const std::string& import, const std::string& who, std::int64_t now_ms);
  Result<> tell(const std::string& import, const ToldTimeLeft& told);
  /// The import begins anew: what was told of its end before holds for another one.
  Result<> forget_told(const std::string& import);

 private:
  ImportReads& imports_;
  Statement look_, tell_, remember_, forget_;
};

}  // namespace callimport::storage
