#pragma once
// The files of activities/notify/templates, as they are in the binary.
#include <span>
#include <string_view>

namespace callimport::activities {

struct TemplateFile {
  std::string_view name, body;
};
std::span<const TemplateFile> template_files();  ///< by name

}  // namespace callimport::activities
