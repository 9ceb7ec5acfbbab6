#pragma once
// What must hold of foreign JSON before a parser sees it, and what is made plain before protobuf's parser sees it.
#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "storage/model/result.h"

namespace callimport::engine {

inline constexpr std::size_t kJsonDepthMax = 100;          ///< protobuf's own limit
inline constexpr std::size_t kJsonTokensMax = 10'000'000;  ///< brackets, braces and commas: bounds the tree in memory

/// One pass, constant memory.  @error kInvalid  not UTF-8, nested too deep, or too many values; with the byte.
Result<> check_json_bounds(std::string_view text);

/// Rewrites `json`, which is to become a message of `type`: enum values in the old short form
/// (`WorkflowExecutionStarted`, decided per value) to today's names, enum values nobody knows to the enum's zero,
/// payloads in the CLI's shorthand or decoded by the Web UI to payload messages.
void make_plain(nlohmann::json& json, const google::protobuf::Descriptor& type);

/// `EVENT_TYPE_` + `StartToClose` -> `EVENT_TYPE_START_TO_CLOSE`.
std::string long_enum_name(std::string_view prefix, std::string_view short_name);

}  // namespace callimport::engine
