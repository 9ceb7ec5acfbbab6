#pragma once
// What a person reads in the morning instead of messages: what needs them, what finished, what runs, what waits. And
// the customer's, once a week.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "activities/notify/people.h"
#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kDigest = "digest";  ///< kind; the key is the person
inline constexpr const char* kWeekly = "weekly";  ///< kind; the key is the workspace
inline constexpr int kDigestMinute = 8 * 60 + 30;
inline constexpr int kMonday = 1;
inline constexpr std::size_t kDigestLinesMax = 30;  ///< of each part; more are counted
inline constexpr std::int64_t kSoonMs = 15 * 60 * 1'000;

/// When imports are expected to be done, as people were last told: by id, those that lie ahead.
using Promises = std::map<std::string, std::int64_t>;
/// Whether the digest of a person tells of an import: owner, approver or watcher of all.
bool follows(const Roster& roster, const Person& person, const storage::ImportRow& import);

/// Every person's and customer's next digest that is not on the agenda.
Turn digests_planned(const Roster& roster, const std::vector<storage::AgendaRow>& known, std::int64_t now_ms);
/// It is time. Nothing is said when there is nothing to say; `held` more records were kept back for it.
/// @param imports  open ones, and those closed since the digest before
Turn digest_due(const storage::AgendaRow& known, const Roster& roster, const std::vector<storage::ImportRow>& imports,
                std::int64_t now_ms, const Promises& promises = {});
/// More than the hourly guard takes: the digest comes sooner, and once an hour the person is told that it does (N-07).
Turn digest_soon(const std::optional<storage::AgendaRow>& known, const Person& person, std::int64_t now_ms);

}  // namespace callimport::activities
