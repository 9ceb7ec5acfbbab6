#pragma once
// Text that must be UTF-8 because a protobuf string holds it: what is not would be written, and never read again.
#include <string>
#include <string_view>

namespace temporal::api::failure::v1 {
class Failure;
}

namespace callimport::engine {

bool is_utf8(std::string_view text);
/// Each byte that belongs to no character becomes U+FFFD.
std::string to_utf8(std::string_view text);
/// `failure` when all its texts are UTF-8, else `*repaired` made from it. Vendors' error texts come this way.
const temporal::api::failure::v1::Failure& readable(const temporal::api::failure::v1::Failure& failure,
                                                    temporal::api::failure::v1::Failure* repaired);

}  // namespace callimport::engine
