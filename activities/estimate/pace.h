#pragma once
// How fast a running import goes and when it may end (ux X-09), from what was seen of it. Pure but for what it
// remembers: the last looks, and what was said.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "activities/estimate/finish.h"

namespace callimport::activities {

inline constexpr std::int64_t kEnoughCalls = 30, kEnoughMs = 120'000;  ///< before that nothing is foretold

/// How an import stands at one moment. Times are unix ms.
struct Standing {
  std::int64_t now_ms = 0;
  std::int64_t done = 0, pending = 0;  ///< done: through, whatever became of it
  std::int64_t active_ms = 0;          ///< spent fetching so far, without waits
  std::int64_t bulk_done = 0;          ///< of bulk, in the present period of the budget
  std::string waits_for;               ///< dotted cause; empty: it works
  bool person = false;                 ///< it waits for one: nobody knows how long
  bool counting = false;               ///< no bulk is fetched yet: not all calls are known
  std::int64_t until_ms = 0;           ///< of the wait; 0: nobody knows
  storage::TimeWindow window{};
  Budget budget{};
  std::string platform;  ///< its title
  int per_minute = 0;    ///< requests it allows; 0: not told
  double requests_per_call = 3;
};

struct TimeLeft {
  std::optional<std::int64_t> from_ms, to_ms;  ///< of the end; nothing: not enough data yet
  std::string cause;                           ///< of its length, in words; without an end: what it waits for
  double calls_per_minute = 0;
};

/// What will hold a working import up before its end, as far as that can be known now.
struct ComingPause {
  std::int64_t at_ms = 0, goes_on_ms = 0;
  std::string cause;  ///< in words
};
/// Nothing: it waits already, or it ends (`left`) before anything would.
std::optional<ComingPause> next_pause(const Standing& standing, const TimeLeft& left);

/// Of one import. What is said moves only when the reckoning moves by more than a tenth of the time left.
class Pace {
 public:
  Pace() = default;
  /// Goes on from what people were told before a restart: it stands until enough was seen since, or for two minutes.
  explicit Pace(TimeLeft told) : said_(std::move(told)), resuming_(true) {}
  TimeLeft look(const Standing& standing);
  /// As it was said last; nothing before that.
  TimeLeft said() const { return said_.value_or(TimeLeft{}); }

 private:
  struct Point {
    std::int64_t at_ms = 0, done = 0;
  };
  double recent_per_ms() const;

  std::deque<Point> seen_;  ///< of the last minute, while it worked
  bool stands_still(const Standing& standing, bool seen_enough);

  std::optional<TimeLeft> said_;
  bool resuming_ = false;
  std::int64_t resumed_ms_ = 0;  ///< the first look since
};

}  // namespace callimport::activities
