#pragma once
// What a timeline says of an import: how long each stage took, what it waited for and when. Fed change by change, so
// that it holds a line a stage and a reason, however long the timeline is.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/library/records.h"
#include "storage/model/result.h"

namespace callimport::storage {

struct StageTime {
  std::int64_t duration_ms = 0;  ///< while a lane was in it; two lanes at once count once
  std::int64_t waited_ms = 0;    ///< of it: no lane in it was running
};
struct WaitTime {
  std::int64_t total_ms = 0;  ///< both lanes at once count once
  std::int64_t times = 0;
};
struct WaitSpan {
  std::string reason;
  std::int64_t from_ms = 0, to_ms = 0;
};

struct CourseEnd {
  std::map<std::string, StageTime> stages;
  std::map<std::string, WaitTime> waits;  ///< by reason; a person's pause is "paused"
  std::vector<WaitSpan> spans;            ///< by start; the longest kWaitSpansMax
  std::int64_t open_ms = 0;               ///< with at least one lane not ended
  std::int64_t waited_ms = 0;             ///< of it: no lane was running
};
inline constexpr std::size_t kWaitSpansMax = 200;
inline constexpr std::size_t kReasonsMax = 100;  ///< further ones are counted as "other"

/// Changes come in the order of the timeline. A clock that was set back adds nothing, never less than nothing.
class Course {
 public:
  void add(const StageChange& change);
  /// As of `now_ms`: what is still open lasts until then.
  CourseEnd end(std::int64_t now_ms);

 private:
  std::set<std::string> reasons_now() const;
  void pass(std::int64_t now_ms);
  void close_spans(const std::set<std::string>& still, std::int64_t now_ms);

  std::array<std::optional<LaneRow>, 2> lanes_;
  std::int64_t at_ms_ = 0;
  bool began_ = false;
  std::map<std::string, std::int64_t> open_spans_;  ///< reason, since
  CourseEnd so_far_;
};

/// A stage as `show` and the report tell of it.
struct StageFacts {
  std::string stage;
  std::int64_t duration_ms = 0, waited_ms = 0;
  std::optional<std::int64_t> calls;       ///< it has dealt with; nothing where it does not count calls
  std::optional<double> calls_per_minute;  ///< while it did not wait; nothing below a second of work
};
/// All six, in their order. `staged`: calls fetched and not in the library yet.
std::vector<StageFacts> stage_facts(const CourseEnd& course, const Counters& counters, std::int64_t staged);

class Library;
/// Reads the timeline, a page at a time. Blocks.  @error kNotFound
Result<CourseEnd> course_of(Library& library, const std::string& import, std::int64_t now_ms);
/// Calls of both lanes that are staged.
Result<std::int64_t> staged_calls(Library& library, const std::string& import);

}  // namespace callimport::storage
