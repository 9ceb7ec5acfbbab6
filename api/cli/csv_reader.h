#pragma once
// Reads CSV as spreadsheets write it, a record at a time, however long the file is.
#include <cstdint>
#include <deque>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callimport::api {

inline constexpr std::size_t kCsvRecordBytesMax = 64 * 1024;
inline constexpr std::size_t kCsvRecordLinesMax = 50;  ///< a record with line breaks in quotes

/// One record. With a `problem` its fields are not to be used; the next record begins on the line after its first.
struct CsvRecord {
  std::int64_t line = 0;  ///< the first of it, from 1
  std::vector<std::string> fields;
  std::string problem;
};

/// RFC 4180, and what is met beside it: a UTF-8 byte order mark, CR LF, LF or CR at the end of a line, line breaks and
/// doubled quotes inside quotes, `;` or tab instead of the comma (whichever the first line has most of). Empty lines
/// are passed over. A field that a spreadsheet would take for a formula and that was written with ' before it loses
/// that '. Threads: one. Lifetime: `in` outlives it. Memory: one record.
class CsvReader {
 public:
  explicit CsvReader(std::istream& in) : in_(in) {}
  /// Nothing at the end.
  std::optional<CsvRecord> next();

 private:
  struct Line {
    std::string text;
    bool too_long = false;  ///< cut
  };
  std::optional<Line> take_line();
  std::optional<Line> read_line();

  std::istream& in_;
  std::deque<Line> ahead_;  ///< read already, not taken yet
  std::int64_t line_ = 0;   ///< taken so far
  char separator_ = 0;      ///< 0: nothing is read yet
};

/// Whether every byte of `text` is UTF-8 as it should be.
bool is_utf8(std::string_view text);

}  // namespace callimport::api
