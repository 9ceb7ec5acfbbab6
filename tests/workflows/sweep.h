#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>

namespace callimport::workflows::testing_support {

/// A whole number from the environment, or `otherwise`. "full" is 0.
inline std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  if (std::string(text) == "full") return 0;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace callimport::workflows::testing_support
