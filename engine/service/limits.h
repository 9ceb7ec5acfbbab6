#pragma once
// What a run may grow to (conformance C.16), and what becomes of a single blob that is too large.
#include <google/protobuf/map.h>

#include <cstddef>
#include <optional>
#include <string>

#include "engine/embedded.h"
#include "engine/service/draft.h"

namespace temporal::api::common::v1 {
class Payload;
}

namespace callimport::engine {

/// Why the run, should it stay open, is to be ended instead of taking this draft; nullopt: it has room. The size of its
/// history counts without the draft, as the server counts it: the change after the one that went beyond is the one
/// refused.
/// @param more_events  follow in the same change.
std::optional<std::string> growth_error(const Draft& draft, const EmbeddedOptions& options, int more_events = 0);
/// More waits behind the started task than may (C.2).
bool buffers_too_much(const Draft& draft, const EmbeddedOptions& options);

/// Names and data of a memo or of search attributes, as the server counts them.
std::size_t fields_bytes(const google::protobuf::Map<std::string, temporal::api::common::v1::Payload>& fields);

}  // namespace callimport::engine
