// A recording that is none, and what the child that looks at it says: [0: a file, 1: a verdict][bytes]. In production
// the first runs in a child of its own, bounded by seccomp and limits; what it finds must still be a verdict.
#include <algorithm>
#include <cstring>

#include "activities/media/child.h"
#include "activities/media/examine.h"
#include "storage/model/ensure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callimport::activities;
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 1) {
    const auto verdict = read_verdict(bytes);
    if (verdict) ENSURE(read_verdict(write_verdict(*verdict)).has_value());
    return 0;
  }
  MediaBytes file;
  file.size = bytes.size();
  file.read = [bytes](std::uint64_t offset, std::span<std::byte> into) -> callimport::Result<std::size_t> {
    if (offset >= bytes.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(into.size(), bytes.size() - offset);
    std::memcpy(into.data(), bytes.data() + offset, length);
    return length;
  };
  const MediaVerdict verdict = examine_media(file, 1'000);
  ENSURE(verdict.fault_cause.empty() || verdict.fault_cause.starts_with("media."));
  return 0;
}
