#pragma once
// Limits under the names that Temporal's dev server has for them in --dynamic-config-value.
#include <string_view>

#include "engine/embedded.h"
#include "storage/model/result.h"

namespace callimport::api {

/// @param words  KEY=VALUE, the value a whole number in JSON; 0 or less: no limit, where Temporal's keys mean that.
/// @return false: nothing here has that key.  @error kInvalid  not KEY=VALUE, or no value for this key.
Result<bool> set_dynamic_config(std::string_view words, engine::EmbeddedOptions* options);

}  // namespace callimport::api
