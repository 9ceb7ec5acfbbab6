#pragma once
// The parsed filter as a tree, and how a comparison of one column is decided. Internal to the list filter.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/service/list_filter.h"

namespace callimport::engine {

enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };
enum class FilterOp : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kBetween,
  kNotBetween,
  kIsNull,
  kIsNotNull,
  kStartsWith,
  kNotStartsWith
};
/// As written: a whole number, a fraction, a text, or true/false.
using Literal = std::variant<std::int64_t, double, std::string, bool>;

/// Columns that the service fills; kNone: a search attribute.
enum class SystemColumn : std::uint8_t {
  kNone,
  kWorkflowId,
  kRunId,
  kType,
  kTaskQueue,
  kStatus,
  kStartTime,
  kExecutionTime,
  kCloseTime,
  kExecutionDuration,
  kHistoryLength,
  kHistorySizeBytes,
  kStateTransitionCount,
  kParentWorkflowId,
  kParentRunId,
  kRootWorkflowId,
  kRootRunId,
  kBuildIds  ///< a search attribute that has a value by itself
};
SystemColumn system_column(const std::string& name);

struct FilterNode {
  enum class Kind : std::uint8_t { kAnd, kOr, kNot, kCompare };
  Kind kind = Kind::kCompare;
  std::vector<std::unique_ptr<FilterNode>> children;
  std::string column;
  SystemColumn system = SystemColumn::kNone;
  enums::IndexedValueType type = enums::INDEXED_VALUE_TYPE_UNSPECIFIED;
  FilterOp op = FilterOp::kEqual;
  std::vector<Literal> literals;
};

Truth evaluate(const FilterNode& node, const VisibleRow& row);

/// Go's duration text ("1h30m", "1.5s") or whole ns.
std::optional<std::int64_t> parse_duration(const std::string& text);

}  // namespace callimport::engine
