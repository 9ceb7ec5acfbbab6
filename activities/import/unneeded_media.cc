#include "activities/import/unneeded_media.h"

namespace callimport::activities {
namespace {

constexpr int kFilesAtOnce = 200;  ///< of one transaction

}  // namespace

Result<std::int64_t> remove_unneeded_media(storage::Library& library, storage::MediaStore& media) {
  std::int64_t removed = 0;
  for (bool more = true; more;) {
    TRY_VOID(library.change([&](storage::LibraryTx& tx) -> Result<> {
      TRY(const auto hashes, tx.removable_media(kFilesAtOnce));
      for (const auto& hash : hashes) {
        TRY_VOID(media.remove(hash));
        TRY_VOID(tx.media_removed(hash));
      }
      removed += std::ssize(hashes);
      more = std::ssize(hashes) == kFilesAtOnce;
      return {};
    }));
  }
  return removed;
}

}  // namespace callimport::activities
