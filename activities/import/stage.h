#pragma once
#include <string>
#include <vector>

#include "activities/import/outlook.h"
#include "activities/import/step.h"

namespace callimport::activities {

/// Inside a transaction: stores each change, and a notification where it is worth one.
/// @param outlook  of the end, as the changes leave the import
Result<> store_changes(storage::LibraryTx& tx, const std::string& import, const std::vector<LaneChange>& changes,
                       const Outlook& outlook, std::int64_t now_ms);

}  // namespace callimport::activities
