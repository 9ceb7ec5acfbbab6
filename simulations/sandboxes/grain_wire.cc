#include "simulations/sandboxes/grain_wire.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace callimport::simulations {
namespace {
using nlohmann::json;

constexpr std::array<std::string_view, 8> kSwitches = {"highlights", "participants",  "ai_action_items",
                                                       "ai_summary", "private_notes", "calendar_event",
                                                       "hubspot",    "screenshares"};
constexpr std::array<std::string_view, 7> kFilters = {
    "after_datetime", "before_datetime", "attendance", "participant_scope", "title_search", "team", "meeting_type"};

std::string_view type_name(const json& value) {
  switch (value.type()) {
    case json::value_t::null: return "Null";
    case json::value_t::object: return "Object";
    case json::value_t::array: return "Array";
    case json::value_t::string: return "String";
    case json::value_t::boolean: return "Boolean";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned: return "Integer";
    case json::value_t::number_float: return "Number";
    case json::value_t::binary:
    case json::value_t::discarded: break;
  }
  return "Unknown";
}

std::string mismatch(std::string_view expected, const json& value, std::string_view path) {
  return fmt::format("Invalid input arguments:\nType mismatch. Expected {} but got {}. At path: #{}", expected,
                     type_name(value), path);
}
std::string not_allowed(std::string_view path) {
  return fmt::format("Invalid input arguments:\nSchema does not allow additional properties. At path: #{}", path);
}
std::string not_in_enum(std::string_view path) {
  return fmt::format("Invalid input arguments:\nValue is not allowed in enum. At path: #{}", path);
}

std::optional<std::string> find_include_error(const json& include) {
  if (!include.is_object()) return mismatch("Object", include, "/include");
  for (const auto& [key, value] : include.items()) {
    const std::string path = "/include/" + key;
    if (key == "ai_template_sections") {
      if (!value.is_object()) return mismatch("Object", value, path);
    } else if (std::find(kSwitches.begin(), kSwitches.end(), key) == kSwitches.end()) {
      return not_allowed(path);
    } else if (!value.is_boolean()) {
      return mismatch("Boolean", value, path);
    }
  }
  return std::nullopt;
}

std::optional<std::string> find_filter_error(const json& filter) {
  if (!filter.is_object()) return mismatch("Object", filter, "/filter");
  for (const auto& [key, value] : filter.items()) {
    const std::string path = "/filter/" + key;
    if (std::find(kFilters.begin(), kFilters.end(), key) == kFilters.end()) return not_allowed(path);
    if (!value.is_string()) return mismatch("String", value, path);
    const auto& text = value.get_ref<const std::string&>();
    if (key.ends_with("_datetime") && !parse_utc(text))
      return fmt::format("Invalid input arguments:\nExpected to be a valid ISO 8601 date-time. At path: #{}", path);
    if (key == "attendance" && text != "hosted" && text != "attended") return not_in_enum(path);
    if (key == "participant_scope" && text != "internal" && text != "external") return not_in_enum(path);
  }
  return std::nullopt;
}

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json write_participants(const SandboxCall& call) {
  json all = json::array();
  const auto length = std::chrono::milliseconds{call.length_ms};
  for (const SandboxPerson& person : call.people) {
    json one = {{"id", person.id},
                {"name", person.name},
                {"scope", person.scope},
                {"email", or_null(person.email)},
                {"confirmed_attendee", person.attended},
                {"observed_join_time", nullptr},
                {"observed_leave_time", nullptr}};
    if (person.attended) {
      // The host's join is seen before the recorder starts.
      one["observed_join_time"] = format_utc(person.host ? call.start - 3s : call.start);
      one["observed_leave_time"] = format_utc(call.start + length);
    }
    all.push_back(std::move(one));
  }
  return all;
}

json write_recorders(const SandboxCall& call) {
  json all = json::array();
  for (const SandboxPerson& person : call.people) {
    if (person.host)
      all.push_back({{"id", person.user},
                     {"name", person.name},
                     {"email", or_null(person.email)},
                     {"participant_id", person.id}});
  }
  return all;
}

json write_action_items(const SandboxCall& call) {
  json items = json::array();
  if (call.people.size() < 2) return items;
  items.push_back(
      {{"status", "pending"},
       {"timestamp", call.duration_ms / 2},
       {"text", "Send the summary of " + call.title},
       {"assignee",
        {{"id", uuid_of(call.index, 1)}, {"name", call.people[0].name}, {"user_id", or_null(call.people[0].user)}}}});
  items.push_back({{"status", "completed"},
                   {"timestamp", call.duration_ms / 3},
                   {"text", "Book the next call"},
                   {"assignee", nullptr}});
  return items;
}

json write_highlights(const SandboxCall& call) {
  json clips = json::array();
  if (call.segments.empty()) return clips;
  const SandboxSegment& first = call.segments.front();
  clips.push_back({{"id", uuid_of(call.index, 2)},
                   {"recording_id", call.id},
                   {"text", "Opening of " + call.title},
                   {"transcript", first.text},
                   {"speakers", json::array({first.speaker})},
                   {"timestamp", first.start_ms},
                   {"duration", first.end_ms - first.start_ms},
                   {"tags", call.tags},
                   {"url", "https://grain.com/share/highlight/" + uuid_of(call.index, 2)},
                   {"thumbnail_url", nullptr},
                   {"created_datetime", format_utc(call.start + 1h)}});
  return clips;
}

std::string subtitle_time(std::int64_t ms, char point) {
  return fmt::format("{:02}:{:02}:{:02}{}{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, point, ms % 1000);
}
}  // namespace

SandboxReply json_reply(int status, const json& body) {
  SandboxReply reply;
  reply.status = status;
  reply.headers.emplace_back("content-type", "application/json; charset=utf-8");
  reply.body = body.dump();
  return reply;
}

SandboxReply error_reply(int status, std::string_view code, std::string_view text) {
  return json_reply(status, {{"error", code}, {"data", text}});
}

std::optional<std::string> find_schema_error(const json& body) {
  if (!body.is_object()) return mismatch("Object", body, "");
  for (const auto& [key, value] : body.items()) {
    if (key == "cursor") {
      if (!value.is_string() && !value.is_null()) return mismatch("String", value, "/cursor");
    } else if (key == "filter") {
      if (auto error = find_filter_error(value)) return error;
    } else if (key == "include") {
      if (auto error = find_include_error(value)) return error;
    } else {
      return not_allowed("/" + key);
    }
  }
  return std::nullopt;
}

bool asks_for_personal(const json& body) {
  const json include = body.value("include", json::object()), filter = body.value("filter", json::object());
  return include.value("private_notes", false) || filter.contains("attendance");
}

std::string meeting_type_of(const SandboxCall& call) {
  if (call.index % 5 == 4) return "";
  return call.external ? uuid_of(901, 1) : uuid_of(902, 2);
}

std::string team_of(const SandboxCall& call) { return call.external ? uuid_of(801, 1) : uuid_of(802, 2); }

json write_teams() {
  return json::array({{{"id", uuid_of(801, 1)}, {"name", "Sales"}}, {{"id", uuid_of(802, 2)}, {"name", "Delivery"}}});
}

json write_meeting_types() {
  return json::array({{{"id", uuid_of(901, 1)}, {"name", "Sales"}, {"scope", "external"}},
                      {{"id", uuid_of(902, 2)}, {"name", "Project & Team Coordination"}, {"scope", "internal"}}});
}

json write_recording(const SandboxCall& call, const json& include) {
  const auto wants = [&include](const char* what) { return include.value(what, false); };
  const std::string end = format_utc(call.start + std::chrono::milliseconds{call.length_ms});
  json out = {{"id", call.id},
              {"title", call.title},
              {"source", call.source},
              {"url", fmt::format("https://grain.com/share/recording/{}/{:016x}{:016x}{:08x}", call.id,
                                  mix(call.index, 31), mix(call.index, 32), call.index & 0xffffffffu)},
              {"media_type", call.media_type},
              {"tags", call.tags},
              {"start_datetime", format_utc(call.start)},
              {"end_datetime", end},
              {"duration_ms", call.duration_ms},
              {"thumbnail_url", nullptr},
              {"share_state", "workspace"},
              {"workspace_shared", false},
              {"meeting_type", nullptr},
              {"recorders", write_recorders(call)}};
  const json teams = write_teams(), types = write_meeting_types();
  out["teams"] = json::array({call.external ? teams[0] : teams[1]});
  if (!meeting_type_of(call).empty()) out["meeting_type"] = call.external ? types[0] : types[1];
  if (wants("participants")) out["participants"] = write_participants(call);
  if (wants("highlights")) out["highlights"] = write_highlights(call);
  if (wants("ai_summary")) out["ai_summary"] = {{"text", call.summary}};
  if (wants("ai_action_items")) out["ai_action_items"] = write_action_items(call);
  if (wants("private_notes")) out["private_notes"] = nullptr;
  if (wants("calendar_event")) {
    out["calendar_event"] = {{"ical_uid", fmt::format("{}@calendar.test", call.id.substr(0, 8))},
                             {"scheduled_start_datetime", format_utc(call.start - 60s)},
                             {"scheduled_end_datetime", end}};
  }
  if (wants("hubspot")) out["hubspot"] = {{"hubspot_company_ids", json::array()}, {"hubspot_deal_ids", json::array()}};
  if (wants("screenshares")) out["screenshares"] = json::array();
  if (include.contains("ai_template_sections"))
    out["ai_template_sections"] = json::array({{{"title", "Summary"}, {"data", call.summary}}});
  return out;
}

json write_transcript(const SandboxCall& call) {
  json all = json::array();
  for (const SandboxSegment& segment : call.segments) {
    all.push_back({{"participant_id", segment.person ? json(call.people[*segment.person].id) : json(nullptr)},
                   {"speaker", segment.speaker},
                   {"start", segment.start_ms},
                   {"end", segment.end_ms},
                   {"text", segment.text}});
  }
  return all;
}

std::string write_subtitles(const SandboxCall& call, std::string_view format) {
  std::string text = format == "vtt" ? "WEBVTT\n\n" : "";
  int cue = 0;
  for (const SandboxSegment& segment : call.segments) {
    if (format == "txt") {
      text += fmt::format("{}: {}\n", segment.speaker, segment.text);
      continue;
    }
    const char point = format == "srt" ? ',' : '.';
    text += fmt::format("{}\n{} --> {}\n{}: {}\n\n", ++cue, subtitle_time(segment.start_ms, point),
                        subtitle_time(segment.end_ms, point), segment.speaker, segment.text);
  }
  return text;
}

}  // namespace callimport::simulations
