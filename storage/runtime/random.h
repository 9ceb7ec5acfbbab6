#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace callimport {

/// The only source of chance. Production: the operating system; simulation: a seed. Threads: any.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  std::uint64_t next();
  std::string uuid4();
  /// Time-ordered, as Temporal's run ids look. @param unix_ms  milliseconds since 1970.
  std::string uuid7(std::int64_t unix_ms);
  /// `length` characters of [0-9a-z], for ids of the product.
  std::string id_text(std::size_t length);
};

}  // namespace callimport
