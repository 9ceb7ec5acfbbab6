#include "engine/history/json_shape.h"

#include <nlohmann/json.hpp>
#include <string>

namespace callimport::engine {
namespace {

namespace pb = google::protobuf;

/// Length of the UTF-8 sequence at `at` (RFC 3629), 0 when it is none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(at + i < text.size() ? text[at + i] : 0); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first == 0xe0) return follows(1, 0xa0) && follows(2) ? 3 : 0;
  if (first == 0xed) return follows(1, 0x80, 0x9f) && follows(2) ? 3 : 0;
  if (first >= 0xe1 && first <= 0xef) return follows(1) && follows(2) ? 3 : 0;
  if (first == 0xf0) return follows(1, 0x90) && follows(2) && follows(3) ? 4 : 0;
  if (first >= 0xf1 && first <= 0xf3) return follows(1) && follows(2) && follows(3) ? 4 : 0;
  if (first == 0xf4) return follows(1, 0x80, 0x8f) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

tl::unexpected<Error> refused(const char* what, std::size_t at) {
  return fail(Code::kInvalid, std::string(what) + " at byte " + std::to_string(at));
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t held = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (k < held ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= held ? kDigits[(group >> (18 - 6 * k)) & 63u] : '=';
  }
  return text;
}

nlohmann::json payload_of(const nlohmann::json& value) {
  return {{"metadata", {{"encoding", base64("json/plain")}}}, {"data", base64(value.dump())}};
}

bool is_payload(const nlohmann::json& value) {
  return value.is_object() && (value.empty() || value.contains("metadata") || value.contains("data"));
}

/// The Web UI's decoded download keeps the encoding, adds its readable form, and writes JSON data as JSON.
void undo_decoding(nlohmann::json& payload) {
  const auto metadata = payload.find("metadata");
  if (metadata == payload.end() || !metadata->is_object() || metadata->erase("encodingDecoded") == 0) return;
  if (payload.contains("data")) payload["data"] = base64(payload["data"].dump());
}

void make_enum_plain(nlohmann::json& value, const pb::EnumDescriptor& type) {
  if (!value.is_string()) return;
  const auto& text = value.get_ref<const std::string&>();
  if (type.FindValueByName(text) != nullptr) return;
  const std::string& zero = type.FindValueByNumber(0)->name();
  const std::string prefix = zero.substr(0, zero.rfind("UNSPECIFIED"));
  std::string name = long_enum_name(prefix, text);
  value = type.FindValueByName(name) != nullptr ? std::move(name) : zero;
}

void make_value_plain(nlohmann::json& value, const pb::FieldDescriptor& field) {
  if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_ENUM) {
    make_enum_plain(value, *field.enum_type());
  } else if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
    make_plain(value, *field.message_type());
  }
}

void make_field_plain(nlohmann::json& value, const pb::FieldDescriptor& field) {
  if (field.is_map()) {
    if (!value.is_object()) return;
    for (auto& entry : value) make_value_plain(entry, *field.message_type()->map_value());
  } else if (field.is_repeated()) {
    if (!value.is_array()) return;
    for (auto& element : value) make_value_plain(element, field);
  } else {
    make_value_plain(value, field);
  }
}

}  // namespace

Result<> check_json_bounds(std::string_view text) {
  std::size_t depth = 0, tokens = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return refused("not UTF-8", at);
    const char c = text[at];
    if (in_string) {
      if (c == '\\') {
        ++at;  // the escaped character is skipped with its backslash
        if (at < text.size() && utf8_length(text, at) == 0) return refused("not UTF-8", at);
        if (at < text.size()) at += utf8_length(text, at) - 1;
      }
      if (c == '"') in_string = false;
    } else {
      if (c == '"') in_string = true;
      if (c == '{' || c == '[') {
        if (++depth > kJsonDepthMax) return refused("JSON nested deeper than 100 levels", at);
      }
      if ((c == '}' || c == ']') && depth > 0) --depth;
      if ((c == '{' || c == '[' || c == ',') && ++tokens > kJsonTokensMax) {
        return refused("JSON with more than 10,000,000 values", at);
      }
    }
    at += c == '\\' && in_string ? 1 : length;
  }
  return {};
}

std::string long_enum_name(std::string_view prefix, std::string_view short_name) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string name(prefix);
  for (std::size_t i = 0; i < short_name.size(); ++i) {
    const bool next_lower = i + 1 < short_name.size() && !upper(short_name[i + 1]);
    if (i > 0 && upper(short_name[i]) && (!upper(short_name[i - 1]) || next_lower)) name += '_';
    const char c = short_name[i];
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

void make_plain(nlohmann::json& json, const pb::Descriptor& type) {
  if (type.full_name() == "temporal.api.common.v1.Payloads" && json.is_array()) {
    nlohmann::json payloads = nlohmann::json::array();
    for (const auto& value : json) payloads.push_back(payload_of(value));
    json = {{"payloads", std::move(payloads)}};
    return;
  }
  if (type.full_name() == "temporal.api.common.v1.Payload" && !is_payload(json)) {
    json = payload_of(json);
    return;
  }
  if (type.full_name() == "temporal.api.common.v1.Payload") undo_decoding(json);
  if (!json.is_object()) return;  // times and durations are texts
  for (auto& [key, value] : json.items()) {
    const auto* field = type.FindFieldByCamelcaseName(key);
    if (field == nullptr) field = type.FindFieldByName(key);
    if (field != nullptr && !value.is_null()) make_field_plain(value, *field);
  }
}

}  // namespace callimport::engine
