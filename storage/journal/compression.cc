#include "storage/journal/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstring>

#include "storage/model/ensure.h"

namespace callimport::storage {

namespace {
constexpr int kLevel = 1;  ///< the writer thread compresses; a higher level saves little on histories of some KB
/// Most histories are small, and there the time goes into tables: 5 us instead of 15 us a KB, a tenth more bytes.
constexpr int kSmallLevel = -1;
constexpr std::size_t kSmallBytes = 16u << 10;
}  // namespace

Compression::Compression()
    : in_(ZSTD_createCCtx(), [](ZSTD_CCtx_s* c) { ZSTD_freeCCtx(c); }),
      out_(ZSTD_createDCtx(), [](ZSTD_DCtx_s* d) { ZSTD_freeDCtx(d); }) {
  ENSURE(in_ != nullptr && out_ != nullptr);
}
Compression::~Compression() = default;

std::string Compression::compress(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  const int level = plain.size() < kSmallBytes ? kSmallLevel : kLevel;
  const std::size_t bytes =
      ZSTD_compressCCtx(in_.get(), packed.data(), packed.size(), plain.data(), plain.size(), level);
  ENSURE(!ZSTD_isError(bytes));
  packed.resize(bytes);
  return packed;
}

Result<std::string> Compression::decompress(std::string_view packed) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kHistoryBytesMax) {
    return fail(Code::kCorrupt, "a stored history is no zstd frame of ours");
  }
  std::string plain(size, '\0');
  const std::size_t bytes = ZSTD_decompressDCtx(out_.get(), plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(bytes) || bytes != size) return fail(Code::kCorrupt, "a stored history does not decompress");
  return plain;
}

std::int64_t checksum(std::int64_t a, std::int64_t b, std::string_view text) {
  std::array<Bytef, 16> numbers{};
  std::memcpy(numbers.data(), &a, 8);
  std::memcpy(numbers.data() + 8, &b, 8);
  const uLong head = crc32_z(crc32_z(0, nullptr, 0), numbers.data(), numbers.size());
  if (text.empty()) return static_cast<std::int64_t>(head);
  return static_cast<std::int64_t>(crc32_z(head, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

}  // namespace callimport::storage
