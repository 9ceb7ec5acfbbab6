#pragma once
// The words of a report, shared by the terminal and the page; the report on a terminal; its JSON for others.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace callimport::api {

std::string report_time(std::int64_t unix_ms);  ///< 2026-11-21 18:49
std::string report_title(const nlohmann::json& report);
std::string report_place(const nlohmann::json& report);  ///< platform, workspace, import
std::string report_grade(const nlohmann::json& report);  ///< Grade: Good; or that the import is still open
std::string report_asked(const nlohmann::json& report);
/// Name and value, in the order they are read.
std::vector<std::pair<std::string, std::string>> report_facts(const nlohmann::json& report);

/// For a terminal of `width` columns; 0: nothing is cut.
std::string report_text(const nlohmann::json& report, std::size_t width);

/// Times as ISO 8601 in UTC: `closed_ms` becomes `closed`, at every depth.
nlohmann::json with_iso_times(const nlohmann::json& value);

}  // namespace callimport::api
