#pragma once
// Pieces of a text. They point into it.
#include <algorithm>
#include <string_view>
#include <vector>

namespace callimport::engine {

/// Between each two `at`s; never empty.
inline std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (true) {
    const auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

inline constexpr std::string_view kSpaces = " \t\n\v\f\r";

/// Between white space, none empty.
inline std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  for (auto from = text.find_first_not_of(kSpaces); from != std::string_view::npos;
       from = text.find_first_not_of(kSpaces, from)) {
    const auto end = std::min(text.find_first_of(kSpaces, from), text.size());
    out.push_back(text.substr(from, end - from));
    from = end;
  }
  return out;
}

/// Without white space at both ends.
inline std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(kSpaces);
  return from == std::string_view::npos ? std::string_view()
                                        : text.substr(from, text.find_last_not_of(kSpaces) - from + 1);
}

}  // namespace callimport::engine
