#pragma once
// SQLite's result codes as the house's errors.
#include <string>
#include <string_view>

#include "storage/model/result.h"

struct sqlite3;

namespace callimport::storage {

/// What `code` (a result of `db`'s last call, extended or not) asks of the caller: kConflict for a constraint, kCorrupt
/// for damage, kInvalid for SQL or a value that is refused, kUnavailable for the rest. The text names the file, and
/// what the Disk said, if it said something.
tl::unexpected<Error> failure(sqlite3* db, int code);

/// "FILE is damaged (WHAT)", and what to do then.
std::string damaged(sqlite3* db, std::string_view what);

}  // namespace callimport::storage
