#pragma once
#include <string>

namespace callimport::api {

/// spdlog to stderr. @param format  text, or json: one object a line with time, level, message.
void set_up_log(const std::string& level, const std::string& format);

}  // namespace callimport::api
