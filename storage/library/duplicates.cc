#include "storage/library/duplicates.h"

#include <algorithm>
#include <iterator>

#include "storage/library/person_keys.h"
#include "storage/library/staging.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

constexpr int kStagedCandidatesMax = 20;  ///< whole calls are read for each
constexpr int kCandidatesMax = 1'000;  ///< that began within two minutes; a library with more is not compared further

bool lengths_alike(const MeetingFacts& a, const MeetingFacts& b) {
  if (!a.length_ms || !b.length_ms) return false;
  const std::int64_t apart = std::abs(*a.length_ms - *b.length_ms);
  return apart <= std::max(kLengthsApartMsMax, std::max(*a.length_ms, *b.length_ms) / 50);
}

std::size_t shared(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both.size();
}

void add_email(std::vector<std::string>& emails, const std::string& text) {
  auto email = normalised_email(text);
  if (!email.empty()) emails.push_back(std::move(email));
}

void settle(std::vector<std::string>& emails) {
  std::sort(emails.begin(), emails.end());
  emails.erase(std::unique(emails.begin(), emails.end()), emails.end());
}

}  // namespace

MeetingFacts facts_of(const Call& call, const std::string& platform, const std::string& workspace,
                      const std::string& customer) {
  MeetingFacts facts{.platform = platform,
                     .workspace = workspace,
                     .customer = customer,
                     .title = call.title,
                     .hash = call.media ? call.media->hash : "",
                     .start_ms = call.start_ms,
                     .length_ms = call.duration_ms,
                     .emails = {}};
  if (!facts.length_ms && call.media) facts.length_ms = call.media->duration_ms;
  for (const auto& one : call.participants) add_email(facts.emails, one.email);
  settle(facts.emails);
  return facts;
}

Sameness compare(const MeetingFacts& a, const MeetingFacts& b) {
  if (a.customer != b.customer) return Sameness::kOther;
  if (std::abs(a.start_ms - b.start_ms) > kStartsApartMsMax || !lengths_alike(a, b)) return Sameness::kOther;
  if (!a.hash.empty() && a.hash == b.hash) return Sameness::kSameRecording;
  const bool same_place = a.platform == b.platform && a.workspace == b.workspace;
  if (same_place) {
    const bool same = a.title == b.title && a.emails == b.emails && a.emails.size() >= 2;
    return same ? Sameness::kSameMeeting : Sameness::kOther;
  }
  const std::size_t fewer = std::min(a.emails.size(), b.emails.size());
  return fewer > 0 && shared(a.emails, b.emails) * 2 >= fewer ? Sameness::kSameMeeting : Sameness::kOther;
}

DuplicateFinder::DuplicateFinder(Database& db)
    : same_id_(db, "SELECT id, import FROM call WHERE platform = ?1 AND workspace = ?2 AND source_id = ?3"),
      customer_(db, "SELECT customer FROM workspace WHERE name = ?1 AND customer <> ''"),
      near_(db,
            "SELECT c.number, c.id, c.import, c.platform, c.workspace, c.title, coalesce(c.media_hash, ''), c.start_ms,"
            " coalesce(c.duration_ms, c.media_duration_ms) FROM call c INDEXED BY call_by_age"
            " LEFT JOIN workspace w ON w.name = c.workspace"
            " WHERE c.start_ms >= ?1 AND c.start_ms <= ?2 AND coalesce(nullif(w.customer, ''), c.workspace) = ?4"
            " ORDER BY c.start_ms, c.id LIMIT ?3"),
      emails_(db, "SELECT email FROM participant WHERE call = ?1 AND email <> ''"),
      staged_(db,
              "SELECT s.form, s.bytes, s.body FROM import i JOIN staged s ON s.import = i.number"
              " JOIN manifest m ON m.import = s.import AND m.source_id = s.source_id"
              " WHERE i.id = ?1 AND s.source_id <> ?2 AND m.start_ms >= ?3 AND m.start_ms <= ?4"
              " ORDER BY s.number LIMIT ?5") {}

Result<std::optional<Repeated>> DuplicateFinder::find(const Call& call, const std::string& platform,
                                                      const std::string& workspace) {
  TRY(auto known,
      first_row(same_id_.bind(1, platform).bind(2, workspace).bind(3, call.source_id),
                [](const Statement& row) { return Repeated{row.text(0), row.text(1), Sameness::kSameId}; }));
  if (known) return known;
  TRY(const auto configured, first_row(customer_.bind(1, workspace), [](const Statement& row) { return row.text(0); }));
  const std::string customer = configured.value_or(workspace);
  const auto mine = facts_of(call, platform, workspace, customer);
  const auto read = [&customer](const Statement& row) {
    return Candidate{.number = row.integer(0),
                     .call = {.call = row.text(1), .import = row.text(2)},
                     .facts = {.platform = row.text(3),
                               .workspace = row.text(4),
                               .customer = customer,
                               .title = row.text(5),
                               .hash = row.text(6),
                               .start_ms = row.integer(7),
                               .length_ms = optional_integer(row, 8),
                               .emails = {}}};
  };
  near_.bind(1, call.start_ms - kStartsApartMsMax).bind(2, call.start_ms + kStartsApartMsMax);
  TRY(auto candidates, all_rows(near_.bind(3, kCandidatesMax).bind(4, customer), read));
  for (auto& one : candidates) {
    if (!lengths_alike(mine, one.facts)) continue;
    TRY(const auto emails, all_rows(emails_.bind(1, one.number), [](const Statement& row) { return row.text(0); }));
    for (const auto& email : emails) add_email(one.facts.emails, email);
    settle(one.facts.emails);
    one.call.how = compare(mine, one.facts);
    if (one.call.how != Sameness::kOther) return std::move(one.call);
  }
  return std::nullopt;
}

Result<std::optional<Repeated>> DuplicateFinder::find(const Call& call, const std::string& platform,
                                                      const std::string& workspace, const std::string& import) {
  TRY(auto known, find(call, platform, workspace));
  if (known || import.empty()) return known;
  return find_staged(call, platform, workspace, import);
}

Result<std::optional<Repeated>> DuplicateFinder::find_staged(const Call& call, const std::string& platform,
                                                             const std::string& workspace, const std::string& import) {
  const auto mine = facts_of(call, platform, workspace, workspace);
  staged_.bind(1, import).bind(2, call.source_id).bind(5, kStagedCandidatesMax);
  staged_.bind(3, call.start_ms - kStartsApartMsMax).bind(4, call.start_ms + kStartsApartMsMax);
  TRY(const auto staged, all_rows(staged_, [](const Statement& row) { return read_staged(row); }));
  for (const auto& one : staged) {
    if (!one) return tl::unexpected(one.error());
    const Sameness how = compare(mine, facts_of(*one, platform, workspace, workspace));
    if (how != Sameness::kOther) return Repeated{.call = {}, .import = import, .how = how};
  }
  return std::nullopt;
}

}  // namespace callimport::storage
