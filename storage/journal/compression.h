#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "storage/model/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace callimport::storage {

/// More than this does not come out of a stored history: twice the largest history the engine allows.
inline constexpr std::size_t kHistoryBytesMax = 128u << 20;

/// zstd frames; the contexts are kept, since making them costs more than a small history. Threads: one at a time.
class Compression {
 public:
  Compression();
  ~Compression();
  std::string compress(std::string_view plain);
  /// @error kCorrupt  not a frame of ours, or longer than kHistoryBytesMax.
  Result<std::string> decompress(std::string_view packed);

 private:
  std::unique_ptr<ZSTD_CCtx_s, void (*)(ZSTD_CCtx_s*)> in_;
  std::unique_ptr<ZSTD_DCtx_s, void (*)(ZSTD_DCtx_s*)> out_;
};

/// CRC-32 (zlib's) of two numbers and a text.
std::int64_t checksum(std::int64_t a, std::int64_t b, std::string_view text);

}  // namespace callimport::storage
