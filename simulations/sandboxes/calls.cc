#include "simulations/sandboxes/calls.h"

#include <fmt/core.h>

namespace callimport::simulations {

std::string_view to_string(MediaState state) {
  switch (state) {
    case MediaState::kGood: return "good";
    case MediaState::kTruncated: return "truncated";
    case MediaState::kHtmlPage: return "html page";
    case MediaState::kZeroBytes: return "zero bytes";
    case MediaState::kWrongLength: return "wrong length";
    case MediaState::kNone: return "none";
  }
  return "unknown";
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t z = seed + (number + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string uuid_of(std::uint64_t high, std::uint64_t low) {
  high = (high & ~0xf000ull) | 0x4000ull;                       // version 4
  low = (low & 0x3fffffffffffffffull) | 0x8000000000000000ull;  // the RFC's variant
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffffu, high & 0xffffu,
                     low >> 48, low & 0xffffffffffffu);
}

std::string uuid_of_text(std::string_view text) {
  std::uint64_t high = 1, low = 2;
  for (const char c : text) {
    high = mix(high, static_cast<unsigned char>(c));
    low = mix(low ^ high, static_cast<unsigned char>(c));
  }
  return uuid_of(high, low);
}

}  // namespace callimport::simulations
