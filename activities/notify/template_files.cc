#include "activities/notify/template_files.h"

#include "activities/notify/templates.embedded.h"

namespace callimport::activities {

std::span<const TemplateFile> template_files() { return kTemplateFiles; }

}  // namespace callimport::activities
