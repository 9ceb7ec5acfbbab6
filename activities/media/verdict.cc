#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "activities/media/child.h"

namespace callimport::activities {
namespace {

/// nlohmann converts any number it is asked for, also one that no int64 can hold.
std::optional<std::int64_t> whole_number(const nlohmann::json& in) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (in.is_number_unsigned() && in.get<std::uint64_t>() > kMost) return std::nullopt;
  return in.is_number_integer() ? std::optional(in.get<std::int64_t>()) : std::nullopt;
}

std::optional<MediaVerdict> verdict_of(const nlohmann::json& in) {
  MediaVerdict verdict;
  const auto bytes = whole_number(in.at("bytes"));
  if (!bytes) return std::nullopt;
  verdict.facts.bytes = *bytes;
  verdict.facts.container = in.at("container").get<std::string>();
  verdict.facts.audio_codec = in.at("audio_codec").get<std::string>();
  verdict.facts.video_codec = in.at("video_codec").get<std::string>();
  verdict.fault_cause = in.at("fault_cause").get<std::string>();
  verdict.fault_message = in.at("fault_message").get<std::string>();
  if (!in.contains("duration_ms")) return verdict;
  verdict.facts.duration_ms = whole_number(in.at("duration_ms"));
  return verdict.facts.duration_ms ? std::optional(std::move(verdict)) : std::nullopt;
}

}  // namespace

std::string write_verdict(const MediaVerdict& verdict) {
  nlohmann::json out = {{"bytes", verdict.facts.bytes},
                        {"container", verdict.facts.container},
                        {"audio_codec", verdict.facts.audio_codec},
                        {"video_codec", verdict.facts.video_codec},
                        {"fault_cause", verdict.fault_cause},
                        {"fault_message", verdict.fault_message}};
  if (verdict.facts.duration_ms) out["duration_ms"] = *verdict.facts.duration_ms;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<MediaVerdict> read_verdict(std::string_view text) {
  try {
    if (auto verdict = verdict_of(nlohmann::json::parse(text))) return std::move(*verdict);
  } catch (const nlohmann::json::exception&) {
  }  // the child is not to be trusted: any answer but a verdict is none
  return fail(Code::kCorrupt, "the media child did not answer with a verdict");
}

}  // namespace callimport::activities
