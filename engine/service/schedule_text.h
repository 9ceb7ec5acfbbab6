#pragma once
// The one form of a schedule's spec (conformance C.15): whatever a client wrote, calendars of text and cron strings
// become structured calendars or intervals, with every default said. Errors are Temporal's words.
#include <string>
#include <tl/expected.hpp>

#include "temporal/api/schedule/v1/message.pb.h"

namespace callimport::engine {

using ScheduleSpec = ::temporal::api::schedule::v1::ScheduleSpec;
using StructuredCalendar = ::temporal::api::schedule::v1::StructuredCalendarSpec;

inline constexpr std::size_t kCalendarCommentBytesMax = 200;

/// Calendars: fields of text such as `*`, `9`, `1-5`, `*/15`, `mon-fri`, with commas between them. Cron strings: five
/// to seven fields, `@daily` and its like, `@every 90m/30m` with a phase; `CRON_TZ=` or `TZ=` before, a comment after
/// `#`. Time zones are not looked up here.
tl::expected<ScheduleSpec, std::string> canonical_spec(const ScheduleSpec& asked);

}  // namespace callimport::engine
