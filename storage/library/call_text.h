#pragma once
// A call as one JSON text, for staging. Fields are only ever added; absent ones read as absent.
#include <string>
#include <string_view>

#include "storage/library/records.h"
#include "storage/model/result.h"

namespace callimport::storage {

/// Bytes that are not UTF-8 become U+FFFD, one each run.
std::string to_json(const Call& call);
/// @error kCorrupt  not what to_json wrote
Result<Call> call_from_json(std::string_view text);

std::string tags_to_json(const std::vector<std::string>& tags);
Result<std::vector<std::string>> tags_from_json(std::string_view text);  ///< @error kCorrupt

}  // namespace callimport::storage
