#pragma once
// The ids of the calls that somebody wants, from a CSV file.
#include <string>
#include <vector>

#include "api/cli/session.h"

namespace callimport::api {

/// Each id once, in the file's order: of the column named source_id, call_id, recording_id, call or id (the first of
/// them that is there), or of the only column there is, which then needs no heading.
/// @error usage  no such file, no such column, lines that cannot be read, no id or more than 50,000.
tl::expected<std::vector<std::string>, CliError> read_named_calls(const std::string& path);

}  // namespace callimport::api
