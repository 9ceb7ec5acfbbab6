#include "storage/backup/copy_files.h"

#include <span>
#include <vector>

#include "storage/media/content_hash.h"

namespace callimport::storage {
namespace {

constexpr std::size_t kChunkBytes = 1u << 20;

/// Each piece of the file in order.
Result<HashedFile> read_through(File& file,
                                const std::function<Result<>(std::uint64_t at, std::span<std::byte>)>& work) {
  std::vector<std::byte> buffer(kChunkBytes);
  ContentHash hash;
  std::uint64_t at = 0;
  while (true) {
    TRY(const std::size_t got, file.read(at, buffer));
    hash.add({reinterpret_cast<const char*>(buffer.data()), got});
    TRY_VOID(work(at, std::span(buffer).first(got)));
    at += got;
    if (got < buffer.size()) return HashedFile{static_cast<std::int64_t>(at), hash.finish()};
  }
}

bool is_shelf(const std::string& name) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return name.size() == 2 && hex(name[0]) && hex(name[1]);
}

}  // namespace

Result<HashedFile> hash_of_file(Disk& disk, const std::string& path) {
  TRY(const auto file, disk.open(path, OpenMode::kRead));
  return read_through(*file, [](std::uint64_t, std::span<std::byte>) -> Result<> { return {}; });
}

Result<HashedFile> copy_file(Disk& disk, const std::string& from, const std::string& to) {
  TRY(const auto source, disk.open(from, OpenMode::kRead));
  TRY(const auto target, disk.open(to, OpenMode::kCreateNew));
  TRY(auto made, read_through(*source, [&](std::uint64_t at, std::span<std::byte> piece) -> Result<> {
        if (piece.empty()) return {};
        return target->write(at, piece);
      }));
  TRY_VOID(target->sync());
  return made;
}

Result<> write_new_file(Disk& disk, const std::string& path, const std::string& content) {
  TRY(const auto file, disk.open(path, OpenMode::kCreateNew));
  TRY_VOID(file->write(0, std::as_bytes(std::span(content))));
  TRY_VOID(file->sync());
  return disk.sync_dir(path.substr(0, path.rfind('/')));
}

Result<std::string> read_small_file(Disk& disk, const std::string& path, std::size_t bytes_max) {
  TRY(const auto file, disk.open(path, OpenMode::kRead));
  TRY(const auto bytes, file->size());
  if (bytes > bytes_max) return fail(Code::kCorrupt, path + " is longer than it can be");
  std::string text(static_cast<std::size_t>(bytes), '\0');
  TRY(const auto got, file->read(0, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  return text;
}

Result<> for_each_recording(Disk& disk, const std::string& media,
                            const std::function<Result<>(const std::string& below)>& work) {
  TRY(const bool there, disk.exists(media));
  if (!there) return {};
  TRY(const auto shelves, disk.list(media));
  for (const auto& shelf : shelves) {
    if (shelf == "quarantine") {
      TRY(const auto kept, disk.list(media + "/" + shelf));
      for (const auto& name : kept) TRY_VOID(work(shelf + "/" + name));
    }
    if (!is_shelf(shelf)) continue;
    TRY(const auto boxes, disk.list(media + "/" + shelf));
    for (const auto& box : boxes) {
      TRY(const auto names, disk.list(media + "/" + shelf + "/" + box));
      for (const auto& name : names) TRY_VOID(work(shelf + "/" + box + "/" + name));
    }
  }
  return {};
}

}  // namespace callimport::storage
