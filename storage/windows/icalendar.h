#pragma once
// A window as a calendar that admins subscribe to (RFC 5545): weekly rules in the window's own zones, exceptions taken
// out or put in by their dates.
#include <string>

#include "storage/windows/time_window.h"

namespace callimport::storage {

/// @param name  of the calendar.  @param uid  the same for the same import, so that a calendar read again replaces its
/// events.  @param now  where the rules begin; the rules of each zone are given for kCalendarYears from there.
std::string write_icalendar(const TimeWindow& window, const std::string& name, const std::string& uid, Timestamp now);
inline constexpr int kCalendarYears = 5;

}  // namespace callimport::storage
