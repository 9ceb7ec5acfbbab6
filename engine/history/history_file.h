#pragma once
// Exported histories as people have them: protobuf JSON (with today's or the old CamelCase enum names, decided per
// value),
// {"events": []}, {"history": {...}}, [history, ...], [event, ...], binary History, each also gzipped.
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"

namespace temporal::api::history::v1 {
class History;
class HistoryEvent;
}  // namespace temporal::api::history::v1

namespace callimport::engine {

inline constexpr std::size_t kHistoryFileBytesMax = 64u << 20;  ///< after decompression

/// Format is told from the first bytes. Events come in ascending order. Unknown JSON fields are dropped; unknown event
/// types are kept as EVENT_TYPE_UNSPECIFIED.  @error kInvalid  says what is wrong and where.
Result<std::vector<temporal::api::history::v1::History>> read_histories(std::string_view bytes);
/// What `temporal workflow show -o json` writes: {"events": [...]}, protobuf JSON, indented.
std::string write_json(const temporal::api::history::v1::History& history);
std::string write_binary(const temporal::api::history::v1::History& history);

}  // namespace callimport::engine
