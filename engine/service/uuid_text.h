#pragma once
// The shape of a run id.
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string_view>

namespace callimport::engine {

using UuidBytes = std::array<std::uint8_t, 16>;

/// Of 32 hexadecimal digits, large or small, with dashes after the 8th, 12th, 16th and 20th. @return nothing: it is
/// not.
inline std::optional<UuidBytes> uuid_bytes(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  UuidBytes out{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto letter = static_cast<unsigned char>(text[i]);
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? letter != '-' : std::isxdigit(letter) == 0) return std::nullopt;
    if (dash) continue;
    const int digit = std::isdigit(letter) != 0 ? letter - '0' : std::tolower(letter) - 'a' + 10;
    std::uint8_t& byte = out.at(digits++ / 2);
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
  }
  return out;
}

inline bool is_uuid(std::string_view text) { return uuid_bytes(text).has_value(); }

}  // namespace callimport::engine
