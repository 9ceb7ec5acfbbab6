#include "storage/library/search_query.h"

#include <algorithm>
#include <array>
#include <utility>

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

/// First bytes of ranges beyond ASCII that hold no letters to speak of, so that FTS5 takes them as no word; and how
/// long one character is. U+00A0 to U+00BF, U+2000 to U+20FF (dashes, quotes, money), U+3000 to U+303F, U+1F000 to
/// U+1FFFF (emoji).
constexpr std::array<std::pair<std::string_view, std::size_t>, 7> kSigns = {{{"\xc2", 2},
                                                                             {"\xe2\x80", 3},
                                                                             {"\xe2\x81", 3},
                                                                             {"\xe2\x82", 3},
                                                                             {"\xe2\x83", 3},
                                                                             {"\xe3\x80", 3},
                                                                             {"\xf0\x9f", 4}}};

/// Bytes of the sign at `at`; 0 when there is none.
std::size_t sign_at(std::string_view text, std::size_t at) {
  for (const auto& [start, bytes] : kSigns) {
    if (text.substr(at).starts_with(start)) return bytes;
  }
  return 0;
}

/// Everything else beyond ASCII may be a letter.
bool may_hold_word(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) return true;
    const std::size_t sign = sign_at(text, at);
    if (byte >= 0x80 && sign == 0) return true;
    at += std::max<std::size_t>(sign, 1);
  }
  return false;
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

struct Spelling {
  std::string_view letter, letters;
};
/// Letters that FTS5's accent folding leaves alone and people type as two.
constexpr std::array<Spelling, 4> kSpellings = {{{"œ", "oe"}, {"æ", "ae"}, {"Œ", "OE"}, {"Æ", "AE"}}};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// `text` with all of those letters apart, or all of them joined, where that is another text.
std::vector<std::string> other_spellings(const std::string& text) {
  std::string apart = text, joined = text;
  for (const auto& spelling : kSpellings) {
    apart = replaced(std::move(apart), spelling.letter, spelling.letters);
    joined = replaced(std::move(joined), spelling.letters, spelling.letter);
  }
  std::vector<std::string> others;
  if (apart != text) others.push_back(std::move(apart));
  if (joined != text) others.push_back(std::move(joined));
  return others;
}

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
  std::string wanted, unwanted;
  for (const auto& term : terms) {
    std::string expression = quoted(term.text);
    for (const auto& other : other_spellings(term.text)) expression += " OR " + quoted(other);
    if (term.excluded) {
      unwanted += " NOT (" + expression + ")";
    } else {
      wanted += (wanted.empty() ? "(" : " AND (") + expression + ")";
    }
  }
  return "(" + wanted + ")" + unwanted;
}

}  // namespace callimport::storage
