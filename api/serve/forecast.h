#pragma once
// What rules would have sent in the last seven days (N-09), counted from the house's records.
#include <string>

#include "api/proto/callimport/v1/callimport.pb.h"
#include "api/serve/house.h"

namespace callimport::api {

/// Blocks; any thread of the pool. Writes a library of its own beside the house's, and removes it.
/// @param rules  a configuration; empty: the rules in force
/// @error kInvalid  the configuration, as parse_config says it
Result<::callimport::v1::ForecastMessagesResponse> forecast_week(House& house, const std::string& rules);

}  // namespace callimport::api
