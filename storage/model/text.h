#pragma once
// Small things done to text in many places.
#include <cstdint>
#include <string>
#include <string_view>

namespace callimport {

/// Without blanks and line ends (ASCII) on either side.
inline std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

/// 1,234,567
inline std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3 + (number < 0 ? 1u : 0u); at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace callimport
