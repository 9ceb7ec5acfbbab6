#include "storage/library/search_query.h"

#include <algorithm>
#include <array>
#include <optional>
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

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Filters of many values, by name.
struct ChoiceField {
  std::string_view name, example;
  Choice SearchQuery::* values;
  std::string_view allowed;  ///< comma-separated; empty: any
};
constexpr std::array<ChoiceField, 6> kChoices = {{
    {"speaker", "speaker:anna", &SearchQuery::speaker, ""},
    {"platform", "platform:grain", &SearchQuery::platform, ""},
    {"customer", "customer:acme.com", &SearchQuery::customer, ""},
    {"import", "import:imp_7f3a", &SearchQuery::import, ""},
    {"privacy", "privacy:team", &SearchQuery::privacy, "private,team,everyone"},
    {"has", "has:transcript", &SearchQuery::has, "transcript,recording,video"},
}};
/// Filters of one span, by name.
struct SpanField {
  std::string_view name, example;
  Span SearchQuery::* span;
  Result<Span> (*read)(std::string_view);
};
constexpr std::array<SpanField, 2> kSpans = {{
    {"date", "date:2026-11-01..2026-11-15", &SearchQuery::start_ms, parse_dates},
    {"length", "length:>30m", &SearchQuery::length_ms, parse_lengths},
}};

bool is_among(std::string_view value, std::string_view list) {
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    if (list.substr(at, end - at) == value) return true;
    at = end + 1;
  }
  return false;
}

/// Whether one letter changed, left out, put in, or two beside each other swapped make `a` to `b`.
bool one_slip_apart(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  const auto first = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
  if (b.size() > a.size()) return a.substr(first) == b.substr(first + 1);
  if (first == a.size()) return false;
  const auto rest_a = a.substr(first + 1), rest_b = b.substr(first + 1);
  if (rest_a == rest_b) return true;
  return !rest_a.empty() && a[first] == b[first + 1] && a[first + 1] == b[first] &&
         rest_a.substr(1) == rest_b.substr(1);
}

