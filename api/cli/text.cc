#include "api/cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "storage/model/text.h"

namespace callimport::api {
namespace {

/// The code point at `at`, and how many bytes it takes; 0 bytes: not valid UTF-8 there.
struct Decoded {
  char32_t point = 0;
  std::size_t bytes = 0;
};
Decoded decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 && lead < 0xF5   ? 4
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                                                           : 0;
  if (length == 0 || at + length > text.size()) return {};
  char32_t point = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) return {};
    point = (point << 6) | (next & 0x3Fu);
  }
  static constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return {};
  return {point, length};
}

bool is_bidi_control(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
}
bool is_invisible(char32_t c) {
  return c == 0xFEFF || c == 0x00AD || (c >= 0xE0000 && c <= 0xE007F) || c == 0x2028 || c == 0x2029;
}
bool is_combining(char32_t c) {
  return (c >= 0x0300 && c <= 0x036F) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x20D0 && c <= 0x20FF) ||
         (c >= 0xFE00 && c <= 0xFE0F) || c == 0x200B || c == 0x200C || c == 0x200D;
}
bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}
std::size_t columns_of(char32_t c) { return is_combining(c) ? 0 : is_wide(c) ? 2 : 1; }

/// How many bytes of the text take at most `width` columns; never a part of a character.
std::size_t bytes_within(std::string_view text, std::size_t width) {
  std::size_t used = 0, i = 0;
  while (i < text.size()) {
    const auto [point, bytes] = decode(text, i);
    const std::size_t more = bytes == 0 ? 1 : columns_of(point);
    if (used + more > width) break;
    used += more;
    i += std::max<std::size_t>(bytes, 1);
  }
  return i;
}

std::tm local(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

/// 16:30; on another day than `now_ms` with the day before it.
std::string clock_words(std::int64_t unix_ms, std::int64_t now_ms) {
  const auto then = local(unix_ms), now = local(now_ms);
  char text[32];
  const bool today = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  const auto size = std::strftime(text, sizeof text, today ? "%H:%M" : "%a %H:%M", &then);
  return std::string(text, size);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, bytes] = decode(text, i);
    if (bytes == 0) {
      safe += "\uFFFD";
      ++i;
      continue;
    }
    if (point == '\n' || point == '\r' || point == '\t') {
      safe += ' ';
    } else if (point < 0x20 || (point >= 0x7F && point < 0xA0) || is_bidi_control(point) || is_invisible(point)) {
      safe += "\uFFFD";
    } else {
      safe += text.substr(i, bytes);
    }
    i += bytes;
  }
  return safe;
}

std::size_t columns(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, bytes] = decode(text, i);
    width += bytes == 0 ? 1 : columns_of(point);
    i += std::max<std::size_t>(bytes, 1);
  }
  return width;
}

std::string cut(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  if (width == 0) return {};
  return std::string(text.substr(0, bytes_within(text, width - 1))) + "…";
}

std::string fit(std::string_view text, std::size_t width) {
  auto shown = cut(text, width);
  shown.append(width - std::min(width, columns(shown)), ' ');
  return shown;
}

std::string in_ascii(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kMarks[] = {{"·", '-'}, {"…", '~'}, {"–", '-'}, {"✓", 'x'},
                                                                 {"●", '>'}, {"○", '.'}, {"█", '#'}, {"░", '-'}};
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    const auto mark = std::find_if(std::begin(kMarks), std::end(kMarks),
                                   [&](const auto& one) { return rest.starts_with(one.first); });
    plain += mark == std::end(kMarks) ? rest.front() : mark->second;
    at += mark == std::end(kMarks) ? 1 : mark->first.size();
  }
  return plain;
}

