#pragma once
// Unpacking what exporters compress.
#include <cstddef>
#include <string>
#include <string_view>

#include "storage/model/result.h"

namespace callimport::engine {

inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }
/// All members of a gzip file (RFC 1952).  @error kInvalid  damaged, cut off, or more than `bytes_max` when unpacked.
Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace callimport::engine
