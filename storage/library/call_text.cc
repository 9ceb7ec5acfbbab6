#include "storage/library/call_text.h"

#include <nlohmann/json.hpp>

namespace callimport::storage {

namespace {

using Json = nlohmann::json;

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class T>
Json optional_to_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
template <class T>
std::optional<T> optional_from_json(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<T>();
}

Json to_value(const Participant& p) {
  return {p.source_id, p.name, p.email, p.scope, optional_to_json(p.attended), p.host, p.phone, p.user};
}
Participant participant_from(const Json& json) {
  return {.source_id = json.at(0),
          .name = json.at(1),
          .email = json.at(2),
          .scope = json.at(3),
          .attended = optional_from_json<bool>(json.at(4)),
          .host = json.at(5),
          .phone = json.size() > 6 ? json.at(6) : Json(""),
          .user = json.size() > 7 ? json.at(7) : Json("")};
}

Json to_value(const Segment& s) { return {s.speaker, s.participant, s.start_ms, s.end_ms, s.text}; }
Segment segment_from(const Json& json) {
  return {.speaker = json.at(0),
          .participant = json.at(1),
          .start_ms = json.at(2),
          .end_ms = json.at(3),
          .text = json.at(4)};
}

Json to_value(const MediaFacts& m) {
  return {m.hash, m.bytes, m.container, m.audio_codec, m.video_codec, optional_to_json(m.duration_ms)};
}
MediaFacts media_from(const Json& json) {
  return {.hash = json.at(0),
          .bytes = json.at(1),
          .container = json.at(2),
          .audio_codec = json.at(3),
          .video_codec = json.at(4),
          .duration_ms = optional_from_json<std::int64_t>(json.at(5))};
}

template <class T>
Json list_to_json(const std::vector<T>& items) {
  Json json = Json::array();
  json.get_ref<Json::array_t&>().reserve(items.size());
  for (const auto& item : items) json.push_back(to_value(item));
  return json;
}
template <class T, class From>
std::vector<T> list_from_json(const Json& json, From from) {
  std::vector<T> items;
  items.reserve(json.size());
  for (const auto& item : json) items.push_back(from(item));
  return items;
}

Call call_from(const Json& json) {
  Call call{.id = {},
            .platform = json.at("platform"),
            .workspace = json.at("workspace"),
            .source_id = json.at("source_id"),
            .title = json.at("title"),
            .source = json.at("source"),
            .media_type = json.at("media_type"),
            .start_ms = json.at("start_ms"),
            .end_ms = optional_from_json<std::int64_t>(json.at("end_ms")),
            .duration_ms = optional_from_json<std::int64_t>(json.at("duration_ms")),
            .tags = json.at("tags").get<std::vector<std::string>>(),
            .participants = list_from_json<Participant>(json.at("participants"), participant_from),
            .segments = list_from_json<Segment>(json.at("segments"), segment_from),
            .media = std::nullopt,
            .transcript_state = json.at("transcript_state"),
            .details = json.at("details"),
            .import = json.at("import"),
            .fetched_ms = json.at("fetched_ms"),
            .privacy = json.value("privacy", "")};
  if (!json.at("media").is_null()) call.media = media_from(json.at("media"));
  return call;
}

}  // namespace

std::string to_json(const Call& call) {
  Json json;
  json["platform"] = call.platform;
  json["workspace"] = call.workspace;
  json["source_id"] = call.source_id;
  json["title"] = call.title;
  json["source"] = call.source;
  json["media_type"] = call.media_type;
  json["start_ms"] = call.start_ms;
  json["end_ms"] = optional_to_json(call.end_ms);
  json["duration_ms"] = optional_to_json(call.duration_ms);
  json["tags"] = call.tags;
  json["participants"] = list_to_json(call.participants);
  json["segments"] = list_to_json(call.segments);
  json["media"] = call.media ? to_value(*call.media) : Json(nullptr);
  json["transcript_state"] = call.transcript_state;
  json["details"] = call.details;
  json["import"] = call.import;
  json["fetched_ms"] = call.fetched_ms;
  json["privacy"] = call.privacy;
  return dumped(json);
}

Result<Call> call_from_json(std::string_view text) {
  try {
    return call_from(Json::parse(text));
  } catch (const Json::exception& error) {
    return fail(Code::kCorrupt, std::string("a staged call is not readable: ") + error.what());
  }
}

std::string tags_to_json(const std::vector<std::string>& tags) { return dumped(Json(tags)); }

Result<std::vector<std::string>> tags_from_json(std::string_view text) {
  try {
    return Json::parse(text).get<std::vector<std::string>>();
  } catch (const Json::exception& error) {
    return fail(Code::kCorrupt, std::string("the tags of a call are not readable: ") + error.what());
  }
}

}  // namespace callimport::storage
