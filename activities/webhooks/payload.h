#pragma once
// What a message says: CloudEvents 1.0 in JSON, thin: ids, states and counts. No title, no person, no link that opens
// anything by itself. docs/webhooks.md is the contract; a change of it counts kPayloadVersion up.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/library/webhooks.h"

namespace callimport::activities {

inline constexpr int kPayloadVersion = 1;
inline constexpr int kCallsPerMessage = 50;

struct PayloadSource {
  std::string library;    ///< its id: events of two installations are told apart by it
  std::string link_base;  ///< what links begin with, without a slash at its end
};

/// What every message has around its data.
struct EventHead {
  std::string id, type, subject;
  std::int64_t at_ms = 0;
};

/// Of a record. `moment`: how the import stood then; absent for one of no import.
std::string import_payload(const PayloadSource& source, const EventHead& head, const std::string& event,
                           const std::optional<storage::Moment>& moment);
/// @param calls  1..kCallsPerMessage
std::string calls_payload(const PayloadSource& source, const EventHead& head,
                          const std::vector<storage::RegisteredCall>& calls);
/// The same of calls that changed since, each with what: details, words, media.
std::string changes_payload(const PayloadSource& source, const EventHead& head,
                            const std::vector<storage::ChangedCall>& changes);
std::string test_payload(const PayloadSource& source, const EventHead& head, const std::string& asked_by);

}  // namespace callimport::activities
