#include "activities/media/inline_probe.h"

#include "activities/media/examine.h"
#include "activities/media/libav.h"

namespace callimport::activities {

engine::Awaitable<Result<MediaVerdict>> InlineMediaProbe::probe(std::string path, std::int64_t expected_duration_ms) {
  CO_TRY_VOID(load_libav());
  CO_TRY(const std::unique_ptr<File> file, disk_.open(path, OpenMode::kRead));
  CO_TRY(const std::uint64_t size, file->size());
  File* held = file.get();
  MediaBytes bytes;
  bytes.size = size;
  bytes.read = [held](std::uint64_t offset, std::span<std::byte> into) { return held->read(offset, into); };
  co_return examine_media(bytes, expected_duration_ms);
}

}  // namespace callimport::activities
