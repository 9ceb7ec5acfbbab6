#include "engine/service/search_attributes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "storage/model/time.h"

namespace callimport::engine {
namespace {

using temporal::api::common::v1::Payload;
using Json = nlohmann::json;

constexpr std::pair<const char*, enums::IndexedValueType> kTypeNames[] = {
    {"Text", enums::INDEXED_VALUE_TYPE_TEXT},
    {"Keyword", enums::INDEXED_VALUE_TYPE_KEYWORD},
    {"Int", enums::INDEXED_VALUE_TYPE_INT},
    {"Double", enums::INDEXED_VALUE_TYPE_DOUBLE},
    {"Bool", enums::INDEXED_VALUE_TYPE_BOOL},
    {"Datetime", enums::INDEXED_VALUE_TYPE_DATETIME},
    {"KeywordList", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST}};

/// How many attributes of a type a namespace may add: the columns of Temporal's SQL stores.
constexpr std::pair<enums::IndexedValueType, int> kColumns[] = {
    {enums::INDEXED_VALUE_TYPE_BOOL, 3},        {enums::INDEXED_VALUE_TYPE_DATETIME, 3},
    {enums::INDEXED_VALUE_TYPE_DOUBLE, 3},      {enums::INDEXED_VALUE_TYPE_INT, 3},
    {enums::INDEXED_VALUE_TYPE_TEXT, 3},        {enums::INDEXED_VALUE_TYPE_KEYWORD, 10},
    {enums::INDEXED_VALUE_TYPE_KEYWORD_LIST, 3}};

std::string column_name(enums::IndexedValueType type, int number) {
  return std::string(search_type_name(type)) + (number < 10 ? "0" : "") + std::to_string(number);
}

bool fits_one(enums::IndexedValueType type, const Json& value) {
  switch (type) {
    case enums::INDEXED_VALUE_TYPE_TEXT:
    case enums::INDEXED_VALUE_TYPE_KEYWORD: return value.is_string();
    case enums::INDEXED_VALUE_TYPE_INT: return value.is_number_integer();
    case enums::INDEXED_VALUE_TYPE_DOUBLE: return value.is_number();
    case enums::INDEXED_VALUE_TYPE_BOOL: return value.is_boolean();
    case enums::INDEXED_VALUE_TYPE_DATETIME:
      return value.is_string() && parse_utc(value.get_ref<const std::string&>()).has_value();
    default: return false;
  }
}

bool fits(enums::IndexedValueType type, const Json& value) {
  if (type == enums::INDEXED_VALUE_TYPE_KEYWORD_LIST) {
    if (value.is_string()) return true;
    return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); });
  }
  if (value.is_array() && value.size() == 1)
    return fits_one(type, value.front());  // a list of one is taken as its element
  return fits_one(type, value);
}

/// As Temporal prints what it could not take: a list is [a b].
std::string shown(const Payload& payload, const Json& value) {
  if (value.is_discarded()) return payload.data();
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return payload.data();
  std::string out;
  for (const auto& one : value)
    out += (out.empty() ? "" : " ") + (one.is_string() ? one.get<std::string>() : one.dump());
  return "[" + out + "]";
}

/// C.16.
std::optional<std::string> size_error(const std::vector<std::string>& names,
                                      const temporal::api::common::v1::SearchAttributes& attributes) {
  constexpr std::size_t kNamesMax = 100, kValueBytesMax = 2 << 10, kTotalBytesMax = 40 << 10;
  const auto compare = [](std::size_t size, std::size_t limit) {
    return std::to_string(size) + " exceeds size limit " + std::to_string(limit);
  };
  if (names.size() > kNamesMax) {
    return "number of search attributes " + std::to_string(names.size()) + " exceeds limit " +
           std::to_string(kNamesMax);
  }
  std::size_t total = 0;
  for (const auto& name : names) {
    const std::size_t size = attributes.indexed_fields().at(name).data().size();
    if (size > kValueBytesMax) return "search attribute " + name + " value size " + compare(size, kValueBytesMax);
    total += name.size() + size;
  }
  if (total > kTotalBytesMax) return "total size of search attributes " + compare(total, kTotalBytesMax);
  return std::nullopt;
}

