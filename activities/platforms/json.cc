#include "activities/platforms/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace callimport::activities {
namespace {
using nlohmann::json;
constexpr std::int64_t kExactMax = 1ll << 53;

/// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none (RFC 3629).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// The unit that `\\uXXXX` at the start of `text` names; 0 when there is no such escape.
unsigned escaped_unit(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return 0;
  unsigned unit = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  return error == std::errc{} && end == text.data() + 6 ? unit : 0;
}

/// True when no bracket outside of strings lies deeper than `depth_max`.
bool is_shallow(std::string_view text, int depth_max) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return true;
}
}  // namespace

std::string repair_utf8(std::string_view text) {
  std::string good;
  good.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0)
      good += "\xef\xbf\xbd";
    else
      good += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return good;
}

std::string repair_surrogates(std::string_view text) {
  std::string good;
  good.reserve(text.size());
  while (!text.empty()) {
    const unsigned unit = escaped_unit(text);
    std::size_t length = text[0] == '\\' ? 2 : 1;  // an escaped backslash begins no escape
    if (unit != 0) length = 6;
    const bool high = unit >= 0xd800 && unit <= 0xdbff, low = unit >= 0xdc00 && unit <= 0xdfff;
    const unsigned next = high ? escaped_unit(text.substr(6)) : 0;
    if (next >= 0xdc00 && next <= 0xdfff) length = 12;
    good += low || (high && length == 6) ? R"(\ufffd)" : text.substr(0, length);
    text.remove_prefix(std::min(length, text.size()));
  }
  return good;
}

Result<json> parse_json(std::string_view text) {
  if (!is_shallow(text, kJsonDepthMax))
    return fail(Code::kInvalid, "JSON nested deeper than " + std::to_string(kJsonDepthMax));
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) value = json::parse(repair_surrogates(repair_utf8(text)), nullptr, false);
  if (value.is_discarded()) return fail(Code::kInvalid, "not JSON");
  return value;
}

const json* find_member(const json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json& object, std::string_view name) {
  const json* member = find_member(object, name);
  return member != nullptr && member->is_string() ? member->get<std::string>() : std::string();
}

std::optional<std::int64_t> whole_number_of(const json& object, std::string_view name) {
  const json* member = find_member(object, name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  const double value = member->get<double>();
  if (!(std::abs(value) <= static_cast<double>(kExactMax)) || std::floor(value) != value) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<bool> switch_of(const json& object, std::string_view name) {
  const json* member = find_member(object, name);
  if (member == nullptr || !member->is_boolean()) return std::nullopt;
  return member->get<bool>();
}

std::optional<Timestamp> time_of(const json& object, std::string_view name) {
  const json* member = find_member(object, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  const auto& text = member->get_ref<const std::string&>();
  const auto time = parse_utc(text);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace callimport::activities
