#include "storage/library/search.h"

#include <limits>

#include "storage/library/calls.h"
#include "storage/library/search_query.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

bool is_mark(char c) { return c == '\x02' || c == '\x03'; }

SearchHit read_hit(const Statement& row) {
  return {.call = row.text(0),
          .title = row.text(1),
          .speaker = row.text(2),
          .text = unambiguous_marks(row.text(3), row.text(4)),
          .call_start_ms = row.integer(5),
          .start_ms = row.integer(6),
          .platform = row.text(7),
          .import = row.text(8)};
}

}  // namespace

std::string unambiguous_marks(std::string_view marked, std::string_view plain) {
  if (plain.find_first_of("\x02\x03") == std::string_view::npos) return std::string(marked);
  std::string out;
  std::size_t at = 0;  // in plain
  for (const char c : marked) {
    const bool own = at < plain.size() && plain[at] == c;
    if (own) ++at;
    if (!own || !is_mark(c)) out += c;
  }
  return out;
}

SearchReads::SearchReads(Database& db)
    : find_(db,
            "SELECT c.id, c.title, s.speaker, highlight(segment_text, 0, char(2), char(3)), s.text, c.start_ms, "
            "s.start_ms,"
            " c.platform, c.import"
            " FROM segment_text JOIN segment s ON s.id = segment_text.rowid JOIN call c ON c.number = s.id >> ?8"
            " WHERE segment_text MATCH ?1 AND (?2 = '' OR c.import = ?2) AND (?3 = '' OR c.platform = ?3)"
            " AND (?4 = '' OR instr(c.title, ?4) > 0) AND c.start_ms >= ?5 AND c.start_ms < ?6"
            " ORDER BY segment_text.rank LIMIT ?7") {}

Result<std::vector<SearchHit>> SearchReads::find(const std::string& query, const CallFilter& filter, int limit) {
  TRY(const auto terms, parse_query(query));
  find_.bind(1, to_fts5(terms)).bind(2, filter.import).bind(3, filter.platform).bind(4, filter.text);
  find_.bind(5, filter.after_ms == 0 ? std::numeric_limits<std::int64_t>::min() : filter.after_ms);
  find_.bind(6, filter.before_ms == 0 ? std::numeric_limits<std::int64_t>::max() : filter.before_ms);
  return all_rows(find_.bind(7, limit).bind(8, kSegmentBits), read_hit);
}

}  // namespace callimport::storage
