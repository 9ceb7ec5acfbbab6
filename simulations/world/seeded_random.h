#pragma once
#include <cstdint>

#include "storage/runtime/random.h"

namespace callimport::simulations {

/// The same seed, the same chance, on every machine. The generator is splitmix64
/// (https://prng.di.unimi.it/splitmix64.c). Threads: one. Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override;
  /// 0 .. limit - 1; the bias is below 2^-32 for limits below 2^32.  @param limit  1 or more.
  std::uint64_t below(std::uint64_t limit);
  /// True `percent` times of a hundred.
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::uint64_t number();
  std::uint64_t state_;
};

}  // namespace callimport::simulations
