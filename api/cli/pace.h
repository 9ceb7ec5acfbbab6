#pragma once
// How fast an import goes and how long it may still take, from what was seen of it (ux X-09).
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace callimport::api {

/// Times are unix ms. Nothing is said before 30 calls or two minutes were seen; what is said moves only when the
/// estimate moves by more than a tenth.
class Pace {
 public:
  /// @param done  calls that are through, whatever became of them.
  void saw(std::int64_t at_ms, std::int64_t done);
  /// Calls a minute over the last minute seen.
  double per_minute() const;
  /// When it may end, earliest and latest; nothing while not enough was seen or nothing moves.
  struct End {
    std::int64_t from_ms = 0, to_ms = 0;
  };
  std::optional<End> end(std::int64_t pending);

 private:
  struct Point {
    std::int64_t at_ms = 0, done = 0;
  };
  std::deque<Point> seen_;
  Point first_;
  std::optional<End> said_;
};

/// "2h 40m - 3h 30m, about 16:30-17:20", clock times in the zone of this process; "not enough data yet" for nothing.
std::string end_words(const std::optional<Pace::End>& end, std::int64_t now_ms);

}  // namespace callimport::api
