#pragma once
// JSON from strangers. nlohmann builds whatever it is given; here its depth is bounded before it is built, and fields
// are read by the type we expect, absent when they are of another.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::activities {

inline constexpr int kJsonDepthMax = 64;

/// Bytes that are no UTF-8 and escapes that are half a surrogate pair are replaced by U+FFFD, so that one broken name
/// does not hide a page of calls.
/// @error kInvalid  no JSON, or nested deeper than kJsonDepthMax; says which, quotes nothing.
Result<nlohmann::json> parse_json(std::string_view text);

/// The text without what is not UTF-8, U+FFFD in its place.
std::string repair_utf8(std::string_view text);

/// JSON whose strings name no half of a surrogate pair (RFC 8259, 8.2): `\ufffd` in its place.
std::string repair_surrogates(std::string_view text);

/// Null when `object` is none, or has no such member.
const nlohmann::json* find_member(const nlohmann::json& object, std::string_view name);
/// Empty when absent, null or no string.
std::string text_of(const nlohmann::json& object, std::string_view name);
/// Whole numbers of up to 2^53 either way; nullopt when absent or no such number.
std::optional<std::int64_t> whole_number_of(const nlohmann::json& object, std::string_view name);
std::optional<bool> switch_of(const nlohmann::json& object, std::string_view name);
/// nullopt also for times no Timestamp can hold.
std::optional<Timestamp> time_of(const nlohmann::json& object, std::string_view name);

}  // namespace callimport::activities
