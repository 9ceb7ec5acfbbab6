#include "storage/library/doc_scan.h"

#include <algorithm>
#include <utility>

namespace callimport::storage {

namespace {

/// So many documents of calls that do not pass are read before the index is asked anew from the next that does: asking
/// costs about as much as reading this many.
constexpr int kMissesMax = 200;

}  // namespace

DocScan::DocScan(Database& db)
    : plain_(db,
             "SELECT rowid, 0.0 FROM doc_text WHERE doc_text MATCH ?1 AND rowid >= ?2 AND rowid <= ?3 ORDER BY rowid"),
      scored_(db,
              "SELECT rowid, bm25(doc_text) FROM doc_text WHERE doc_text MATCH ?1 AND rowid >= ?2 AND rowid <= ?3"
              " ORDER BY rowid"),
      ranges_(db) {}

Result<> DocScan::start(const std::string& query, const CallFilter& filter, std::int64_t from, Scores scores) {
  stop();
  TRY(auto parsed, parse_query(query));
  expression_ = to_fts5(parsed);
  const auto conditions = conditions_of(std::move(parsed), filter);
  docs_ = conditions.docs();
  by_calls_ = conditions.look_at_calls();
  ranges_.start(conditions);
  words_ = scores == Scores::kEach ? &scored_ : &plain_;
  at_ = std::max(from, docs_.first);
  range_.reset();
  misses_ = 0;
  return {};
}

void DocScan::stop() {
  if (open_) words_->reset();
  open_ = false;
}

Result<bool> DocScan::open() {
  if (by_calls_) {
    TRY(range_, ranges_.at_or_after(at_));
    if (!range_) return false;
    at_ = std::max(at_, range_->first);
  }
  if (at_ > docs_.last) return false;
  words_->bind(1, expression_).bind(2, at_).bind(3, docs_.last);
  open_ = true;
  misses_ = 0;
  return true;
}

Result<std::optional<DocScan::Found>> DocScan::next_call() {
  TRY(const auto range, ranges_.at_or_after(at_));
  if (!range) return std::nullopt;
  at_ = range->last + 1;
  return Found{range->first, 0};
}

Result<std::optional<DocScan::Found>> DocScan::next() {
  if (expression_.empty()) return next_call();
  while (true) {
    if (!open_) {
      TRY(const bool more, open());
      if (!more) return std::nullopt;
    }
    auto row = words_->step();
    if (!row || !*row) open_ = false;
    if (!row) return tl::unexpected(std::move(row).error());
    if (!*row) return std::nullopt;
    const Found found{words_->integer(0), words_->real(1)};
    at_ = found.doc + 1;
    if (!by_calls_) return found;
    if (found.doc > range_->last) {
      TRY(range_, ranges_.at_or_after(found.doc));
      if (!range_) {
        stop();
        return std::nullopt;
      }
    }
    if (found.doc >= range_->first) {
      misses_ = 0;
      return found;
    }
    if (++misses_ <= kMissesMax) continue;
    stop();
    at_ = range_->first;
  }
}

}  // namespace callimport::storage
