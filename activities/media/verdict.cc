#include <nlohmann/json.hpp>

#include "activities/media/child.h"

namespace callimport::activities {

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
    const auto in = nlohmann::json::parse(text);
    MediaVerdict verdict;
    verdict.facts.bytes = in.at("bytes").get<std::int64_t>();
    verdict.facts.container = in.at("container").get<std::string>();
    verdict.facts.audio_codec = in.at("audio_codec").get<std::string>();
    verdict.facts.video_codec = in.at("video_codec").get<std::string>();
    verdict.fault_cause = in.at("fault_cause").get<std::string>();
    verdict.fault_message = in.at("fault_message").get<std::string>();
    if (in.contains("duration_ms")) verdict.facts.duration_ms = in["duration_ms"].get<std::int64_t>();
    return verdict;
  } catch (const nlohmann::json::exception&) {
  }  // the child is not to be trusted: any answer but a verdict is none
  return fail(Code::kCorrupt, "the media child did not answer with a verdict");
}

}  // namespace callimport::activities
