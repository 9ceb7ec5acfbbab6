#pragma once
#include <string>

namespace callimport::api {

/// The commit that the build was configured from, 12 hex digits; empty: it was no clone. Also -DCALLIMPORT_COMMIT=...
/// tells it.
std::string build_commit();

}  // namespace callimport::api