/// A `type` that a client wrote stays, whatever it says: readers go by the namespace's.
void fill_type(enums::IndexedValueType type, Payload* payload) {
  payload->mutable_metadata()->try_emplace("type", std::string(search_type_name(type)));
}

}  // namespace

std::string_view search_type_name(enums::IndexedValueType type) {
  for (const auto& [name, value] : kTypeNames) {
    if (value == type) return name;
  }
  return "Unspecified";
}

enums::IndexedValueType search_type_of(std::string_view name) {
  for (const auto& [known, value] : kTypeNames) {
    if (name == known) return value;
  }
  return enums::INDEXED_VALUE_TYPE_UNSPECIFIED;
}

SearchTypes settable_search_attributes(const std::map<std::string, std::string>& registered) {
  SearchTypes out = {{"BatcherNamespace", enums::INDEXED_VALUE_TYPE_KEYWORD},
                     {"BatcherUser", enums::INDEXED_VALUE_TYPE_KEYWORD},
                     {"BinaryChecksums", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
                     {"BuildIds", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
                     {"TemporalChangeVersion", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
                     {"TemporalNamespaceDivision", enums::INDEXED_VALUE_TYPE_KEYWORD},
                     {"TemporalPauseInfo", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
                     {"TemporalReportedProblems", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
                     {"TemporalSchedulePaused", enums::INDEXED_VALUE_TYPE_BOOL},
                     {"TemporalScheduledById", enums::INDEXED_VALUE_TYPE_KEYWORD},
                     {"TemporalScheduledStartTime", enums::INDEXED_VALUE_TYPE_DATETIME},
                     {"TemporalWorkerDeployment", enums::INDEXED_VALUE_TYPE_KEYWORD},
                     {"TemporalWorkerDeploymentVersion", enums::INDEXED_VALUE_TYPE_KEYWORD},
                     {"TemporalWorkflowVersioningBehavior", enums::INDEXED_VALUE_TYPE_KEYWORD}};
  for (const auto& [name, type] : registered) {
    for (const auto& [known, value] : kTypeNames) {
      if (type == known) out[name] = value;
    }
  }
  return out;
}

SearchTypes raw_columns() {
  SearchTypes out;
  for (const auto& [type, count] : kColumns) {
    for (int i = 1; i <= count; ++i) out[column_name(type, i)] = type;
  }
  return out;
}

std::map<std::string, std::string> custom_columns(const google::protobuf::Map<std::string, std::int32_t>& custom) {
  std::map<std::string, std::string> out;
  std::map<enums::IndexedValueType, int> used;
  for (const auto& [name, type] : std::map<std::string, std::int32_t>(custom.begin(), custom.end())) {
    const auto of = static_cast<enums::IndexedValueType>(type);
    out[column_name(of, ++used[of])] = name;
  }
  return out;
}

std::optional<std::string> search_attribute_limit(const google::protobuf::Map<std::string, std::int32_t>& custom) {
  std::map<std::int32_t, int> used;
  for (const auto& [name, type] : custom) ++used[type];
  for (const auto& [type, count] : used) {
    int limit = 0;
    for (const auto& [column, columns] : kColumns) {
      if (column == type) limit = columns;
    }
    if (count <= limit) continue;
    return "Unable to create search attributes: cannot have more than " + std::to_string(limit) +
           " search attribute of type " + std::string(search_type_name(static_cast<enums::IndexedValueType>(type))) +
           ".";
  }
  return std::nullopt;
}

bool is_reserved_attribute(const std::string& name) {
  static const SearchTypes kPredefined = settable_search_attributes({});
  return system_search_attributes().contains(name) || kPredefined.contains(name);
}

const SearchTypes& system_search_attributes() {
  static const SearchTypes kSystem = {
      {"WorkflowId", enums::INDEXED_VALUE_TYPE_KEYWORD},       {"RunId", enums::INDEXED_VALUE_TYPE_KEYWORD},
      {"WorkflowType", enums::INDEXED_VALUE_TYPE_KEYWORD},     {"StartTime", enums::INDEXED_VALUE_TYPE_DATETIME},
      {"ExecutionTime", enums::INDEXED_VALUE_TYPE_DATETIME},   {"CloseTime", enums::INDEXED_VALUE_TYPE_DATETIME},
      {"ExecutionStatus", enums::INDEXED_VALUE_TYPE_KEYWORD},  {"TaskQueue", enums::INDEXED_VALUE_TYPE_KEYWORD},
      {"HistoryLength", enums::INDEXED_VALUE_TYPE_INT},        {"HistorySizeBytes", enums::INDEXED_VALUE_TYPE_INT},
      {"ExecutionDuration", enums::INDEXED_VALUE_TYPE_INT},    {"StateTransitionCount", enums::INDEXED_VALUE_TYPE_INT},
      {"ParentWorkflowId", enums::INDEXED_VALUE_TYPE_KEYWORD}, {"ParentRunId", enums::INDEXED_VALUE_TYPE_KEYWORD},
      {"RootWorkflowId", enums::INDEXED_VALUE_TYPE_KEYWORD},   {"RootRunId", enums::INDEXED_VALUE_TYPE_KEYWORD}};
  return kSystem;
}

std::optional<std::string> check_search_attributes(const std::string& name_space, const SearchTypes& types,
                                                   temporal::api::common::v1::SearchAttributes* attributes) {
  std::vector<std::string> names;
  for (const auto& [name, payload] : attributes->indexed_fields()) names.push_back(name);
  std::sort(names.begin(), names.end());  // the map has no order; the first error must be the same each time
  for (const auto& name : names) {
    if (system_search_attributes().contains(name)) return name + " attribute can't be set in SearchAttributes";
    const auto type = types.find(name);
    if (type == types.end()) {
      return "Namespace " + (name_space.empty() ? "default" : name_space) +
             " has no mapping defined for search attribute " + name;
    }
    Payload& payload = (*attributes->mutable_indexed_fields())[name];
    fill_type(type->second, &payload);
    if (is_null_payload(payload)) continue;
    const Json value = Json::parse(payload.data(), nullptr, false);
    if (value.is_discarded() || !fits(type->second, value)) {
      return "invalid value for search attribute " + name + " of type " + std::string(search_type_name(type->second)) +
             ": " + shown(payload, value);
    }
  }
  return size_error(names, *attributes);
}

void fill_types(const SearchTypes& types, temporal::api::common::v1::SearchAttributes* attributes) {
  for (auto& [name, payload] : *attributes->mutable_indexed_fields()) {
    if (const auto type = types.find(name); type != types.end()) fill_type(type->second, &payload);
  }
}

temporal::api::common::v1::Payload keyword_list(const std::vector<std::string>& words) {
  temporal::api::common::v1::Payload out;
  (*out.mutable_metadata())["encoding"] = "json/plain";
  (*out.mutable_metadata())["type"] = "KeywordList";
  out.set_data(nlohmann::json(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return out;
}

bool is_null_payload(const Payload& payload) {
  const auto encoding = payload.metadata().find("encoding");
  if (encoding != payload.metadata().end() && encoding->second == "binary/null") return true;
  return payload.data().empty() || payload.data() == "null" || payload.data() == "[]";
}

void merge_fields(const google::protobuf::Map<std::string, Payload>& from,
                  google::protobuf::Map<std::string, Payload>* into) {
  for (const auto& [key, payload] : from) {
    if (is_null_payload(payload)) {
      into->erase(key);
    } else {
      (*into)[key] = payload;
    }
  }
}

}  // namespace callimport::engine
