#include "storage/library/search.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "storage/library/calls.h"
#include "storage/model/time.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

bool is_mark(char c) { return c == '\x02' || c == '\x03'; }

/// The words of a hit in its document, marked.
struct Marked {
  std::string text, people, speaker;
  std::int64_t start_ms = 0;
};
Marked read_marked(const Statement& row) {
  return {.text = unambiguous_marks(row.text(0), row.text(1)),
          .people = unambiguous_marks(row.text(2), row.text(3)),
          .speaker = row.text(4),
          .start_ms = row.is_null(5) ? 0 : row.integer(5)};
}

struct Owner {
  SearchHit hit;
  std::int64_t doc = 0;
};
Owner read_owner(const Statement& row) {
  SearchHit hit;
  hit.call = row.text(0);
  hit.title = row.text(1);
  hit.call_start_ms = row.integer(2);
  hit.platform = row.text(3);
  hit.import = row.text(4);
  hit.privacy = row.text(5);
  return {.hit = std::move(hit), .doc = row.integer(6)};
}

/// Of the lines of `text`, those with a mark, one after the other.
std::string marked_lines(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (line.find('\x02') != std::string::npos) out += (out.empty() ? "" : ", ") + line;
    at = end + 1;
  }
  return out;
}

/// A page token: where the next page begins.  @error kInvalid  not one of ours
Result<std::int64_t> place_in(const std::string& token, char kind) {
  if (token.empty()) return 0;
  std::int64_t place = 0;
  const char* end = token.data() + token.size();
  const auto read = std::from_chars(token.data() + 1, end, place);
  if (token.front() != kind || read.ec != std::errc{} || read.ptr != end || place < 0) {
    return fail(Code::kInvalid, "not the page of this search");
  }
  return place;
}

std::string month_of(std::int64_t doc) { return format_utc(from_unix_ms(start_ms_of(doc))).substr(0, 7); }

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
    : scan_(db),
      call_(db,
            "SELECT id, title, start_ms, platform, import, privacy, doc FROM call WHERE doc <= ?1"
            " ORDER BY doc DESC LIMIT 1"),
      hit_(db,
           "SELECT highlight(doc_text, 0, char(2), char(3)), doc_text.text, highlight(doc_text, 2, char(2), char(3)),"
           " people, doc_text.speaker, s.start_ms FROM doc_text LEFT JOIN segment s ON s.id = doc_text.rowid"
           " WHERE doc_text MATCH ?1 AND doc_text.rowid = ?2"),
      facts_(db,
             "SELECT doc + docs, platform, import, transcript_state = 'ready', media_bytes IS NOT NULL,"
             " media_bytes IS NOT NULL AND media_type = 'video' FROM call INDEXED BY call_to_search"
             " WHERE doc <= ?1 ORDER BY doc DESC LIMIT 1") {}

Result<std::optional<SearchHit>> SearchReads::show(std::int64_t doc) {
  TRY(auto owner, first_row(call_.bind(1, doc), read_owner));
  if (!owner) return std::nullopt;
  SearchHit hit = std::move(owner->hit);
  hit.heading = owner->doc == doc;
  if (scan_.expression().empty()) {
    hit.text = hit.title;
    return hit;
  }
  TRY(auto marked, first_row(hit_.bind(1, scan_.expression()).bind(2, doc), read_marked));
  if (!marked) return std::nullopt;
  hit.speaker = std::move(marked->speaker);
  hit.start_ms = marked->start_ms;
  const bool in_people = hit.heading && marked->text.find('\x02') == std::string::npos;
  hit.text = in_people ? marked_lines(marked->people) : std::move(marked->text);
  return hit;
}

Result<SearchPage> SearchReads::newest(const SearchRequest& request) {
  TRY(const std::int64_t from, place_in(request.after, 'n'));
  TRY_VOID(scan_.start(request.query, request.filter, from, DocScan::Scores::kNone));
  SearchPage page;
  std::vector<std::int64_t> docs;
  while (true) {
    TRY(const auto found, scan_.next());
    if (!found) break;
    if (static_cast<int>(docs.size()) == request.limit) {
      page.next = "n" + std::to_string(found->doc);
      break;
    }
    docs.push_back(found->doc);
  }
  scan_.stop();
  for (const std::int64_t doc : docs) {
    TRY(auto hit, show(doc));
    if (hit) page.hits.push_back(*std::move(hit));
  }
  return page;
}

Result<SearchPage> SearchReads::best(const SearchRequest& request) {
  TRY(const std::int64_t skipped, place_in(request.after, 'b'));
  TRY_VOID(scan_.start(request.query, request.filter, 0, DocScan::Scores::kEach));
  std::vector<DocScan::Found> all;
  while (all.size() < kRankedMax) {
    TRY(const auto found, scan_.next());
    if (!found) break;
    all.push_back(*found);
  }
  scan_.stop();
  std::sort(all.begin(), all.end(), [](const DocScan::Found& a, const DocScan::Found& b) {
    return std::pair(a.score, a.doc) < std::pair(b.score, b.doc);
  });
  SearchPage page;
  const auto first = std::min(static_cast<std::size_t>(skipped), all.size());
  const auto end = std::min(first + static_cast<std::size_t>(std::max(request.limit, 0)), all.size());
  for (std::size_t i = first; i < end; ++i) {
    TRY(auto hit, show(all[i].doc));
    if (hit) page.hits.push_back(*std::move(hit));
  }
  if (end < all.size()) page.next = "b" + std::to_string(end);
  return page;
}

Result<SearchPage> SearchReads::find(const SearchRequest& request) {
  return request.order == SearchOrder::kBest ? best(request) : newest(request);
}

Result<SearchFacets> SearchReads::facets(const SearchRequest& request) {
  TRY_VOID(scan_.start(request.query, request.filter, 0, DocScan::Scores::kNone));
  SearchFacets out;
  std::map<std::pair<std::string, std::string>, std::int64_t> counts;
  std::int64_t call_end = 0;
  const auto count = [&](const Statement& row) {
    ++counts[{"platform", row.text(1)}];
    ++counts[{"import", row.text(2)}];
    if (row.integer(3) != 0) ++counts[{"has", "transcript"}];
    if (row.integer(4) != 0) ++counts[{"has", "recording"}];
    if (row.integer(5) != 0) ++counts[{"has", "video"}];
    return row.integer(0);
  };
  while (true) {
    TRY(const auto found, scan_.next());
    if (!found) break;
    out.more = out.hits == kHitsCountedMax;
    if (out.more) break;
    ++out.hits;
    if (found->doc < call_end) continue;
    TRY(const auto end, first_row(facts_.bind(1, found->doc), count));
    if (!end) continue;
    call_end = *end;
    ++out.calls;
    ++counts[{"month", month_of(found->doc)}];
  }
  scan_.stop();
  for (const auto& [key, calls] : counts) out.facets.push_back({key.first, key.second, calls});
  std::sort(out.facets.begin(), out.facets.end(), [](const Facet& a, const Facet& b) {
    if (a.name != b.name) return a.name < b.name;
    if (a.name == "month") return a.value > b.value;
    return a.calls != b.calls ? a.calls > b.calls : a.value < b.value;
  });
  return out;
}

}  // namespace callimport::storage
