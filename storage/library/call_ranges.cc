#include "storage/library/call_ranges.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "storage/library/calls.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

constexpr int kPortion = 256;
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

/// A list for SQL's json_each; empty text for none, which does not filter.
std::string list_text(const std::vector<std::string>& values) {
  if (values.empty()) return {};
  return nlohmann::json(values).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Each list is bound twice: those of which one must hold, and those of which none may.
// ?1 from this doc on  ?2 doc at most  ?3 limit  ?4 ?5 platform  ?6 ?7 import  ?8 ?9 customer  ?10 ?11 privacy
// ?12 ?13 has  ?14 length from  ?15 length before  ?16 start from  ?17 start before
// ?18 part of the title  ?19 ?20 ?21 the one platform, import and privacy
constexpr std::string_view kFind = R"sql(
SELECT c.doc, c.doc + c.docs - 1 FROM call c INDEXED BY call_to_search
WHERE c.doc >= coalesce((SELECT doc FROM call WHERE doc <= ?1 ORDER BY doc DESC LIMIT 1), ?1) AND c.doc <= ?2
  AND (?4 = '' OR lower(c.platform) IN (SELECT lower(value) FROM json_each(?4))
               OR lower(c.source) IN (SELECT lower(value) FROM json_each(?4)))
  AND (?5 = '' OR NOT (lower(c.platform) IN (SELECT lower(value) FROM json_each(?5))
               OR lower(c.source) IN (SELECT lower(value) FROM json_each(?5))))
  AND (?6 = '' OR c.import IN (SELECT i.id FROM import i, json_each(?6) v WHERE substr(i.id, 1, length(v.value)) = v.value))
  AND (?7 = '' OR c.import NOT IN
       (SELECT i.id FROM import i, json_each(?7) v WHERE substr(i.id, 1, length(v.value)) = v.value))
  AND (?8 = '' OR c.number IN (SELECT p.call FROM participant p WHERE p.company IN (
       SELECT o.number FROM company o, json_each(?8) v WHERE instr(lower(o.name), lower(v.value)) > 0
       UNION SELECT d.company FROM company_domain d, json_each(?8) v WHERE d.domain = lower(v.value))))
  AND (?9 = '' OR c.number NOT IN (SELECT p.call FROM participant p WHERE p.company IN (
       SELECT o.number FROM company o, json_each(?9) v WHERE instr(lower(o.name), lower(v.value)) > 0
       UNION SELECT d.company FROM company_domain d, json_each(?9) v WHERE d.domain = lower(v.value))))
  AND (?10 = '' OR c.privacy IN (SELECT value FROM json_each(?10)))
  AND (?11 = '' OR c.privacy NOT IN (SELECT value FROM json_each(?11)))
  AND (?12 = '' OR NOT EXISTS (SELECT 1 FROM json_each(?12) WHERE NOT CASE value
       WHEN 'transcript' THEN c.transcript_state = 'ready' WHEN 'recording' THEN c.media_bytes IS NOT NULL
       ELSE c.media_bytes IS NOT NULL AND c.media_type = 'video' END))
  AND (?13 = '' OR NOT EXISTS (SELECT 1 FROM json_each(?13) WHERE CASE value
       WHEN 'transcript' THEN c.transcript_state = 'ready' WHEN 'recording' THEN c.media_bytes IS NOT NULL
       ELSE c.media_bytes IS NOT NULL AND c.media_type = 'video' END))
  AND (?14 IS NULL OR coalesce(c.duration_ms, c.media_duration_ms) >= ?14)
  AND (?15 IS NULL OR coalesce(c.duration_ms, c.media_duration_ms) < ?15)
  AND (?19 = '' OR c.platform = ?19) AND (?20 = '' OR c.import = ?20) AND (?21 = '' OR c.privacy = ?21)
  AND (?16 IS NULL OR c.start_ms >= ?16) AND (?17 IS NULL OR c.start_ms < ?17)
  AND (?18 = '' OR instr(c.title, ?18) > 0)
ORDER BY c.doc LIMIT ?3)sql";

DocRange read_range(const Statement& row) { return {row.integer(0), row.integer(1)}; }

/// Whether documents tell this bound exactly.
bool exact(const std::optional<std::int64_t>& bound_ms) {
  return !bound_ms || (*bound_ms > 0 && *bound_ms % 1'000 == 0 && *bound_ms / 1'000 <= kSecondMax);
}

}  // namespace

bool CallConditions::look_at_calls() const {
  const CallFilter& flags = filter;
  const Span& starts = query.start_ms;
  return !query.platform.empty() || !query.customer.empty() || !query.import.empty() || !query.privacy.empty() ||
         !query.has.empty() || !query.length_ms.empty() || !flags.import.empty() || !flags.platform.empty() ||
         !flags.text.empty() || !flags.privacy.empty() || !exact(starts.from) || !exact(starts.before);
}

DocRange CallConditions::docs() const {
  const Span& starts = query.start_ms;
  DocRange range{0, kEver};
  if (starts.before) range.first = first_doc_of(*starts.before - 1);
  if (starts.from) range.last = last_doc_of(*starts.from);
  return range;
}

CallConditions conditions_of(SearchQuery query, const CallFilter& filter) {
  Span& starts = query.start_ms;
  if (filter.after_ms != 0) starts.from = std::max(starts.from.value_or(filter.after_ms), filter.after_ms);
  if (filter.before_ms != 0) starts.before = std::min(starts.before.value_or(filter.before_ms), filter.before_ms);
  return {.query = std::move(query), .filter = filter};
}

CallRanges::CallRanges(Database& db) : find_(db, kFind) {}

void CallRanges::start(const CallConditions& conditions) {
  conditions_ = conditions;
  portion_.clear();
  at_ = 0;
  ended_ = false;
}

Result<> CallRanges::read_from(std::int64_t doc) {
  const SearchQuery& q = conditions_.query;
  const CallFilter& flags = conditions_.filter;
  find_.bind(1, doc).bind(2, conditions_.docs().last).bind(3, kPortion);
  find_.bind(4, list_text(q.platform.any_of)).bind(5, list_text(q.platform.none_of));
  find_.bind(6, list_text(q.import.any_of)).bind(7, list_text(q.import.none_of));
  find_.bind(8, list_text(q.customer.any_of)).bind(9, list_text(q.customer.none_of));
  find_.bind(10, list_text(q.privacy.any_of)).bind(11, list_text(q.privacy.none_of));
  find_.bind(12, list_text(q.has.any_of)).bind(13, list_text(q.has.none_of));
  find_.bind(14, q.length_ms.from).bind(15, q.length_ms.before);
  find_.bind(16, q.start_ms.from).bind(17, q.start_ms.before);
  find_.bind(18, flags.text).bind(19, flags.platform).bind(20, flags.import).bind(21, flags.privacy);
  TRY(portion_, all_rows(find_, read_range));
  at_ = 0;
  ended_ = portion_.size() < kPortion;
  return {};
}

Result<std::optional<DocRange>> CallRanges::at_or_after(std::int64_t doc) {
  if (portion_.empty() || portion_.back().last < doc) {
    if (ended_) return std::nullopt;
    TRY_VOID(read_from(doc));
  }
  while (at_ < portion_.size() && portion_[at_].last < doc) ++at_;
  if (at_ == portion_.size()) return std::nullopt;  // the portion was the last: one that is full reaches over `doc`
  return portion_[at_];
}

}  // namespace callimport::storage
