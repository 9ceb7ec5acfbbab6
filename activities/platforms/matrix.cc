#include "activities/platforms/matrix.h"

#include <nlohmann/json.hpp>

#include "activities/platforms/matrix.json.h"

namespace callimport::activities {

const nlohmann::json& platform_matrix() {
  static const nlohmann::json matrix = nlohmann::json::parse(kMatrixJson);
  return matrix;
}

const nlohmann::json* matrix_row(std::string_view name) {
  for (const auto& row : platform_matrix().at("platforms")) {
    if (row.at("name") == name) return &row;
  }
  return nullptr;
}

}  // namespace callimport::activities
