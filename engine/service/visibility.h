#pragma once
// What lists show of a run, ready to be compared, in the order in which they show it: open first, then by close time,
// newest first; then by start time, newest first. A row is made when the run begins, changes its attributes or ends, so
// that a list filter reads no protobuf (measured: 100,000 rows in some ms).
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/service/search_attributes.h"
#include "engine/service/transition.pb.h"
#include "storage/journal/journal.h"

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;

inline constexpr const char* kScheduleWorkflowId = "temporal-sys-scheduler:";  ///< lists show it before a schedule's id

struct VisibilityKey {
  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();
  std::int64_t closed_ns = kOpen;
  std::int64_t start_ns = 0;
  storage::RunKey run = 0;
  /// "Comes before in a list".
  friend bool operator<(const VisibilityKey& a, const VisibilityKey& b) {
    if (a.closed_ns != b.closed_ns) return a.closed_ns > b.closed_ns;
    if (a.start_ns != b.start_ns) return a.start_ns > b.start_ns;
    return a.run > b.run;
  }
};

/// What tells the next page where this one ended.
void write_list_token(const VisibilityKey& last, std::string* bytes);
bool read_list_token(const std::string& bytes, VisibilityKey* last);  ///< false: it is no such token

/// A column's value; monostate: absent.
using FilterValue = std::variant<std::monostate, std::int64_t, double, bool, std::string, std::vector<std::string>>;

struct VisibleRow {
  int status = 0;    ///< temporal.api.enums.v1.WorkflowExecutionStatus
  bool ran = false;  ///< a workflow task was completed: BuildIds has "unversioned"
  std::int64_t start_ns = 0, execution_ns = 0, closed_ns = 0;           ///< closed_ns 0: open
  std::int64_t history_length = 0, history_bytes = 0, transitions = 0;  ///< of closed ones
  std::string workflow_id, run_id, type, task_queue;
  struct Family {
    std::string parent_workflow_id, parent_run_id, root_workflow_id, root_run_id;
  };
  std::unique_ptr<Family> family;  ///< of a child; no parent's ids when it has none
  std::vector<std::pair<std::string, FilterValue>> attributes;
};

/// An open run's row. `types` says how its search attributes are read; one it does not know is read as its payload
/// says.
VisibleRow visible_row(const pb::RunFacts& facts, const pb::RunProgress& progress,
                       const temporal::api::common::v1::SearchAttributes& attributes, const SearchTypes& types);
/// The same of a closed one, with what is known at the end.
VisibleRow visible_row(const pb::RunSummary& run, const SearchTypes& types);

using Visibility = std::map<VisibilityKey, VisibleRow>;

}  // namespace callimport::engine
