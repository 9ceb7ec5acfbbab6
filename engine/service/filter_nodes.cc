#include "engine/service/filter_nodes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <map>

namespace callimport::engine {
namespace {

/// A column's value where it lies in its row.
using ValueView =
    std::variant<std::monostate, std::int64_t, double, bool, std::string_view, const std::vector<std::string>*>;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : std::string(text) + " ") {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || u >= 0x80) {
      word.push_back(static_cast<char>(std::tolower(u)));
    } else if (!word.empty()) {
      out.push_back(std::exchange(word, {}));
    }
  }
  return out;
}

std::optional<double> number_of(const Literal& literal) {
  if (const auto* whole = std::get_if<std::int64_t>(&literal)) return static_cast<double>(*whole);
  if (const auto* fraction = std::get_if<double>(&literal)) return *fraction;
  if (const auto* truth = std::get_if<bool>(&literal)) return *truth ? 1.0 : 0.0;
  const auto& text = std::get<std::string>(literal);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// nullopt: of kinds that never compare; such a comparison matches nothing.
std::optional<std::partial_ordering> order(const ValueView& value, enums::IndexedValueType type,
                                           const Literal& literal) {
  switch (type) {
    case enums::INDEXED_VALUE_TYPE_INT:
    case enums::INDEXED_VALUE_TYPE_DATETIME: {
      const auto* held = std::get_if<std::int64_t>(&value);
      if (held == nullptr) return std::nullopt;
      if (const auto* whole = std::get_if<std::int64_t>(&literal)) return *held <=> *whole;
      const auto other = number_of(literal);
      if (!other) return std::nullopt;
      return static_cast<double>(*held) <=> *other;
    }
    case enums::INDEXED_VALUE_TYPE_DOUBLE: {
      const auto* held = std::get_if<double>(&value);
      const auto other = number_of(literal);
      if (held == nullptr || !other) return std::nullopt;
      return *held <=> *other;
    }
    case enums::INDEXED_VALUE_TYPE_BOOL: {
      const auto* held = std::get_if<bool>(&value);
      if (held == nullptr || std::holds_alternative<std::string>(literal)) return std::nullopt;
      return (*held ? 1.0 : 0.0) <=> *number_of(literal);
    }
    default: {
      const auto* held = std::get_if<std::string_view>(&value);
      const auto* other = std::get_if<std::string>(&literal);
      if (held == nullptr || other == nullptr) return std::nullopt;
      const int sign = held->compare(*other);
      return sign <=> 0;
    }
  }
}

Truth truth(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

/// KeywordList and Text: "contains" any of the literals.
Truth contains_any(const FilterNode& node, const std::vector<std::string>& held) {
  const bool negative = node.op == FilterOp::kNotEqual || node.op == FilterOp::kNotIn;
  const bool is_text = node.type == enums::INDEXED_VALUE_TYPE_TEXT;
  bool found = false;
  for (const auto& literal : node.literals) {
    const auto* text = std::get_if<std::string>(&literal);
    if (text == nullptr) continue;
    const std::vector<std::string> wanted = is_text ? words(*text) : std::vector<std::string>{*text};
    for (const auto& one : wanted) found = found || std::find(held.begin(), held.end(), one) != held.end();
  }
  return truth(found != negative);
}

ValueView attribute(const VisibleRow& row, const std::string& name) {
  for (const auto& [held, value] : row.attributes) {
    if (held != name) continue;
    if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return list;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
    if (const auto* fraction = std::get_if<double>(&value)) return *fraction;
    if (const auto* yes = std::get_if<bool>(&value)) return *yes;
  }
  return {};
}

ValueView column_value(const VisibleRow& row, const FilterNode& node) {
  static const std::vector<std::string> kUnversioned = {"unversioned"};
  const auto when_closed = [&row](std::int64_t value) { return row.closed_ns != 0 ? ValueView(value) : ValueView(); };
  const auto of_family = [&row](std::string VisibleRow::Family::* id) {
    if (row.family == nullptr || (row.family.get()->*id).empty()) return ValueView();
    return ValueView(std::string_view(row.family.get()->*id));
  };
  using Family = VisibleRow::Family;
  switch (node.system) {
    case SystemColumn::kWorkflowId: return std::string_view(row.workflow_id);
    case SystemColumn::kRunId: return std::string_view(row.run_id);
    case SystemColumn::kType: return std::string_view(row.type);
    case SystemColumn::kTaskQueue: return std::string_view(row.task_queue);
    case SystemColumn::kStatus: return status_name(row.status);
    case SystemColumn::kStartTime: return row.start_ns;
    case SystemColumn::kExecutionTime: return row.execution_ns;
    case SystemColumn::kCloseTime: return when_closed(row.closed_ns);
    case SystemColumn::kExecutionDuration: return when_closed(row.closed_ns - row.execution_ns);
    case SystemColumn::kHistoryLength: return when_closed(row.history_length);
    case SystemColumn::kHistorySizeBytes: return when_closed(row.history_bytes);
    case SystemColumn::kStateTransitionCount: return when_closed(row.transitions);
    case SystemColumn::kParentWorkflowId: return of_family(&Family::parent_workflow_id);
    case SystemColumn::kParentRunId: return of_family(&Family::parent_run_id);
    case SystemColumn::kRootWorkflowId:
      return row.family == nullptr ? std::string_view(row.workflow_id) : of_family(&Family::root_workflow_id);
    case SystemColumn::kRootRunId:
      return row.family == nullptr ? std::string_view(row.run_id) : of_family(&Family::root_run_id);
    case SystemColumn::kBuildIds:
      if (row.ran) return &kUnversioned;
      break;
    case SystemColumn::kNone: break;
  }
  return attribute(row, node.column);
}

Truth compare(const FilterNode& node, const VisibleRow& row) {
  const ValueView value = column_value(row, node);
  const bool absent = std::holds_alternative<std::monostate>(value);
  if (node.op == FilterOp::kIsNull) return truth(absent);
  if (node.op == FilterOp::kIsNotNull) return truth(!absent);
  if (absent) return Truth::kUnknown;
  if (const auto* list = std::get_if<const std::vector<std::string>*>(&value)) return contains_any(node, **list);
  const auto* text = std::get_if<std::string_view>(&value);
  if (node.type == enums::INDEXED_VALUE_TYPE_TEXT)
    return text == nullptr ? Truth::kFalse : contains_any(node, words(*text));
  if (node.type == enums::INDEXED_VALUE_TYPE_KEYWORD_LIST) return Truth::kFalse;  // written when it had another type

  const auto ordering = [&](std::size_t i) { return order(value, node.type, node.literals[i]); };
  switch (node.op) {
    case FilterOp::kIn:
    case FilterOp::kNotIn: {
      bool found = false;
      for (std::size_t i = 0; i < node.literals.size(); ++i) {
        const auto o = ordering(i);
        found = found || (o && *o == 0);
      }
      return truth(found == (node.op == FilterOp::kIn));
    }
    case FilterOp::kBetween:
    case FilterOp::kNotBetween: {
      const auto low = ordering(0), high = ordering(1);
      if (!low || !high) return Truth::kFalse;
      return truth((*low >= 0 && *high <= 0) == (node.op == FilterOp::kBetween));
    }
    case FilterOp::kStartsWith:
    case FilterOp::kNotStartsWith: {
      const auto* prefix = std::get_if<std::string>(&node.literals[0]);
      if (text == nullptr || prefix == nullptr) return Truth::kFalse;
      return truth(text->starts_with(*prefix) == (node.op == FilterOp::kStartsWith));
    }
    default: break;
  }
  const auto o = ordering(0);
  if (!o) return Truth::kFalse;
  switch (node.op) {
    case FilterOp::kEqual: return truth(*o == 0);
    case FilterOp::kNotEqual: return truth(*o != 0);
    case FilterOp::kLess: return truth(*o < 0);
    case FilterOp::kLessEqual: return truth(*o <= 0);
    case FilterOp::kGreater: return truth(*o > 0);
    default: return truth(*o >= 0);
  }
}

}  // namespace

SystemColumn system_column(const std::string& name) {
  static const std::map<std::string, SystemColumn, std::less<>> kColumns = {
      {"WorkflowId", SystemColumn::kWorkflowId},
      {"RunId", SystemColumn::kRunId},
      {"WorkflowType", SystemColumn::kType},
      {"TaskQueue", SystemColumn::kTaskQueue},
      {"ExecutionStatus", SystemColumn::kStatus},
      {"StartTime", SystemColumn::kStartTime},
      {"ExecutionTime", SystemColumn::kExecutionTime},
      {"CloseTime", SystemColumn::kCloseTime},
      {"ExecutionDuration", SystemColumn::kExecutionDuration},
      {"HistoryLength", SystemColumn::kHistoryLength},
      {"HistorySizeBytes", SystemColumn::kHistorySizeBytes},
      {"StateTransitionCount", SystemColumn::kStateTransitionCount},
      {"ParentWorkflowId", SystemColumn::kParentWorkflowId},
      {"ParentRunId", SystemColumn::kParentRunId},
      {"RootWorkflowId", SystemColumn::kRootWorkflowId},
      {"RootRunId", SystemColumn::kRootRunId},
      {"BuildIds", SystemColumn::kBuildIds}};
  const auto it = kColumns.find(name);
  return it == kColumns.end() ? SystemColumn::kNone : it->second;
}

Truth evaluate(const FilterNode& node, const VisibleRow& row) {
  switch (node.kind) {
    case FilterNode::Kind::kCompare: return compare(node, row);
    case FilterNode::Kind::kNot: {
      const Truth inner = evaluate(*node.children[0], row);
      return inner == Truth::kUnknown ? inner : truth(inner == Truth::kFalse);
    }
    default: break;
  }
  const bool is_and = node.kind == FilterNode::Kind::kAnd;
  const Truth decisive = is_and ? Truth::kFalse : Truth::kTrue;
  Truth result = is_and ? Truth::kTrue : Truth::kFalse;
  for (const auto& child : node.children) {
    const Truth one = evaluate(*child, row);
    if (one == decisive) return decisive;
    if (one == Truth::kUnknown) result = Truth::kUnknown;
  }
  return result;
}

std::optional<std::int64_t> parse_duration(const std::string& text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1.0}, {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                                                            {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
  std::string_view rest = text;
  double total = 0;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  while (!rest.empty()) {
    double amount = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), amount, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty() && total == 0 && amount == std::floor(amount)) {  // whole ns
      total = amount;
      break;
    }
    std::size_t letters = 0;
    while (letters < rest.size() && std::isalpha(static_cast<unsigned char>(rest[letters])) != 0) ++letters;
    const std::string_view unit = rest.substr(0, letters);
    const auto* known =
        std::find_if(std::begin(kUnits), std::end(kUnits), [unit](const auto& u) { return u.first == unit; });
    if (known == std::end(kUnits)) return std::nullopt;
    total += amount * known->second;
    rest.remove_prefix(letters);
  }
  if (total > 9.2e18) return std::nullopt;
  return static_cast<std::int64_t>(negative ? -total : total);
}

}  // namespace callimport::engine