/// The filter that `name` is a slip of; empty when it is none.
std::string_view meant_by(std::string_view name) {
  for (const auto& field : kChoices) {
    if (one_slip_apart(name, field.name)) return field.name;
  }
  for (const auto& field : kSpans) {
    if (one_slip_apart(name, field.name)) return field.name;
  }
  return {};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<SearchQuery> query() {
    while (skip_between()) {
      item_ = at_;
      const bool excluded = take_minus();
      TRY(const bool filter, take_filter(excluded));
      if (!filter) TRY_VOID(take_word(excluded));
      if (items_ > kQueryTermsMax) {
        return wrong_at(item_, "a search may have " + std::to_string(kQueryTermsMax) + " words, this one has more");
      }
    }
    if (or_at_) return wrong_at(*or_at_, "OR stands between two words");
    return std::move(query_);
  }

 private:
  tl::unexpected<Error> wrong_at(std::size_t at, const std::string& what) const {
    const auto character = characters_in(text_.substr(0, at)) + 1;
    return fail(Code::kInvalid, "search, character " + std::to_string(character) + ": " + what);
  }
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

  /// A word, a phrase, or OR.
  Result<> take_word(bool excluded) {
    const bool plain = at_ < text_.size() && quote_at(text_, at_) == 0;
    const std::string_view found = take_term();
    if (plain && !excluded && found == "OR") {
      const bool after_word = last_was_word_ && !query_.terms.empty() && !query_.terms.back().excluded;
      if (or_at_ || !after_word) return wrong_at(item_, "OR stands between two words");
      or_at_ = item_;
      return {};
    }
    if (!may_hold_word(found)) return {};
    ++items_;
    if (or_at_ && excluded) return wrong_at(*or_at_, "OR stands between two words, and -word is none");
    if (or_at_) {
      query_.terms.back().or_else.push_back(without_controls(found));
      or_at_.reset();
    } else {
      query_.terms.push_back({without_controls(found), excluded});
    }
    last_was_word_ = true;
    return {};
  }

  /// False when what comes is no filter; then nothing is taken.
  Result<bool> take_filter(bool excluded) {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] >= 'a' && text_[end] <= 'z') ++end;
    if (end == at_ || end >= text_.size() || text_[end] != ':') return false;
    const auto name = text_.substr(at_, end - at_);
    for (const auto& field : kChoices) {
      if (field.name == name) return take_choice(field, end + 1, excluded);
    }
    for (const auto& field : kSpans) {
      if (field.name == name) return take_span(field, end + 1, excluded);
    }
    if (const auto meant = meant_by(name); !meant.empty()) {
      return wrong_at(item_, "there is no " + std::string(name) + ":, did you mean " + std::string(meant) +
                                 ":? (to find the word itself, put it in quotes)");
    }
    return false;
  }
  /// The text after the colon.  @error kInvalid  there is none
  Result<std::string> take_value(std::size_t from, std::string_view name, std::string_view example) {
    if (or_at_) return wrong_at(*or_at_, "OR stands between two words, and " + std::string(name) + ": is none");
    at_ = from;
    last_was_word_ = false;
    ++items_;
    auto value = without_controls(take_term());
    if (!may_hold_word(value)) {
      return wrong_at(from, std::string(name) + ": needs a value, as in " + std::string(example));
    }
    return value;
  }
  Result<bool> take_choice(const ChoiceField& field, std::size_t from, bool excluded) {
    TRY(auto value, take_value(from, field.name, field.example));
    if (!field.allowed.empty() && !is_among(value, field.allowed)) {
      return wrong_at(
          from, std::string(field.name) + ": is one of " + std::string(field.allowed) + ", not \"" + value + "\"");
    }
    Choice& choice = query_.*field.values;
    (excluded ? choice.none_of : choice.any_of).push_back(std::move(value));
    return true;
  }
  Result<bool> take_span(const SpanField& field, std::size_t from, bool excluded) {
    TRY(const auto value, take_value(from, field.name, field.example));
    const std::string name(field.name);
    if (excluded) return wrong_at(item_, name + ": takes no - before it; turn the range round instead");
    if (!(query_.*field.span).empty()) return wrong_at(item_, name + ": is there twice; give one range");
    const auto span = field.read(value);
    if (!span) return wrong_at(from, name + ": " + span.error().message);
    query_.*field.span = *span;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0, item_ = 0;
  std::size_t items_ = 0;
  std::optional<std::size_t> or_at_;  ///< of an OR that waits for its second word
  bool last_was_word_ = false;
  SearchQuery query_;
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

/// Any of the words, each in all its spellings.
std::string any_of(const std::vector<std::string>& words) {
  std::string expression;
  for (const auto& word : words) {
    expression += (expression.empty() ? "" : " OR ") + quoted(word);
    for (const auto& other : other_spellings(word)) expression += " OR " + quoted(other);
  }
  return "(" + expression + ")";
}

std::string any_of_term(const SearchTerm& term) {
  std::vector<std::string> words = {term.text};
  words.insert(words.end(), term.or_else.begin(), term.or_else.end());
  return any_of(words);
}

bool filters(const SearchQuery& query) {
  const auto any = [&](const auto& fields) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return !(query.*field.values).any_of.empty(); });
  };
  return any(kChoices) || !query.start_ms.empty() || !query.length_ms.empty();
}

}  // namespace

bool SearchQuery::has_words() const {
  return !speaker.any_of.empty() ||
         std::any_of(terms.begin(), terms.end(), [](const SearchTerm& term) { return !term.excluded; });
}

Result<SearchQuery> parse_query(std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return fail(Code::kInvalid, "a search may have " + std::to_string(kQueryBytesMax) + " bytes, this one has " +
                                    std::to_string(text.size()));
  }
  TRY(auto query, Parser(text).query());
  if (query.has_words()) return query;
  if (!query.terms.empty() || !query.speaker.none_of.empty()) {
    return fail(Code::kInvalid, "nothing to search for: give a word to find beside those to leave out");
  }
  if (!filters(query)) {
    return fail(Code::kInvalid, "nothing to search for: give a word, a \"phrase\" or a filter such as date:2026-11");
  }
  return query;
}

std::string to_fts5(const SearchQuery& query) {
  std::string wanted, unwanted;
  for (const auto& term : query.terms) {
    if (term.excluded) {
      unwanted += " NOT {text people} : " + any_of_term(term);
    } else {
      wanted += (wanted.empty() ? "" : " AND ") + any_of_term(term);
    }
  }
  if (!wanted.empty()) wanted = "({text people} : (" + wanted + "))";
  if (!query.speaker.any_of.empty()) {
    wanted += (wanted.empty() ? "({speaker} : " : " AND ({speaker} : ") + any_of(query.speaker.any_of) + ")";
  }
  for (const auto& name : query.speaker.none_of) unwanted += " NOT {speaker} : " + any_of({name});
  return wanted.empty() ? std::string() : "(" + wanted + ")" + unwanted;
}

}  // namespace callimport::storage
