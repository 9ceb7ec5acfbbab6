#pragma once
// What people are told, as text: what happened; what happens next; what they must do. Numbers always come with the
// whole, and no call's title, no person's name from the calls, no secret is in it.
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "activities/import/grade.h"
#include "storage/library/records.h"

namespace callimport::activities {

/// One subject per import, so that mails and messages of one import stay together.
std::string subject_of(const storage::ImportRow& import);
storage::Notification compose_started(const storage::ImportRow& import, bool again, std::int64_t now_ms);
/// @param change  `told` names the kind of notification.
storage::Notification compose_change(const storage::ImportRow& import, const LaneChange& change, std::int64_t now_ms);
/// A person changed the window, or tried to.
storage::Notification compose_window(const storage::ImportRow& import, const WindowInput& asked,
                                     const WindowResult& result, std::int64_t now_ms);
storage::Notification compose_closed(const storage::ImportRow& import, const CloseInput& close, const Verdict& verdict,
                                     const std::vector<storage::Problem>& problems, std::int64_t now_ms);

/// The report of a closed import, JSON: result, counts, gaps by cause (kGapsMax at most), times, grade.
nlohmann::json write_report(const storage::ImportRow& import, const CloseInput& close, const Verdict& verdict,
                            const std::vector<storage::Problem>& problems, std::int64_t now_ms);
inline constexpr std::size_t kGapsMax = 40;

/// What did not come, by cause, in words that customers may read; kGapsMax at most.
nlohmann::json gap_facts(const std::vector<storage::Problem>& problems);

/// 4212 as 4,212.
std::string grouped(std::int64_t number);
/// 3 h 5 min, 40 s.
std::string spoken_duration(std::int64_t ms);

}  // namespace callimport::activities
