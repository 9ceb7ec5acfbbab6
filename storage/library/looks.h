#pragma once
// What people were shown of an import, for what they are shown next: when they last looked at its problems, and the
// time left that they were told. One row an import, and one an import and person.
#include <optional>
#include <string>

#include "storage/library/imports.h"
#include "storage/library/records.h"

namespace callimport::storage {

/// Further looks within it are the same one: whoever looks twice still sees what was new.
inline constexpr std::int64_t kSameLookMs = 60'000;

class LookReads {
 public:
  LookReads(Database& db, ImportReads& imports);
  Result<std::optional<ToldTimeLeft>> time_left(const std::string& import);

 private:
  ImportReads& imports_;
  Statement time_left_;
};

/// On the writer; each is one statement, and so a transaction of its own.
class LookWrites {
 public:
  LookWrites(Database& db, ImportReads& imports);
  Result<std::int64_t> look(const std::string& import, const std::string& who, std::int64_t now_ms);
  Result<> tell(const std::string& import, const ToldTimeLeft& told);

 private:
  ImportReads& imports_;
  Statement look_, tell_;
};

}  // namespace callimport::storage
