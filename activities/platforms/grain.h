#pragma once
// Grain (https://developers.grain.com/), API version 2025-10-31: reads are POSTs with a typed JSON body, the cursor in
// it; transcripts and downloads are GETs. A recording's `url` is a share link and is never kept.
#include "activities/platforms/platform.h"

namespace callimport::activities {

const Platform& grain();

}  // namespace callimport::activities