std::string human_bytes(std::int64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_count(std::int64_t count) { return with_thousands(count); }

std::string human_duration(std::int64_t ms) {
  const auto seconds = std::max<std::int64_t>(0, ms) / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d {}h", seconds / 86'400, seconds / 3600 % 24);
}

std::string clock_mark(std::int64_t ms) {
  const auto seconds = std::max<std::int64_t>(0, ms) / 1000;
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string show_time(std::int64_t unix_ms, TimeFormat format, std::int64_t now_ms) {
  if (format == TimeFormat::kRaw) return std::to_string(unix_ms);
  if (format == TimeFormat::kIso) return format_utc(from_unix_ms(unix_ms));
  const auto distance = now_ms - unix_ms;
  if (distance >= 0) return distance < 1000 ? "now" : human_duration(distance) + " ago";
  return "in " + human_duration(-distance);
}

std::string stage_words(std::string_view stage) {
  if (stage == "authenticate") return "Checking access";
  if (stage == "enumerate") return "Counting calls";
  if (stage == "prioritize") return "Choosing the order";
  if (stage == "fetch") return "Fetching recordings";
  if (stage == "register") return "Adding to the library";
  if (stage == "notify") return "Finishing and verifying";
  return std::string(stage);
}

std::string condition_words(std::string_view condition) {
  if (condition.empty()) return "Starting";
  if (condition == "running") return "Running";
  if (condition == "waiting") return "Waiting";
  if (condition == "needs_attention") return "Needs attention";
  if (condition == "paused") return "Paused";
  if (condition == "completed") return "Completed";
  if (condition == "completed_with_gaps") return "Completed with gaps";
  if (condition == "failed") return "Failed";
  if (condition == "cancelled") return "Cancelled";
  if (condition == "undone") return "Undone";
  return std::string(condition);
}

std::string wrapped(std::string_view line, std::size_t width, std::size_t indent) {
  if (width == 0 || columns(line) <= width) return std::string(line);
  if (indent + 8 > width) indent = 0;
  std::string out, row;
  std::size_t begins = 0;  // columns of the row's indent
  const auto turn = [&] {
    out += row + "\n";
    row.assign(indent, ' ');
    begins = indent;
  };
  for (std::size_t at = 0; at < line.size();) {
    const auto space = std::min(line.find(' ', at == 0 ? line.find_first_not_of(' ') : at), line.size());
    std::string word(line.substr(at, space - at));
    at = space + 1;
    const bool first = columns(row) == begins;
    if (!first && columns(row) + 1 + columns(word) > width) {
      turn();
    } else if (!first) {
      row += ' ';
    }
    while (columns(row) + columns(word) > width) {
      const auto bytes = bytes_within(word, width - columns(row));
      if (bytes == 0) break;
      row += word.substr(0, bytes);
      word = word.substr(bytes);
      turn();
    }
    row += word;
  }
  return out + row;
}

std::string wrapped_lines(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    out += wrapped(text.substr(from, end - from), width, indent) + "\n";
    from = end + 1;
  }
  return out;
}

/// The first cell by itself, the others behind their heads.
std::string Table::paragraphs(std::size_t width) const {
  std::string text;
  for (const auto& row : rows) {
    std::string cells;
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (row[i].empty() || row[i] == "-") continue;
      std::string name = head[i];
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      cells += (cells.empty() ? "  " : " · ") + name + " " + row[i];
    }
    text += wrapped(row.front(), width, 2) + "\n";
    if (!cells.empty()) text += wrapped(cells, width, 2) + "\n";
  }
  return text;
}

std::string Table::show(std::size_t width) const {
  std::vector<std::size_t> widths;
  for (const auto& title : head) widths.push_back(columns(title));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::size_t all = 0;
  for (const auto one : widths) all += one + 2;
  all -= 2;
  if (width > 0 && all > width) {
    constexpr std::size_t kLeast = 12;
    auto& giving = widths[cut_column];
    if (giving < all - width + kLeast) return paragraphs(width);
    giving -= all - width;
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : "  ") + fit(row[i], widths[i]);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  };
  add(head);
  for (const auto& row : rows) add(row);
  return text;
}

namespace {
/// Some spreadsheets take the wide forms of = + - @ for the narrow ones.
bool full_width_formula(std::string_view text) {
  return text.starts_with("\uFF1D") || text.starts_with("\uFF0B") || text.starts_with("\uFF0D") ||
         text.starts_with("\uFF20");
}
}  // namespace

std::string csv_field(std::string_view text) {
  std::string safe;
  bool cell_begins = true;  // spaces, quotes and apostrophes in front do not keep a spreadsheet from computing
  for (const char c : printable(text)) {
    const bool formula = std::string_view("=+-@").find(c) != std::string_view::npos;
    if (cell_begins && formula) safe += '\'';
    // Where the comma is the decimal sign, spreadsheets part cells at semicolons.
    cell_begins = c == ';' || (cell_begins && !formula && std::string_view(" \"'").find(c) != std::string_view::npos);
    safe += c;
  }
  if (full_width_formula(safe)) safe.insert(0, "'");
  if (safe.find_first_of(",;\"") == std::string::npos && (safe.empty() || (safe.front() != ' ' && safe.back() != ' ')))
    return safe;
  std::string quoted = "\"";
  for (const char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_row(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line += (i == 0 ? "" : ",") + csv_field(fields[i]);
  return line + "\n";
}

std::string end_words(std::optional<std::int64_t> from_ms, std::optional<std::int64_t> to_ms, std::int64_t now_ms) {
  if (!from_ms || !to_ms) return "not enough data yet";
  const auto from = std::max<std::int64_t>(*from_ms - now_ms, 0), to = std::max<std::int64_t>(*to_ms - now_ms, 0);
  const auto from_clock = clock_words(now_ms + from, now_ms), to_clock = clock_words(now_ms + to, now_ms);
  return fmt::format("{} - {}, about {}", human_duration(from), human_duration(to),
                     from_clock == to_clock ? from_clock : from_clock + "-" + to_clock);
}

}  // namespace callimport::api
