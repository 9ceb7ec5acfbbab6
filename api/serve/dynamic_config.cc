#include "api/serve/dynamic_config.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

namespace callimport::api {
namespace {

using Options = engine::EmbeddedOptions;

struct Limit {
  std::string_view key;
  std::variant<int Options::*, std::size_t Options::*> where;
  bool zero_is_none = false;
};
constexpr Limit kLimits[] = {
    {"limit.historyCount.error", &Options::history_events_max},
    {"limit.historyCount.suggestContinueAsNew", &Options::history_events_suggest},
    {"limit.historySize.error", &Options::history_bytes_max},
    {"limit.historySize.suggestContinueAsNew", &Options::history_bytes_suggest},
    {"limit.mutableStateSize.error", &Options::state_bytes_max},
    {"limit.blobSize.error", &Options::blob_bytes_max},
    {"limit.blobSize.warn", &Options::blob_bytes_warn},
    {"limit.memoSize.error", &Options::memo_bytes_max},
    {"limit.numPendingActivities.error", &Options::pending_activities_max, true},
    {"limit.numPendingChildExecutions.error", &Options::pending_children_max, true},
    {"limit.numPendingSignals.error", &Options::pending_signals_max, true},
    {"limit.numPendingCancelRequests.error", &Options::pending_cancels_max, true},
    {"history.maximumSignalsPerExecution", &Options::signals_max, true},
    {"history.maximumBufferedEventsBatch", &Options::buffered_events_max},
    {"history.maximumBufferedEventsSizeInBytes", &Options::buffered_bytes_max},
    {"history.maxInFlightUpdates", &Options::updates_in_flight_max, true},
    {"history.maxInFlightUpdatePayloads", &Options::updates_in_flight_bytes_max, true},
    {"history.maxTotalUpdates", &Options::updates_max, true},
};
constexpr std::int64_t kNone = std::numeric_limits<int>::max() / 16;  // leaves room for what is counted by tenths

}  // namespace

Result<bool> set_dynamic_config(std::string_view words, Options* options) {
  const auto sign = words.find('=');
  if (sign == std::string_view::npos || sign == 0) {
    return fail(Code::kInvalid, "a dynamic configuration value is KEY=VALUE");
  }
  for (const auto& limit : kLimits) {
    if (limit.key != words.substr(0, sign)) continue;
    const auto value = nlohmann::json::parse(words.substr(sign + 1), nullptr, false);
    if (!value.is_number_integer()) return fail(Code::kInvalid, fmt::format("{} is a whole number", limit.key));
    auto number = value.get<std::int64_t>();
    if (number <= 0 && limit.zero_is_none) number = kNone;
    if (number < 0 || number > std::numeric_limits<int>::max()) {
      return fail(Code::kInvalid, fmt::format("{} is from 0 to {}", limit.key, std::numeric_limits<int>::max()));
    }
    if (const auto* as_int = std::get_if<int Options::*>(&limit.where)) {
      options->** as_int = static_cast<int>(number);
    } else {
      options->*std::get<std::size_t Options::*>(limit.where) = static_cast<std::size_t>(number);
    }
    return true;
  }
  return false;
}

}  // namespace callimport::api
