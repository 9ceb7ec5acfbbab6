#pragma once
// Time zones of the system's database (tzdata): what local clocks show, and when that changes.
#include <cstdint>
#include <optional>
#include <string>

#include "storage/model/time.h"

namespace date {
class time_zone;
}

namespace callimport {

/// A zone of the system's database, or UTC. Copies are cheap; lives as long as the process. Threads: any.
class TimeZone {
 public:
  TimeZone() = default;  ///< UTC
  /// By IANA name; "", "UTC" and "Local" (a service has no place of its own) are UTC. @return nothing: no such zone.
  static std::optional<TimeZone> find(const std::string& name);

  /// One stretch of time in which the offset from UTC does not change.
  struct Stretch {
    std::int64_t offset = 0;  ///< seconds east of UTC
    std::int64_t end = 0;     ///< unix seconds, exclusive
  };
  Stretch at(std::int64_t unix_seconds) const;

  /// When clocks there show `local` (seconds since 1970 as if there were no zones): the first time where they show it
  /// twice; where they never do, the moment at which they jump over it.
  std::int64_t moment_of(std::int64_t local) const;

 private:
  const date::time_zone* zone_ = nullptr;  ///< null: UTC
};

/// The IANA name of a zone that is spelled most like `name`: the same one in other letters, or one few letters away.
/// Empty when none is near.
std::string nearest_zone(const std::string& name);

/// The name of the zone this machine is set to; "UTC" where that cannot be told.
std::string machine_zone();

/// As clocks there show it: `2026-12-24 20:00`, with seconds only where there are some.
std::string format_local(Timestamp at, const TimeZone& zone);

}  // namespace callimport
