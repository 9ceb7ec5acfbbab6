#pragma once
// multipart/form-data as a server reads it (RFC 7578), for sandboxes.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callimport::simulations {

struct FormPart {
  std::string name, file_name, content_type, body;
};
/// nullopt: no boundary in the header, or a body that is not cut by it to its end.
std::optional<std::vector<FormPart>> read_multipart(std::string_view content_type, std::string_view body);

}  // namespace callimport::simulations
