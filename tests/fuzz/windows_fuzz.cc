// A window in words that nobody meant: refused, or one whose answers agree with each other.
#include "storage/model/ensure.h"
#include "storage/windows/icalendar.h"
#include "storage/windows/time_window.h"

using callimport::storage::TimeWindow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto window = TimeWindow::parse(text, "Australia/Lord_Howe");
  if (!window) {
    ENSURE(!window.error().message.empty());
    return 0;
  }
  // The first edge of daylight saving of that zone in 2026 lies within the days that follow.
  const auto now = callimport::parse_utc("2026-04-03T09:30:00Z").value();
  const auto opens = window->next_opening(now);
  if (opens) {
    ENSURE(*opens >= now && window->is_open(*opens));
    const auto closes = window->closes_at(*opens);
    ENSURE(!closes || (*closes > *opens && !window->is_open(*closes)));
  }
  ENSURE(write_icalendar(*window, "a", "b", now).ends_with("END:VCALENDAR\r\n"));
  return 0;
}
