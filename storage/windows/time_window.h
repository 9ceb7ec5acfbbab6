#pragma once
// When an import may take its bulk: weekly windows in time zones, with dated exceptions, in people's words.
//
//   nights                                    every day from 20:00 to 06:00, in the customer's zone
//   always
//   weekdays 20:00-06:00 America/New_York     days, then times, then a zone where it is another than the customer's
//   weekends; mon-thu 22:00-05:00             several, each after a semicolon; days alone are whole days
//   closed 2026-12-24..2026-12-26             whole days on which nothing runs
//   open 2026-12-27 08:00-12:00               dated hours on which it runs besides
//
// Zones are kept by their IANA names and never as offsets. A local time that a change of the clock leaves out moves
// forward to the moment of the change; of one that comes twice the first counts.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"
#include "storage/model/time.h"
#include "storage/runtime/time_zone.h"

namespace callimport::storage {

inline constexpr std::size_t kWindowBytesMax = 1'000, kWindowRulesMax = 40;
inline constexpr int kExceptionDaysMax = 366;  ///< of one exception
inline constexpr const char* kWindowNights = "nights";
inline constexpr const char* kWindowAlways = "always";

struct ZoneName {
  std::string name;
  TimeZone zone;
};

/// Minutes after the midnight of a day, `to` beyond 24 * 60 where the hours go on into the next day.
struct WindowHours {
  int from = 0, to = 24 * 60;
};

/// Every week, on each of `weekdays` (bit 0 Sunday).
struct WeeklyHours {
  std::uint8_t weekdays = 0x7f;
  WindowHours hours;
  ZoneName zone;
};

/// On each day from `first` to `last`, counted since 1970. A closing takes whole days.
struct DatedHours {
  bool open = false;
  std::int64_t first = 0, last = 0;
  WindowHours hours;
  ZoneName zone;
};

/// Unix seconds, `to` exclusive.
struct Stretch {
  std::int64_t from = 0, to = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// A value; every question is a pure function of it and the moment asked about. Threads: any.
class TimeWindow {
 public:
  TimeWindow() = default;  ///< always
  /// @param zone  the customer's: of all parts that name none. Empty: UTC.
  /// @error kInvalid  words that are none, a zone that does not exist (with the nearest that does), two exceptions that
  /// overlap, or a window that has no hours at all; a sentence for people.
  static Result<TimeWindow> parse(std::string_view text, const std::string& zone);

  bool always() const { return always_ && dated_.empty(); }
  /// Open at all times but for its closings.
  bool open_all_week() const { return always_; }
  bool is_open(Timestamp at) const;
  /// `at` itself while it is open; nothing: never again.
  std::optional<Timestamp> next_opening(Timestamp at) const;
  /// When the opening that `at` lies in ends; nothing while it is closed, and when no end is in sight (kHorizonDays).
  std::optional<Timestamp> closes_at(Timestamp at) const;
  /// Open stretches that touch [from, to), in order, apart from each other, cut to it.
  std::vector<Stretch> openings(std::int64_t from, std::int64_t to) const;

  /// The customer's zone.
  const ZoneName& zone() const { return zone_; }
  /// Weekly hours; a window that is always open has none.
  const std::vector<WeeklyHours>& weekly() const { return weekly_; }
  const std::vector<DatedHours>& dated() const { return dated_; }

 private:
  bool always_ = true;
  ZoneName zone_{"UTC", {}};
  std::vector<WeeklyHours> weekly_;
  std::vector<DatedHours> dated_;
};

inline constexpr int kHorizonDays = 800;  ///< how far ahead an end or an opening is looked for

/// The stretch that hours take on a day; empty (from == to) where a change of the clock leaves nothing of it.
Stretch stretch_on(std::int64_t day, const WindowHours& hours, const TimeZone& zone);
/// 0 Sunday.
int weekday_of(std::int64_t day);
/// 2026-12-24 as days since 1970; nothing: no such day, or a year before 2000 or after 2199.
std::optional<std::int64_t> parse_day(std::string_view text);
std::string format_day(std::int64_t day);

/// A moment as the customer and anybody read it: "2026-12-24 20:00 Europe/Madrid (19:00 UTC)".
std::string spoken_moment(Timestamp at, const ZoneName& zone);

}  // namespace callimport::storage
