#pragma once
// One pass over an import's manifest, in pages: calls by month and by user, hours, and a sample to look at. Memory does
// not grow with the import.
#include <cstdint>
#include <string>
#include <vector>

#include "activities/import/grade.h"
#include "storage/library/library.h"

namespace callimport::activities {

struct UserTally {
  std::string user, name;  ///< empty: nobody says who recorded them
  std::int64_t found = 0, registered = 0;
};
struct SampledCall {
  std::string source_id, call;
  std::int64_t start_ms = 0, duration_ms = 0;
};

struct ReportScan {
  std::vector<MonthTally> months;  ///< oldest first; what is out of kMonthsMax is the row "other", the last
  std::vector<UserTally> users;    ///< most calls first; what is beyond kUsersShown is the row kOtherUsers, the last
  std::vector<SampledCall> sample;
  std::int64_t registered_ms = 0;  ///< length of all registered calls
};
inline constexpr const char* kOtherUsers = "others";
inline constexpr std::size_t kMonthsMax = 240;
inline constexpr std::size_t kUsersShown = 100, kUsersCounted = 2'000;
inline constexpr std::size_t kSampleCalls = 10;

/// Registered calls of the sample are chosen by the import's id alone: the same import asks for the same calls.
/// Blocks; holds the library for a page at a time.
Result<ReportScan> scan_for_report(storage::Library& library, const std::string& import);

}  // namespace callimport::activities
