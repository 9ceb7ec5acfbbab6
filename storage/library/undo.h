#pragma once
// Taking back what an import brought: its calls leave the library with their transcripts, their search text and, once
// nothing names them, their recordings.
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/library.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// Cause of a call that was removed from the library again.
inline constexpr std::string_view kCauseUndone = "import.undone";

class UndoReads {
 public:
  UndoReads(Database& db, ImportReads& imports);
  Result<UndoFacts> facts(const std::string& import);

 private:
  ImportReads& imports_;
  Statement calls_, media_left_, open_;
};

/// Inside a transaction of the writer.
class UndoWrites {
 public:
  UndoWrites(Database& db, ImportReads& reads, ImportWrites& imports);
  Result<UndoPortion> portion(const std::string& import, const UndoPortion& before, int limit);
  Result<std::vector<std::string>> removable_media(int limit);
  Result<> media_removed(const std::string& hash);

 private:
  struct Brought {
    std::int64_t number, doc, docs, start_ms;
    std::string id, source_id, hash;
    std::int64_t media_bytes;
  };
  Result<> remove(const Brought& call);

  ImportReads& reads_;
  ImportWrites& imports_;
  Statement next_, unindex_, drop_segments_, drop_participants_, keep_hash_, drop_call_, mark_, named_again_,
      removable_, removed_;
};

}  // namespace callimport::storage
