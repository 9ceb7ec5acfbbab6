#pragma once
// What a person types into the search box, as terms; and terms as an FTS5 expression. Pure: no database.
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"

namespace callimport::storage {

inline constexpr std::size_t kQueryBytesMax = 4096;
inline constexpr std::size_t kQueryTermsMax = 64;

/// One word, or the words of a phrase. A later operator (speaker:, before:) is one more field here.
struct SearchTerm {
  std::string text;
  bool excluded = false;
  friend bool operator==(const SearchTerm&, const SearchTerm&) = default;
};

/// Words, "phrases" (straight or curly quotes; an open one ends with the text), -exclusion of either. Anything else
/// parts words. Terms without a letter or digit are left out.
/// @error kInvalid  nothing to search for: no term, or only excluded ones; over kQueryBytesMax or kQueryTermsMax.
Result<std::vector<SearchTerm>> parse_query(std::string_view text);

/// An FTS5 expression in which every term is a quoted string: all of those that are not excluded, none of those that
/// are.
std::string to_fts5(const std::vector<SearchTerm>& terms);

}  // namespace callimport::storage
