#include "activities/platforms/grain.h"
#include "activities/platforms/platform.h"

namespace callimport::activities {

const std::vector<const Platform*>& platforms() {
  static const std::vector<const Platform*> all = {&grain()};
  return all;
}

const Platform* find_platform(std::string_view name) {
  for (const Platform* platform : platforms()) {
    if (platform->name == name) return platform;
  }
  return nullptr;
}

}  // namespace callimport::activities
