#pragma once
// Messages of callimport.v1 as JSON (times ISO 8601, durations in seconds) and as CSV rows: the same columns
// everywhere.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

namespace v1 = ::callimport::v1;

nlohmann::json shape(const v1::Import& import);
nlohmann::json shape(const v1::ImportCall& call);
nlohmann::json shape(const v1::Problem& problem);
nlohmann::json shape(const v1::TimelineEntry& entry);
nlohmann::json shape(const v1::Notification& notification);
nlohmann::json shape(const v1::Call& call);
nlohmann::json shape(const v1::SearchHit& hit);
nlohmann::json shape(const v1::Credential& credential);
/// One line or indented; invalid UTF-8 is replaced.
std::string dump(const nlohmann::json& json, int indent = -1);

std::vector<std::string> csv_head_of_imports();
std::vector<std::string> csv_of(const v1::Import& import);
std::vector<std::string> csv_head_of_import_calls();
std::vector<std::string> csv_of(const v1::ImportCall& call);
std::vector<std::string> csv_head_of_calls();
std::vector<std::string> csv_of(const v1::Call& call);

/// The lane the import shows: the more urgent (table.h has the order); once closed, the bulk lane holds the end.
const v1::LaneStatus& shown_lane(const v1::Import& import);

}  // namespace callimport::api
