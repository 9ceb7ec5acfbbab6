#pragma once
// How far two words are apart, and which known word a mistyped one was meant to be.
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace callimport {

/// How many letters must be put in, taken out or changed (Levenshtein).
inline std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, corner + 1});
    }
  }
  return row.back();
}

/// The nearest of `words` within two edits (three for long words), for "did you mean"; of equals the first.
inline std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& words) {
  constexpr std::size_t kLettersMax = 40;  // of the word: more are not looked at
  std::optional<std::string> best;
  std::size_t least = word.size() > 6 ? 4 : 3;
  for (const auto& candidate : words) {
    const auto distance = letters_apart(word.substr(0, kLettersMax), candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace callimport
