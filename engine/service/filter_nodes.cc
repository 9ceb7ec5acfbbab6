#include "engine/service/filter_nodes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <nlohmann/json.hpp>

#include "engine/service/run_state.h"
#include "engine/service/run_view.h"
#include "storage/model/time.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text + " ") {
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
std::optional<std::partial_ordering> order(const FilterValue& value, enums::IndexedValueType type,
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
      const auto* held = std::get_if<std::string>(&value);
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

Truth compare(const FilterNode& node, const pb::RunSummary& run) {
  const FilterValue value = column_value(run, node.column, node.type);
  const bool absent = std::holds_alternative<std::monostate>(value);
  if (node.op == FilterOp::kIsNull) return truth(absent);
  if (node.op == FilterOp::kIsNotNull) return truth(!absent);
  if (absent) return Truth::kUnknown;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return contains_any(node, *list);
  if (node.type == enums::INDEXED_VALUE_TYPE_TEXT) return contains_any(node, words(std::get<std::string>(value)));

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
      const auto* held = std::get_if<std::string>(&value);
      const auto* prefix = std::get_if<std::string>(&node.literals[0]);
      if (held == nullptr || prefix == nullptr) return Truth::kFalse;
      return truth(held->starts_with(*prefix) == (node.op == FilterOp::kStartsWith));
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

FilterValue payload_value(const temporal::api::common::v1::Payload& payload, enums::IndexedValueType type) {
  nlohmann::json json = nlohmann::json::parse(payload.data(), nullptr, false);
  if (json.is_discarded() || json.is_null()) return {};
  if (json.is_array() && json.size() == 1 && type != enums::INDEXED_VALUE_TYPE_KEYWORD_LIST)
    json = nlohmann::json(json.front());
  switch (type) {
    case enums::INDEXED_VALUE_TYPE_INT: return json.is_number() ? FilterValue(json.get<std::int64_t>()) : FilterValue();
    case enums::INDEXED_VALUE_TYPE_DOUBLE: return json.is_number() ? FilterValue(json.get<double>()) : FilterValue();
    case enums::INDEXED_VALUE_TYPE_BOOL: return json.is_boolean() ? FilterValue(json.get<bool>()) : FilterValue();
    case enums::INDEXED_VALUE_TYPE_DATETIME: {
      const auto time = json.is_string() ? parse_utc(json.get<std::string>()) : fail(Code::kInvalid, "");
      return time ? FilterValue(to_unix_ns(*time)) : FilterValue();
    }
    case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST: {
      std::vector<std::string> list;
      if (json.is_string()) list.push_back(json.get<std::string>());
      for (const auto& one : json) {
        if (json.is_array() && one.is_string()) list.push_back(one.get<std::string>());
      }
      return list;
    }
    default: return json.is_string() ? FilterValue(json.get<std::string>()) : FilterValue();
  }
}

std::string status_name(int status) {
  std::string name = enums::WorkflowExecutionStatus_Name(static_cast<enums::WorkflowExecutionStatus>(status));
  constexpr std::string_view kPrefix = "WORKFLOW_EXECUTION_STATUS_";
  name.erase(0, kPrefix.size());
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      out.push_back(upper ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      upper = false;
    }
  }
  return out;
}

}  // namespace

FilterValue column_value(const pb::RunSummary& run, const std::string& column, enums::IndexedValueType type) {
  const auto& facts = run.facts();
  const bool closed = run.progress().closed_ns() != 0;
  const bool root = facts.root_run_id().empty();
  if (column == "WorkflowId" || (root && column == "RootWorkflowId")) return facts.workflow_id();
  if (column == "RunId" || (root && column == "RootRunId")) return facts.run_id();
  if (column == "RootWorkflowId") return facts.root_workflow_id();
  if (column == "RootRunId") return facts.root_run_id();
  if (column == "WorkflowType") return facts.type();
  if (column == "TaskQueue") return facts.task_queue();
  if (column == "ExecutionStatus") return status_name(shown_status(run.progress()));
  if (column == "StartTime") return facts.start_ns();
  if (column == "ExecutionTime") return execution_time_ns(facts);
  if (column == "ParentWorkflowId" && facts.has_parent()) return facts.parent().workflow_id();
  if (column == "ParentRunId" && facts.has_parent()) return facts.parent().run_id();
  if (column == "ParentWorkflowId" || column == "ParentRunId") return {};
  if (column == "CloseTime") return closed ? FilterValue(run.progress().closed_ns()) : FilterValue();
  if (column == "HistoryLength") return closed ? FilterValue(run.history_length()) : FilterValue();
  if (column == "HistorySizeBytes") return closed ? FilterValue(run.history_size_bytes()) : FilterValue();
  if (column == "StateTransitionCount") return closed ? FilterValue(run.transitions()) : FilterValue();
  if (column == "ExecutionDuration") {
    return closed ? FilterValue(run.progress().closed_ns() - execution_time_ns(facts)) : FilterValue();
  }
  if (column == "BuildIds" && run.progress().first_completed_event_id() != 0)
    return std::vector<std::string>{"unversioned"};
  const auto it = run.search_attributes().indexed_fields().find(column);
  if (it == run.search_attributes().indexed_fields().end()) return {};
  return payload_value(it->second, type);
}

Truth evaluate(const FilterNode& node, const pb::RunSummary& run) {
  switch (node.kind) {
    case FilterNode::Kind::kCompare: return compare(node, run);
    case FilterNode::Kind::kNot: {
      const Truth inner = evaluate(*node.children[0], run);
      return inner == Truth::kUnknown ? inner : truth(inner == Truth::kFalse);
    }
    default: break;
  }
  const bool is_and = node.kind == FilterNode::Kind::kAnd;
  const Truth decisive = is_and ? Truth::kFalse : Truth::kTrue;
  Truth result = is_and ? Truth::kTrue : Truth::kFalse;
  for (const auto& child : node.children) {
    const Truth one = evaluate(*child, run);
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
