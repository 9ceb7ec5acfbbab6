#include "engine/service/visibility.h"

#include <nlohmann/json.hpp>

#include "engine/service/run_state.h"
#include "engine/service/run_view.h"
#include "storage/model/time.h"

namespace callimport::engine {
namespace {

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

enums::IndexedValueType type_of(const std::string& name, const temporal::api::common::v1::Payload& payload,
                                const SearchTypes& types) {
  if (const auto known = types.find(name); known != types.end()) return known->second;
  const auto said = payload.metadata().find("type");
  return said == payload.metadata().end() ? enums::INDEXED_VALUE_TYPE_KEYWORD : search_type_of(said->second);
}

}  // namespace

bool read_list_token(const std::string& bytes, VisibilityKey* last) {
  pb::ListToken token;
  if (!token.ParseFromString(bytes) || token.run() == 0) return false;
  *last = {token.closed_ns(), token.start_ns(), token.run()};
  return true;
}

void write_list_token(const VisibilityKey& last, std::string* bytes) {
  pb::ListToken token;
  token.set_closed_ns(last.closed_ns);
  token.set_start_ns(last.start_ns);
  token.set_run(last.run);
  token.SerializeToString(bytes);
}

VisibleRow visible_row(const pb::RunFacts& facts, const pb::RunProgress& progress,
                       const temporal::api::common::v1::SearchAttributes& attributes, const SearchTypes& types) {
  VisibleRow row;
  row.status = shown_status(progress);
  row.ran = progress.first_completed_event_id() != 0;
  row.start_ns = facts.start_ns();
  row.execution_ns = execution_time_ns(facts);
  row.closed_ns = progress.closed_ns();
  row.workflow_id = facts.workflow_id();
  row.run_id = facts.run_id();
  row.type = facts.type();
  row.task_queue = facts.task_queue();
  const bool root = facts.root_run_id().empty();
  if (facts.has_parent() || !root) {
    row.family = std::make_unique<VisibleRow::Family>();
    row.family->parent_workflow_id = facts.parent().workflow_id();
    row.family->parent_run_id = facts.parent().run_id();
    row.family->root_workflow_id = root ? facts.workflow_id() : facts.root_workflow_id();
    row.family->root_run_id = root ? facts.run_id() : facts.root_run_id();
  }
  for (const auto& [name, payload] : attributes.indexed_fields()) {
    FilterValue value = payload_value(payload, type_of(name, payload, types));
    if (!std::holds_alternative<std::monostate>(value)) row.attributes.emplace_back(name, std::move(value));
  }
  return row;
}

VisibleRow visible_row(const pb::RunSummary& run, const SearchTypes& types) {
  VisibleRow row = visible_row(run.facts(), run.progress(), run.search_attributes(), types);
  row.history_length = run.history_length();
  row.history_bytes = run.history_size_bytes();
  row.transitions = run.transitions();
  return row;
}

}  // namespace callimport::engine
