#include "simulations/world/seeded_random.h"

#include <algorithm>

#include "storage/model/ensure.h"

namespace callimport::simulations {

std::uint64_t SeededRandom::number() {
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

void SeededRandom::fill(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    std::uint64_t word = number();
    const std::size_t count = std::min<std::size_t>(bytes.size(), 8);
    for (std::size_t i = 0; i < count; ++i, word >>= 8) bytes[i] = static_cast<std::uint8_t>(word & 0xff);
    bytes = bytes.subspan(count);
  }
}

std::uint64_t SeededRandom::below(std::uint64_t limit) {
  ENSURE(limit > 0);
  return number() % limit;
}

}  // namespace callimport::simulations
