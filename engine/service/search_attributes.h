#pragma once
// Search attributes: which exist, of which type, and whether a payload fits (conformance C7, C.13).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/common.pb.h"

namespace callimport::engine {

namespace enums = ::temporal::api::enums::v1;
using SearchTypes = std::map<std::string, enums::IndexedValueType>;

/// Settable ones: Temporal's predefined, and `registered` (name -> Keyword, Text, ...).
SearchTypes settable_search_attributes(const std::map<std::string, std::string>& registered);
/// Columns the service fills itself (WorkflowId, StartTime, ...).
const SearchTypes& system_search_attributes();
std::string_view search_type_name(enums::IndexedValueType type);  ///< Keyword, Text, ...
enums::IndexedValueType search_type_of(std::string_view name);    ///< UNSPECIFIED: no such

/// Predefined or a column of the service's own: no one may add or remove it.
bool is_reserved_attribute(const std::string& name);
/// Names as Temporal's SQL stores have them: Bool01, Keyword10, ... All there are, and those that a namespace's custom
/// attributes take up.
SearchTypes raw_columns();
std::map<std::string, std::string> custom_columns(const google::protobuf::Map<std::string, std::int32_t>& custom);
/// @return what is wrong with so many, in Temporal's words.
std::optional<std::string> search_attribute_limit(const google::protobuf::Map<std::string, std::int32_t>& custom);

/// Fills metadata `type` in each payload that has none. @return what is wrong, in Temporal's words.
std::optional<std::string> check_search_attributes(const std::string& name_space, const SearchTypes& types,
                                                   temporal::api::common::v1::SearchAttributes* attributes);

/// Metadata `type` of those that were not checked here, because a workflow or an earlier run set them.
void fill_types(const SearchTypes& types, temporal::api::common::v1::SearchAttributes* attributes);

/// A payload without data removes its key (upserts of memo and search attributes).
void merge_fields(const google::protobuf::Map<std::string, temporal::api::common::v1::Payload>& from,
                  google::protobuf::Map<std::string, temporal::api::common::v1::Payload>* into);
/// A KeywordList as describes show it, metadata `type` and all.
temporal::api::common::v1::Payload keyword_list(const std::vector<std::string>& words);
bool is_null_payload(const temporal::api::common::v1::Payload& payload);

}  // namespace callimport::engine
