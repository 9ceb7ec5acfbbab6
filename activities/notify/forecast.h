#pragma once
// What rules would have made of records that are there (N-09, ST-01): all of them are routed once more, by the same
// rules on their own clock, in a library of their own. Nothing is sent.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "activities/notify/people.h"
#include "activities/notify/wishes.h"
#include "storage/library/library.h"
#include "storage/library/mutes.h"

namespace callimport::activities {

inline constexpr int kForecastRecordsMax = 10'000;
inline constexpr std::int64_t kWeekMs = 7 * 24 * 3'600'000ll;

/// What one recipient would have got on one channel. Changes of a root message are none.
struct Foretold {
  std::string channel, recipient, name;
  bool customer = false;
  std::int64_t messages = 0;
  std::int64_t act = 0;      ///< of these, wanted somebody to act
  std::int64_t records = 0;  ///< that they carry: what came merged counts each
};

struct ForecastOrder {
  std::int64_t from_ms = 0, until_ms = 0;
  std::vector<storage::Notification> records;  ///< of that time, oldest first; those of the rules' own are made anew
  std::vector<storage::ImportRow> imports;     ///< that they are of, and those that digests tell of
  std::vector<storage::MuteRow> mutes;         ///< that hold now
  std::function<std::vector<ChannelView>(const storage::Notification&)> views;
};

/// By channel and recipient. Blocks, for seconds where there are thousands of records.
/// @param scratch  empty, and of no use afterwards
Result<std::vector<Foretold>> forecast(storage::Library& scratch, const Roster& roster, const ForecastOrder& order);

}  // namespace callimport::activities
