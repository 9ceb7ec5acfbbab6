#pragma once
// What an import will take, from what was seen of the workspace: figures, their doubt, and what they rest on. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "activities/estimate/finish.h"
#include "activities/estimate/past.h"
#include "activities/import/contract.h"
#include "activities/import/prices.h"
#include "activities/import/spread.h"
#include "activities/platforms/platform.h"
#include "storage/library/records.h"

namespace callimport::activities {

inline constexpr double kTransferBytesPerSecond = 25e6;  ///< 200 Mbit/s, assumed
inline constexpr double kDoubtWithoutPast = 1.3;         ///< the latest end is so much later than the limits alone say

/// Both ends belong to it.
struct Span {
  double from = 0, to = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// What list pages and a few recordings told.
struct Seen {
  CallSpread::Guess calls;      ///< how many there are
  int pages = 0;                ///< read
  std::int64_t page_calls = 0;  ///< on the largest page
  // Of the calls on these pages, each once:
  std::int64_t looked_at = 0, audio = 0, video = 0, transcript_only = 0, unusable = 0, known = 0, with_length = 0;
  std::int64_t length_ms = 0;                  ///< of those with one, together
  std::int64_t recorded = 0, recorded_ms = 0;  ///< of these, with a recording: only they bring bytes
  // Of the recordings asked for their size:
  int sized = 0;
  std::int64_t sized_bytes = 0, sized_ms = 0;
  int per_minute = 0;  ///< requests the platform allows now, by its own headers; 0: it does not tell
};

struct NotComing {
  std::string cause;
  std::int64_t calls = 0;
  std::string text;
};

struct Estimate {
  Span calls;                 ///< found
  double to_import = 0;       ///< of them, likely: without those the library has and those that cannot be asked for
  std::optional<Span> hours;  ///< of recorded time; nothing: no call told its length
  std::optional<Span> bytes;  ///< of recordings; nothing: no recording could be measured
  Span requests;              ///< to the platform's API
  std::string day_share;      ///< of the platform's daily quota, in words
  std::optional<Span> duration_ms;  ///< nothing: no limit is known to reckon with
  std::optional<Span> first_ms;     ///< until the first lane is there
  std::string cause;                ///< of the length
  std::optional<Span> cost;
  std::string currency, cost_text;  ///< of what it is made up, or why there is none
  std::vector<NotComing> not_coming;
  std::string basis, confidence, accuracy;  ///< confidence: high, medium, low
};

/// What the start would meet.
struct Terms {
  Prices prices{};
  Budget budget{};
  storage::TimeWindow window{};  ///< of bulk
  Timestamp start{};
};
Estimate estimate_of(const Platform& platform, const ImportInput& ask, const Seen& seen, const Past& past,
                     const Terms& terms);
/// What `start` keeps of it.
Prediction prediction_of(const Estimate& estimate);

}  // namespace callimport::activities
