#pragma once
// What libavformat says about one file, as a verdict. Runs inside the bounded child in production (child.h), in process
// in simulations. Reads the container and its packets; decodes nothing of the whole.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "activities/media/probe.h"
#include "storage/model/result.h"

namespace callimport::activities {

/// Bytes of a file by offset: as many as asked but at its end.
struct MediaBytes {
  std::uint64_t size = 0;
  std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::byte> into)> read;
};

/// Up to this size every packet is looked at; of larger files the beginning and the end.
inline constexpr std::uint64_t kWholeScanBytesMax = 8u << 20;

/// `expected_duration_ms` 0: unknown. Faults, in this order: media.damaged (empty, no known container, cut off),
/// media.codec_unsupported, media.length_mismatch (differs by more than 5 s and 5 % from what was expected).
/// Threads: any. Needs load_libav() (libav.h) to succeed: whoever wants to say more than an abort calls it before.
MediaVerdict examine_media(const MediaBytes& bytes, std::int64_t expected_duration_ms);

}  // namespace callimport::activities
