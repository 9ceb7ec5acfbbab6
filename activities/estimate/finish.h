#pragma once
// When bulk will be through, given how fast it goes while it may: windows and our own budget stand in its way. One
// reckoning for the estimate before a start and for the time left of a running import. Pure.
#include <cstdint>
#include <optional>
#include <string>

#include "storage/model/time.h"
#include "storage/windows/time_window.h"

namespace callimport::activities {

/// Our own limit.
struct Budget {
  std::int64_t calls = 5'000;           ///< of bulk; 0: none
  std::int64_t period_ms = 43'200'000;  ///< in which they may be fetched
};

/// "our own budget of 5,000 calls in 12 h"
std::string budget_words(const Budget& budget);

struct BulkWork {
  double calls = 0;
  double ms_per_call = 0;      ///< while nothing stands in the way
  double left_in_period = -1;  ///< of the budget, now; negative: all of it
};

/// Where the time goes; together they are end - start.
struct Finish {
  Timestamp end{};
  Nanos working{0}, closed{0}, over_budget{0};
};

inline constexpr int kTurnsMax = 10'000;  ///< openings and periods looked through; further away is never

/// Nothing: the window does not open often enough for it ever to end.
std::optional<Finish> finish_of(Timestamp start, const BulkWork& work, const storage::TimeWindow& window,
                                const Budget& budget);

}  // namespace callimport::activities
