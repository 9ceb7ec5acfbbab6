#pragma once
// The report of an import, whole: what came across and what did not, when, why, and how to check it. Stored once at the
// close, made on demand while the import is open. JSON with times as unix ms (`*_ms`) and lengths in seconds (`*_s`):
// at most storage::kReportBytesMax.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "activities/import/grade.h"
#include "activities/import/prices.h"
#include "storage/library/library.h"

namespace callimport::activities {

inline constexpr int kReportVersion = 1;  ///< of the JSON's shape; a reader takes what it knows
/// What customers are promised: the first calls are ready within an hour of the start.
inline constexpr std::int64_t kFirstReadyPromiseMs = 3'600'000;

struct ReportMoment {
  std::int64_t now_ms = 0;
  std::string result;  ///< completed, completed_with_gaps, failed, cancelled; empty: still open
  Prices prices = {};  ///< as they are then: a stored report keeps its cost
};
struct Report {
  nlohmann::json body;
  Verdict verdict;  ///< in the body only once the import is closed: what is still on its way is no gap
};
/// Blocks: reads the whole manifest, a page at a time.  @error kNotFound
Result<Report> make_report(storage::Library& library, const std::string& import, const ReportMoment& moment);
/// The report as stored at the close, or, while the import is open, as it stands.
Result<nlohmann::json> read_report(storage::Library& library, const std::string& import, std::int64_t now_ms,
                                   const Prices& prices = {});

/// Without the names of people, their addresses, and what platforms said of single calls: the form to hand out.
nlohmann::json without_names(nlohmann::json report);

}  // namespace callimport::activities
