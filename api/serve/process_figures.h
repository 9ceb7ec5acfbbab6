#pragma once
#include <string>

namespace callimport::api {

/// process_* as Prometheus' own clients name them, in the text format; what cannot be read is left out.
std::string process_figures_text();

}  // namespace callimport::api
