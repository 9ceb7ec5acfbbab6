#include "activities/webhooks/payload.h"

#include <nlohmann/json.hpp>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using Json = nlohmann::ordered_json;

std::string utc(std::int64_t ms) { return format_utc(from_unix_ms(ms)); }

std::string envelope(const PayloadSource& source, const EventHead& head, Json data) {
  Json event = {{"specversion", "1.0"},
                {"id", head.id},
                {"source", "/callimport/" + source.library},
                {"type", head.type},
                {"subject", head.subject},
                {"time", utc(head.at_ms)},
                {"datacontenttype", "application/json"},
                {"data", std::move(data)}};
  if (head.subject.empty()) event.erase("subject");
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json media_of(const storage::RegisteredCall& call) {
  if (!call.media) return nullptr;
  return {{"sha256", call.media->hash},
          {"bytes", call.media->bytes},
          {"container", call.media->container},
          {"audio_codec", call.media->audio_codec},
          {"video_codec", call.media->video_codec},
          {"duration_ms", or_null(call.media->duration_ms)}};
}

Json call_of(const PayloadSource& source, const storage::RegisteredCall& call) {
  return {{"id", call.id},
          {"import", call.import},
          {"data_source",
           {{"platform", call.platform},
            {"workspace", call.workspace},
            {"source_id", call.source_id},
            {"source", call.source}}},
          {"start", utc(call.start_ms)},
          {"end", call.end_ms ? Json(utc(*call.end_ms)) : Json(nullptr)},
          {"duration_ms", or_null(call.duration_ms)},
          {"privacy", call.privacy},
          {"media_type", call.media_type},
          {"media", media_of(call)},
          {"transcript", call.transcript_state},
          {"url", source.link_base + "/calls/" + call.id}};
}

Json changed_of(int what) {
  Json names = Json::array();
  if ((what & storage::kChangedDetails) != 0) names.push_back("details");
  if ((what & storage::kChangedWords) != 0) names.push_back("words");
  if ((what & storage::kChangedMedia) != 0) names.push_back("media");
  return names;
}

}  // namespace

std::string import_payload(const PayloadSource& source, const EventHead& head, const std::string& event,
                           const std::optional<storage::Moment>& moment) {
  Json data = {{"version", kPayloadVersion}, {"event", event}};
  if (!head.subject.empty()) {
    data["import"] = head.subject;
    data["url"] = source.link_base + "/imports/" + head.subject;
  }
  if (moment) {
    const auto& [row, lane, counters] = *moment;
    data["lane"] = lane == storage::Lane::kFirst ? "first" : "bulk";
    data["stage"] = row.stage;
    data["condition"] = row.condition;
    data["reason"] = row.reason;
    data["until"] = row.until_ms ? Json(utc(*row.until_ms)) : Json(nullptr);
    data["counts"] = {{"found", counters.found},         {"registered", counters.registered},
                      {"duplicate", counters.duplicate}, {"skipped", counters.skipped},
                      {"failed", counters.failed},       {"pending", counters.pending}};
  }
  return envelope(source, head, std::move(data));
}

std::string calls_payload(const PayloadSource& source, const EventHead& head,
                          const std::vector<storage::RegisteredCall>& calls) {
  Json data = {{"version", kPayloadVersion}, {"counts", {{"calls", calls.size()}}}, {"calls", Json::array()}};
  for (const auto& call : calls) data["calls"].push_back(call_of(source, call));
  return envelope(source, head, std::move(data));
}

std::string changes_payload(const PayloadSource& source, const EventHead& head,
                            const std::vector<storage::ChangedCall>& changes) {
  Json data = {{"version", kPayloadVersion}, {"counts", {{"calls", changes.size()}}}, {"calls", Json::array()}};
  for (const auto& change : changes) {
    Json call = call_of(source, change.call);
    call["changed"] = changed_of(change.what);
    data["calls"].push_back(std::move(call));
  }
  return envelope(source, head, std::move(data));
}

std::string test_payload(const PayloadSource& source, const EventHead& head, const std::string& asked_by) {
  return envelope(source, head, {{"version", kPayloadVersion}, {"asked_by", asked_by}});
}

}  // namespace callimport::activities
