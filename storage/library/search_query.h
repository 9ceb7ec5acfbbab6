#pragma once
// What a person types into the search box, as terms and filters; and the words as an FTS5 expression. Pure: no
// database.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/library/search_spans.h"
#include "storage/model/result.h"

namespace callimport::storage {

inline constexpr std::size_t kQueryBytesMax = 4096;
inline constexpr std::size_t kQueryTermsMax = 64;  ///< words, phrases and filters together

/// One word, or the words of a phrase; with `or_else`, any of them.
struct SearchTerm {
  std::string text;
  bool excluded = false;
  std::vector<std::string> or_else = {};
  friend bool operator==(const SearchTerm&, const SearchTerm&) = default;
};

/// Values of one filter: `platform:a platform:b` is any of both, `-platform:c` is none of it.
struct Choice {
  std::vector<std::string> any_of = {}, none_of = {};
  bool empty() const { return any_of.empty() && none_of.empty(); }
  friend bool operator==(const Choice&, const Choice&) = default;
};

struct SearchQuery {
  std::vector<SearchTerm> terms;
  Choice speaker, platform, customer, import, privacy, has;
  Span start_ms, length_ms;
  /// Whether words are searched for; without any, calls are found by the filters alone.
  bool has_words() const;
};

/// Words, "phrases" (straight or curly quotes; an open one ends with the text), -exclusion of either, OR between two
/// of them; speaker: platform: customer: import: privacy: has: (each also with - before it), date: and length: (once
/// each). A value with spaces stands in quotes. Terms without a letter or digit are left out. A word before a colon
/// that is no filter is a word, unless it is one letter away from a filter.
/// @error kInvalid  what is wrong, and at which character; nothing to search for; over kQueryBytesMax or
/// kQueryTermsMax.
Result<SearchQuery> parse_query(std::string_view text);

/// An FTS5 expression in which every term is a quoted string: all of those that are not excluded, none of those that
/// are; words in columns text and people, speakers in column speaker. Empty without words.
std::string to_fts5(const SearchQuery& query);

}  // namespace callimport::storage
