#pragma once
#include "storage/runtime/random.h"

namespace callimport {

/// getrandom(2). Threads: any.
class OsRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace callimport
