#pragma once
// Chance by the page: one call to the source serves hundreds of ids, where each call is a system call.
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "storage/runtime/random.h"

namespace callimport::engine {

/// Threads: one. Lifetime: `source` outlives it.
class BufferedRandom final : public Random {
 public:
  explicit BufferedRandom(Random& source) : source_(source) {}
  void fill(std::span<std::uint8_t> bytes) override {
    if (bytes.size() > page_.size()) return source_.fill(bytes);
    if (page_.size() - used_ < bytes.size()) {
      source_.fill(page_);
      used_ = 0;
    }
    std::memcpy(bytes.data(), page_.data() + used_, bytes.size());
    used_ += bytes.size();
  }

 private:
  Random& source_;
  std::array<std::uint8_t, 4096> page_{};
  std::size_t used_ = 4096;
};

}  // namespace callimport::engine
