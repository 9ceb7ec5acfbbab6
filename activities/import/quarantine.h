#pragma once
// Broken recordings on disk: what the library no longer names goes.
#include "storage/library/library.h"
#include "storage/media/media_store.h"
#include "storage/model/result.h"

namespace callimport::activities {

Result<> drop_broken(storage::MediaStore& media, const storage::QuarantineFile& file);
/// Removes every file in quarantine that no row names: left by a death between the row's commit and the file, either
/// way round. Before anything is fetched.
Result<> sweep_quarantine(storage::Library& library, storage::MediaStore& media);

}  // namespace callimport::activities
