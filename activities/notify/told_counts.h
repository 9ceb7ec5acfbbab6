#pragma once
// What became of records on their way to people and to programs, and how long it took, since the process began: what a
// scrape of its metrics asks for.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace callimport::activities {

inline constexpr std::string_view kWebhookChannel = "webhook";
inline constexpr std::string_view kNoWeight = "none";  ///< of what goes to programs: nothing of it waits for company

/// One record in one message to one recipient, after an attempt that is written down.
struct Told {
  std::string_view channel;  ///< log, mail, slack, webhook
  std::string_view kind;     ///< the record's event; of a webhook the message's type
  std::string_view weight;   ///< routine, important, act, none
  std::string_view result;   ///< sent, put_off (tried again), bounced (that recipient never takes it), failed
  std::int64_t delay_ms;     ///< since the record
};
inline constexpr std::size_t kToldKindsMax = 200;  ///< what comes after them is of the kind "other"

/// Upper bounds of the buckets in seconds; a last one is for all that take longer. Routine news wait ten minutes for
/// company, nights are quiet, and an outage of a channel lasts a day at most.
inline constexpr std::array kToldBuckets = {0.1,  0.25,  0.5,   1.0,     2.0,      5.0,     15.0,
                                            60.0, 300.0, 900.0, 3'600.0, 21'600.0, 86'400.0};
struct ToldDelays {
  std::array<std::uint64_t, kToldBuckets.size() + 1> counts{};  ///< by bucket, each by itself
  double seconds = 0;                                           ///< of all together
};

struct ToldCounts {
  std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t> by_result;  ///< channel, kind, result
  std::map<std::pair<std::string, std::string>, ToldDelays> delays;                      ///< channel, weight: of sent
};
/// Threads: any.
void count_told(const Told& told);
ToldCounts told_counts();

}  // namespace callimport::activities
