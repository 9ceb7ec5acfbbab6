#pragma once

namespace callimport::api {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace callimport::api
