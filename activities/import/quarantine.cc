#include "activities/import/quarantine.h"

#include <set>
#include <string>

namespace callimport::activities {

Result<> drop_broken(storage::MediaStore& media, const storage::QuarantineFile& file) {
  return media.drop_quarantined(media.quarantined_name(file.hash, file.cause));
}

Result<> sweep_quarantine(storage::Library& library, storage::MediaStore& media) {
  TRY(const auto names, media.quarantined());
  if (names.empty()) return {};
  TRY(const auto files, library.quarantine_files());
  std::set<std::string> named;
  for (const auto& file : files) named.insert(media.quarantined_name(file.hash, file.cause));
  for (const auto& name : names) {
    if (!named.contains(name)) TRY_VOID(media.drop_quarantined(name));
  }
  return {};
}

}  // namespace callimport::activities
