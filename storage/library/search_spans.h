#pragma once
// Spans of time and length as people write them into a search.
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/model/result.h"

namespace callimport::storage {

/// From `from` on and before `before`, in milliseconds; what is absent does not bound.
struct Span {
  std::optional<std::int64_t> from = std::nullopt, before = std::nullopt;
  bool empty() const { return !from && !before; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// Days in UTC: 2026, 2026-11, 2026-11-05; a..b with both ends in it, a.. and ..b; >a (after its end), >=a, <a, <=a.
/// @error kInvalid  says what is wrong with it.
Result<Span> parse_dates(std::string_view text);

/// Lengths: >30m, >=1h, <90s, <=1h30m, 20m..40m with both ends in it.
/// @error kInvalid  says what is wrong with it.
Result<Span> parse_lengths(std::string_view text);

}  // namespace callimport::storage
