#pragma once
// An import as the library has it, made ready for the reckoning of its end: one way for whoever shows it and whoever
// tells of it.
#include "activities/estimate/pace.h"
#include "storage/library/library.h"

namespace callimport::activities {

/// The lane fetches or registers now.
bool fetches(const storage::LaneRow& lane);
/// Blocks: reads the timeline. What cannot be read counts as not begun.
Standing standing_of(storage::Library& library, const Budget& budget, std::int64_t now_ms,
                     const storage::ImportRow& row);

}  // namespace callimport::activities
