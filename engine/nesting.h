#pragma once
// How deep callers' messages may nest. Failures nest without end; protobuf parses a hundred levels, and what the
// service writes down puts some of its own around what came, which it must be able to parse again.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <string_view>

namespace callimport::engine {

inline constexpr int kNestingMax = 90;  ///< levels below the message itself

/// @return false: not such a message, or one that nests deeper than kNestingMax.
inline bool parse_request(std::string_view bytes, google::protobuf::MessageLite* out) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  in.SetRecursionLimit(kNestingMax);
  return out->ParseFromCodedStream(&in) && in.ConsumedEntireMessage();
}

}  // namespace callimport::engine
