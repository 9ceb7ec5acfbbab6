#include "engine/history/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace callimport::engine {
namespace {

constexpr int kGzipOnly = 15 + 16;  // window bits, plus 16: gzip and nothing else (zlib.h, inflateInit2)

struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kGzipOnly) == Z_OK;
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

}  // namespace

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) return fail(Code::kInvalid, "gzip file too large");
  Inflater inflater;
  if (!inflater.ready) return fail(Code::kUnavailable, "zlib could not start");
  auto& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 64 * 1024> chunk{};
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
    if (out.size() > bytes_max) {
      return fail(Code::kInvalid, "gzip file unpacks to more than " + std::to_string(bytes_max) + " bytes");
    }
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      inflateReset(&stream);
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      return fail(Code::kInvalid, "gzip file is cut off after " + std::to_string(bytes.size()) + " bytes");
    } else if (status != Z_OK) {
      const char* why = stream.msg != nullptr ? stream.msg : "unknown error";
      return fail(Code::kInvalid, std::string("gzip file is damaged: ") + why);
    }
  }
}

}  // namespace callimport::engine
