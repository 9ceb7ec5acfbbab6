#pragma once
// What each platform of the field is for an import today: matrix.json, embedded. The terminal and docs/platforms.md are
// both made of it; the connectors' own limits are held against it by a test.
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace callimport::activities {

/// The whole file; parsed once.
const nlohmann::json& platform_matrix();
/// The row of a platform; null when there is none.
const nlohmann::json* matrix_row(std::string_view name);

}  // namespace callimport::activities
