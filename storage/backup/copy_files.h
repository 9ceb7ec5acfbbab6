#pragma once
// Files from one place to another, hashed on the way. Private to this folder.
#include <cstdint>
#include <functional>
#include <string>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"

namespace callimport::storage {

struct HashedFile {
  std::int64_t bytes = 0;
  std::string sha256;
};
Result<HashedFile> hash_of_file(Disk& disk, const std::string& path);
/// A new file, durable but for its folder's entry.  @error kConflict  it is there already.
Result<HashedFile> copy_file(Disk& disk, const std::string& from, const std::string& to);
/// A new small file with this content, durable, its entry too.
Result<> write_new_file(Disk& disk, const std::string& path, const std::string& content);
Result<std::string> read_small_file(Disk& disk, const std::string& path, std::size_t bytes_max);

/// Recordings below a media folder, by path below it ("ab/cd/abcd...", "quarantine/..."); partial files are left out.
Result<> for_each_recording(Disk& disk, const std::string& media,
                            const std::function<Result<>(const std::string& below)>& work);

}  // namespace callimport::storage
