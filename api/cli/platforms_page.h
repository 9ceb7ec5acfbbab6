#pragma once
// The platform matrix as text: the page docs/platforms.md, and one platform in detail.
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace callimport::api {

/// docs/platforms.md, whole.
std::string platforms_page();
/// Everything known of one platform, for a terminal.
std::string platform_detail(const nlohmann::json& row);
/// "recordings, transcripts, people; partly summaries"
std::string comes_across_words(const nlohmann::json& row);

}  // namespace callimport::api
