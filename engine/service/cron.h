#pragma once
// Cron expressions as Temporal's server takes them (conformance C.5, C7, C10): five fields, @every and the other
// descriptors, with CRON_TZ= or TZ= before them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/service/calendar.h"

namespace callimport::engine {

struct CronSchedule {
  std::int64_t every_seconds = 0;  ///< @every; 0: the fields count
  CalendarFields fields;
  TimeZone zone;
};

/// Five fields: minute 0-59, hour 0-23, day of month 1-31, month 1-12 or jan-dec, day of week 0-6 or sun-sat; each a
/// list of
/// `*`, `?`, `n`, `a-b`, with `/step`. @return nothing: not an expression.
std::optional<CronSchedule> parse_cron(std::string_view text);

/// What is wrong with an expression that somebody sent, in Temporal's words; nothing for an empty one.
std::optional<std::string> cron_error(const std::string& text, std::int64_t now_ns);

/// The first moment after `after_ns`, in whole seconds. Unix ns. @return nothing: there is none in five years.
std::optional<std::int64_t> next_after(const CronSchedule& cron, std::int64_t after_ns);

/// From `now_ns` to the first moment after `scheduled_ns` that is not past, in whole seconds, rounded up. Nanoseconds.
/// @param scheduled_ns  when the run before was due; in the future: that moment again.
std::optional<std::int64_t> cron_backoff(const CronSchedule& cron, std::int64_t scheduled_ns, std::int64_t now_ns);

}  // namespace callimport::engine
