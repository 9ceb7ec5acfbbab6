#pragma once
// Causes that keep calls from coming are told when they are new, gone or back: once each, from ten calls or a hundredth
// of the import on.
#include <vector>

#include "activities/notify/turn.h"
#include "storage/library/library.h"
#include "storage/library/telling.h"

namespace callimport::activities {

inline constexpr const char* kProblem = "problem";  ///< kind on the agenda; the key is import and cause
inline constexpr std::int64_t kProblemCalls = 10, kProblemPercent = 1;

/// @param known  what was told of this import.  @param problems  its failed calls by cause, as they stand
Turn problem_news(const storage::ImportRow& import, const std::vector<storage::AgendaRow>& known,
                  const std::vector<storage::Problem>& problems, std::int64_t now_ms);
/// Inside the transaction in which calls failed of these causes, or (none) the last pending ones came in: what is to be
/// told is recorded. Answers whether anything was. Failed calls are counted only while one of the causes is not told.
Result<bool> tell_problems(storage::LibraryTx& tx, const std::string& import, const std::vector<std::string>& causes,
                           std::int64_t now_ms);

}  // namespace callimport::activities
