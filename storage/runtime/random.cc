#include "storage/runtime/random.h"

#include <array>
#include <cstring>
#include <string_view>

namespace callimport {

namespace {

using UuidBytes = std::array<std::uint8_t, 16>;

/// 8-4-4-4-12 lower-case hex with version and variant set (RFC 9562).
std::string uuid_text(UuidBytes bytes, std::uint8_t version) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | (version << 4));
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 0x0f];
  }
  return text;
}

}  // namespace

std::uint64_t Random::next() {
  std::array<std::uint8_t, 8> bytes{};
  fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

std::string Random::uuid4() {
  UuidBytes bytes{};
  fill(bytes);
  return uuid_text(bytes, 4);
}

std::string Random::uuid7(std::int64_t unix_ms) {
  UuidBytes bytes{};
  fill(bytes);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>((unix_ms >> (40 - 8 * i)) & 0xff);
  return uuid_text(bytes, 7);
}

std::string Random::id_text(std::size_t length) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  constexpr std::uint8_t kFair = 252;  // 7 * 36: bytes from here on would favour the first characters
  std::string text;
  text.reserve(length);
  std::array<std::uint8_t, 32> bytes{};
  while (text.size() < length) {
    fill(bytes);
    for (const std::uint8_t byte : bytes) {
      if (byte < kFair && text.size() < length) text += kAlphabet[byte % kAlphabet.size()];
    }
  }
  return text;
}

}  // namespace callimport
