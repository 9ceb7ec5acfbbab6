#include "activities/http/http.h"

namespace callimport::activities {

std::string_view HttpReply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace callimport::activities
