#include "storage/library/search_query.h"

#include <algorithm>
#include <array>

namespace callimport::storage {

namespace {

constexpr std::array<std::string_view, 6> kQuotes = {"\"", "“", "”", "„", "«", "»"};

/// Bytes of the quotation mark at `at`; 0 when there is none.
std::size_t quote_at(std::string_view text, std::size_t at) {
  for (const auto quote : kQuotes) {
    if (text.substr(at).starts_with(quote)) return quote.size();
  }
  return 0;
}

bool parts_words(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f;
}

/// Everything beyond ASCII may be a letter; FTS5 knows better and takes what is none as no word.
bool may_hold_word(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  });
}

/// FTS5 reads its expression as C text, which a NUL would end.
std::string without_controls(std::string_view text) {
  std::string clean(text);
  std::replace_if(clean.begin(), clean.end(), parts_words, ' ');
  return clean;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<SearchTerm> terms() {
    while (skip_between()) {
      const bool excluded = take_minus();
      const std::string_view found = take_term();
      if (may_hold_word(found)) terms_.push_back({without_controls(found), excluded});
    }
    return std::move(terms_);
  }

 private:
  /// False at the end.
  bool skip_between() {
    while (at_ < text_.size() && parts_words(text_[at_])) ++at_;
    return at_ < text_.size();
  }
  bool take_minus() {
    if (text_[at_] != '-') return false;
    ++at_;
    return true;
  }
  std::string_view take_term() {
    if (at_ >= text_.size()) return {};
    const std::size_t quote = quote_at(text_, at_);
    at_ += quote;
    const std::size_t start = at_;
    while (at_ < text_.size() && quote_at(text_, at_) == 0 && (quote != 0 || !parts_words(text_[at_]))) ++at_;
    const auto found = text_.substr(start, at_ - start);
    if (quote != 0 && at_ < text_.size()) at_ += quote_at(text_, at_);
    return found;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<SearchTerm> terms_;
};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

Result<std::vector<SearchTerm>> parse_query(std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return fail(Code::kInvalid, "a search may have " + std::to_string(kQueryBytesMax) + " bytes, this one has " +
                                    std::to_string(text.size()));
  }
  auto terms = Parser(text).terms();
  if (terms.size() > kQueryTermsMax) {
    return fail(Code::kInvalid, "a search may have " + std::to_string(kQueryTermsMax) + " words, this one has " +
                                    std::to_string(terms.size()));
  }
  if (terms.empty()) return fail(Code::kInvalid, "nothing to search for: give a word or a \"phrase\"");
  if (std::all_of(terms.begin(), terms.end(), [](const SearchTerm& term) { return term.excluded; })) {
    return fail(Code::kInvalid, "nothing to search for: give a word to find beside those to leave out");
  }
  return terms;
}

std::string to_fts5(const std::vector<SearchTerm>& terms) {
  std::string expression;
  for (const auto& term : terms) {  // words side by side bind more tightly than NOT
    if (!term.excluded) expression += quoted(term.text) + ' ';
  }
  for (const auto& term : terms) {
    if (term.excluded) expression += "NOT " + quoted(term.text) + ' ';
  }
  return expression;
}

}  // namespace callimport::storage
