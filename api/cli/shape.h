#pragma once
// Messages of callimport.v1 as JSON: times ISO 8601, durations in seconds.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "api/cli/sheet.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

namespace v1 = ::callimport::v1;

nlohmann::json shape(const v1::Import& import);
nlohmann::json shape(const v1::ImportCall& call);
nlohmann::json shape(const v1::Problem& problem);
nlohmann::json shape(const v1::StageTime& stage);
nlohmann::json shape(const v1::Attempt& attempt);
nlohmann::json shape(const v1::TimelineEntry& entry);
nlohmann::json shape(const v1::Notification& notification);
nlohmann::json shape(const v1::Call& call);
nlohmann::json shape(const v1::SearchHit& hit);
nlohmann::json shape(const v1::Credential& credential);
nlohmann::json shape(const v1::Budget& budget);
nlohmann::json shape(const v1::QuarantinedFile& file);
/// One line or indented; invalid UTF-8 is replaced.
std::string dump(const nlohmann::json& json, int indent = -1);

/// The columns in CSV of an import, of a call in its manifest, and of its problems: the same on all platforms.
const std::vector<Column>& import_columns();
const std::vector<Column>& import_call_columns();
const std::vector<Column>& problem_columns();
/// Columns whose head is their path.
std::vector<Column> plain_columns(const std::vector<std::string>& names);

/// The lane the import shows: the more urgent (table.h has the order); once closed, the bulk lane holds the end.
const v1::LaneStatus& shown_lane(const v1::Import& import);

}  // namespace callimport::api
