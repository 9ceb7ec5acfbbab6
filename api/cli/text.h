#pragma once
// Words and figures as a terminal shows them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/time.h"

namespace callimport::api {

/// Other people's text, safe to print: control characters and bidi overrides become a visible stand-in, invalid UTF-8
/// is replaced, line breaks become spaces.
std::string printable(std::string_view text);
/// Columns a terminal needs for UTF-8 `text`; wide East Asian characters count two, combining ones none.
std::size_t columns(std::string_view text);
/// At most `width` columns, with an ellipsis where cut; padded with spaces to exactly `width` by `fit`.
std::string cut(std::string_view text, std::size_t width);
std::string fit(std::string_view text, std::size_t width);

/// `line` in lines of at most `width` columns, broken at spaces, all but the first after `indent` spaces; a longer word
/// is broken where it has to be. Width 0: as it is. No line break at the end.
std::string wrapped(std::string_view line, std::size_t width, std::size_t indent);

/// The same for every line of a text that ends with a line break.
std::string wrapped_lines(std::string_view text, std::size_t width, std::size_t indent);

/// Our own marks (dots, ellipsis, bars, ticks) as one ASCII character each; all other text stays.
std::string in_ascii(std::string_view text);

std::string human_bytes(std::int64_t bytes);  ///< 1.5 GB
std::string human_count(std::int64_t count);  ///< 12,345
std::string human_duration(std::int64_t ms);  ///< 2h 10m
std::string clock_mark(std::int64_t ms);      ///< 1:02:03 into a recording

enum class TimeFormat { kRelative, kIso, kRaw };
/// `5m ago`, `in 2h`; ISO with offset Z; or unix ms.
std::string show_time(std::int64_t unix_ms, TimeFormat format, std::int64_t now_ms);

/// "2h 40m - 3h 30m, about 16:30-17:20", clock times in the zone of this process; "not enough data yet" for nothing.
std::string end_words(std::optional<std::int64_t> from_ms, std::optional<std::int64_t> to_ms, std::int64_t now_ms);

/// What people read for a stage or condition (ux 4.0); the name itself when unknown.
std::string stage_words(std::string_view stage);
std::string condition_words(std::string_view condition);

/// Rows as aligned columns of `width` in all; width 0: nothing is cut. Where they do not fit though one column gave
/// way, each row is a paragraph that names its cells, so that a narrow terminal hides nothing.
struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
  std::size_t cut_column = 0;  ///< the column that gives way when the table is too wide
  std::string show(std::size_t width) const;

 private:
  std::string paragraphs(std::size_t width) const;
};

/// One CSV field: quoted where needed, and never read as a formula by a spreadsheet: where a cell would begin with one
/// of = + - @, an apostrophe stands before it. Line breaks and tabs become spaces.
std::string csv_field(std::string_view text);
std::string csv_row(const std::vector<std::string>& fields);

}  // namespace callimport::api
