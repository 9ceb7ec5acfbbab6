#pragma once
// ID-04: calls per minute over time with the waits shaded and named, as an SVG inside of a page.
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace callimport::api {

/// Colours come from the page's style (classes bar, wait, axis). Each reason has a letter in the chart and stands under
/// it in words, so that colour alone says nothing.
std::string report_chart(const nlohmann::json& report);

}  // namespace callimport::api
