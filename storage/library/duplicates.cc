#include "storage/library/duplicates.h"

#include <algorithm>
#include <iterator>

#include "storage/library/person_keys.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

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

MeetingFacts facts_of(const Call& call, const std::string& platform, const std::string& workspace) {
  MeetingFacts facts{.platform = platform,
                     .workspace = workspace,
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

}  // namespace

Sameness compare(const MeetingFacts& a, const MeetingFacts& b) {
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
    : near_(db,
            "SELECT number, id, platform, workspace, title, coalesce(media_hash, ''), start_ms,"
            " coalesce(duration_ms, media_duration_ms) FROM call INDEXED BY call_by_age"
            " WHERE start_ms >= ?1 AND start_ms <= ?2 ORDER BY start_ms, id LIMIT ?3"),
      emails_(db, "SELECT email FROM participant WHERE call = ?1 AND email <> ''") {}

Result<std::optional<DuplicateFinder::Repeated>> DuplicateFinder::find(const Call& call, const std::string& platform,
                                                                       const std::string& workspace) {
  const auto mine = facts_of(call, platform, workspace);
  const auto read = [](const Statement& row) {
    return Candidate{.number = row.integer(0),
                     .id = row.text(1),
                     .facts = {.platform = row.text(2),
                               .workspace = row.text(3),
                               .title = row.text(4),
                               .hash = row.text(5),
                               .start_ms = row.integer(6),
                               .length_ms = optional_integer(row, 7),
                               .emails = {}}};
  };
  near_.bind(1, call.start_ms - kStartsApartMsMax).bind(2, call.start_ms + kStartsApartMsMax).bind(3, kCandidatesMax);
  TRY(auto candidates, all_rows(near_, read));
  for (auto& one : candidates) {
    if (!lengths_alike(mine, one.facts)) continue;
    TRY(const auto emails, all_rows(emails_.bind(1, one.number), [](const Statement& row) { return row.text(0); }));
    for (const auto& email : emails) add_email(one.facts.emails, email);
    settle(one.facts.emails);
    const Sameness how = compare(mine, one.facts);
    if (how != Sameness::kOther) return Repeated{std::move(one.id), how};
  }
  return std::nullopt;
}

}  // namespace callimport::storage
