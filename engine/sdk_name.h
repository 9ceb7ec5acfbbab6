#pragma once
// What this worker calls itself: in histories (sdk_metadata, conformance B.7) and in the headers of its calls (A6).
#include <string_view>

namespace callimport::engine {

inline constexpr std::string_view kSdkName = "callimport-cpp";
inline constexpr std::string_view kSdkVersion = "0.1.0";

}  // namespace callimport::engine
