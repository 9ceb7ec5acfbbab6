#pragma once
// A report as one page that needs nothing else: no script, no request, styles and chart inside. Light and dark, from
// 320 px on, on paper too. All text that came from elsewhere is escaped.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace callimport::api {

/// @param report  as GetReport gives it; fields that are absent are left out.
std::string report_html(const nlohmann::json& report);

/// Text for HTML, inside elements and inside quoted attributes: nothing in it is markup, control characters and bidi
/// overrides become a visible stand-in.
std::string html_text(std::string_view text);

}  // namespace callimport::api
