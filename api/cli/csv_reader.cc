#include "api/cli/csv_reader.h"

#include <algorithm>
#include <iterator>
#include <streambuf>
#include <utility>

namespace callimport::api {

namespace {

constexpr int kEnd = -1;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// The commonest of comma, semicolon and tab outside of quotes.
char separator_in(std::string_view line) {
  std::int64_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    commas += c == ',' ? 1 : 0;
    semicolons += c == ';' ? 1 : 0;
    tabs += c == '\t' ? 1 : 0;
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

std::string as_written_by_hand(std::string field) {
  const bool guarded =
      field.size() > 1 && field.front() == '\'' && std::string_view("=+-@").find(field[1]) != std::string_view::npos;
  if (guarded) field.erase(0, 1);
  return field;
}

bool has_open_quote(std::string_view text) { return std::count(text.begin(), text.end(), '"') % 2 != 0; }

/// The field at `at`, which ends up at the separator or the end. @return what is wrong; empty: nothing
std::string_view take_field(std::string_view text, char separator, std::size_t& at, std::string& field) {
  if (at >= text.size() || text[at] != '"') {
    const auto end = std::min(text.find(separator, at), text.size());
    field = text.substr(at, end - at);
    at = end;
    return field.find('"') == std::string::npos ? "" : "there is a quotation mark inside a field without quotes";
  }
  for (++at; at < text.size(); ++at) {
    if (text[at] != '"') {
      field += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == '"') {
      field += text[at++];
    } else {
      break;
    }
  }
  ++at;  // the closing quote
  while (at < text.size() && text[at] == ' ') ++at;
  if (at < text.size() && text[at] != separator) return "there is text after a closing quotation mark";
  return "";
}

void split(std::string_view text, char separator, CsvRecord& record) {
  for (std::size_t at = 0;; ++at) {
    std::string field;
    record.problem = take_field(text, separator, at, field);
    record.fields.push_back(as_written_by_hand(std::move(field)));
    if (!record.problem.empty() || at >= text.size()) return;
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : 3;
    if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) return false;
    if (at + more >= text.size()) return more == 0 && at + 1 == text.size();
    for (std::size_t i = 1; i <= more; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return false;
    }
    at += more + 1;
  }
  return true;
}

std::optional<CsvReader::Line> CsvReader::read_line() {
  std::streambuf& bytes = *in_.rdbuf();
  Line line;
  int c = bytes.sbumpc();
  if (c == kEnd) return std::nullopt;
  for (; c != kEnd && c != '\n' && c != '\r'; c = bytes.sbumpc()) {
    line.too_long = line.text.size() >= kCsvRecordBytesMax;
    if (!line.too_long) line.text += static_cast<char>(c);
  }
  if (c == '\r' && bytes.sgetc() == '\n') bytes.sbumpc();
  return line;
}

std::optional<CsvReader::Line> CsvReader::take_line() {
  ++line_;
  if (ahead_.empty()) return read_line();
  Line line = std::move(ahead_.front());
  ahead_.pop_front();
  return line;
}

std::optional<CsvRecord> CsvReader::next() {
  auto first = take_line();
  if (first && separator_ == 0) {
    if (first->text.starts_with(kByteOrderMark)) first->text.erase(0, kByteOrderMark.size());
    separator_ = separator_in(first->text);
  }
  while (first && first->text.empty()) first = take_line();
  if (!first) return std::nullopt;
  CsvRecord record;
  record.line = line_;
  std::string text = first->text;
  bool open = has_open_quote(text);
  std::vector<Line> more;
  while (open && !first->too_long && text.size() < kCsvRecordBytesMax && more.size() < kCsvRecordLinesMax) {
    auto line = take_line();
    if (!line) break;
    text += '\n' + line->text;
    open = open != has_open_quote(line->text);
    more.push_back(*std::move(line));
  }
  if (first->too_long) {
    record.problem = "the line is longer than 65,536 bytes";
  } else if (open) {
    record.problem = "a quotation mark is not closed";
    ahead_.insert(ahead_.begin(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    line_ = record.line;
  } else if (!is_utf8(text)) {
    record.problem = "it is not UTF-8; save the file as CSV UTF-8";
  } else {
    split(text, separator_, record);
  }
  return record;
}

}  // namespace callimport::api
