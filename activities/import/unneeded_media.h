#pragma once
// Recordings that no call names any more: their calls were undone, or have another recording in place of theirs.
#include <cstdint>

#include "storage/library/library.h"
#include "storage/media/media_store.h"

namespace callimport::activities {

/// Removes their files; answers how many. While an import is open none goes: it may just have found the same content
/// there. Within the transaction, so that none opens meanwhile. What a kill leaves is removed by the next call. Blocks.
Result<std::int64_t> remove_unneeded_media(storage::Library& library, storage::MediaStore& media);

}  // namespace callimport::activities
