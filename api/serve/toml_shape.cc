#include "api/serve/toml_shape.h"

#include <algorithm>
#include <cctype>

namespace callimport::api {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kOutside = "a character that may only stand inside quotes";
constexpr std::string_view kAfterBlanks = "the first character after a \\ that joins two lines must be a plain one";
constexpr std::string_view kNoName = "a table's name begins with a letter, a digit, -, _ or a quote";

/// Bytes of the string that begins with the quote at `at`, its quotes included. One without an end takes the line, or,
/// of three quotes, the rest: the parser says so.
std::size_t string_length(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
  const bool many_lines = text.substr(at).starts_with(three);
  const std::size_t quotes = many_lines ? 3 : 1;
  for (std::size_t i = at + quotes; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text.substr(i).starts_with(three.substr(0, quotes))) {
      return i + quotes - at;
    } else if (text[i] == '\n' && !many_lines) {
      return i - at;
    }
  }
  return text.size() - at;
}

/// A backslash that joins two lines, and behind its blanks a character of more than one byte.
bool joins_onto_letter(std::string_view quoted) {
  if (!quoted.starts_with("\"\"\"")) return false;
  for (std::size_t at = quoted.find('\\'); at < quoted.size(); at = quoted.find('\\', at)) {
    const std::size_t next = quoted.find_first_not_of(" \t\r\n\v\f", at + 1);
    if (next == quoted.npos) return false;
    if (next > at + 1 && static_cast<unsigned char>(quoted[next]) > 0x7f) return true;
    at += next > at + 1 ? 1 : 2;  // a backslash behind blanks begins anew, one at once is escaped
  }
  return false;
}

/// `at` is at the first bracket of a line.
bool names_a_table(std::string_view text, std::size_t at) {
  const auto skip_blanks = [&] { at = std::min(text.find_first_not_of(" \t", at), text.size()); };
  ++at;
  skip_blanks();
  if (text.substr(at).starts_with('[')) ++at;
  skip_blanks();
  if (at == text.size()) return true;  // the parser says what is missing
  const char next = text[at];
  return std::isalnum(static_cast<unsigned char>(next)) != 0 || std::string_view("-_\"']").find(next) != text.npos;
}

}  // namespace

std::optional<TomlFault> toml_fault(std::string_view text) {
  int line = 1;
  bool line_begins = true;
  std::size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (at < text.size()) {
    const char c = text[at];
    std::size_t length = 1;
    if (c == '"' || c == '\'') {
      length = string_length(text, at);
      if (joins_onto_letter(text.substr(at, length))) return TomlFault{line, kAfterBlanks};
    } else if (c == '#') {
      length = std::min(text.find('\n', at), text.size()) - at;
    } else if (c == '[' && line_begins && !names_a_table(text, at)) {
      return TomlFault{line, kNoName};
    } else if (c != '\t' && c != '\r' && c != '\n' && (c < ' ' || c > '~')) {
      return TomlFault{line, kOutside};
    }
    line_begins = c == '\n' || c == '\r' || (line_begins && (c == ' ' || c == '\t'));
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                        text.begin() + static_cast<std::ptrdiff_t>(at + length), '\n'));
    at += length;
  }
  return std::nullopt;
}

std::string ascii_stand_in(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && c != '@') {
      out += c;
    } else {
      out += {'@', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace callimport::api
