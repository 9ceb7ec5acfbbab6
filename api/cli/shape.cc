#include "api/cli/shape.h"

#include <nlohmann/json.hpp>

#include "activities/import/advice.h"
#include "storage/model/time.h"
#include "workflows/import/table.h"

namespace callimport::api {
namespace {

using nlohmann::json;

std::string iso(std::int64_t ms) { return format_utc(from_unix_ms(ms)); }
double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000.0; }
/// JSON inside a string field becomes a value; text that is not JSON stays text.
json embedded(const std::string& text) {
  if (text.empty()) return nullptr;
  auto parsed = json::parse(text, nullptr, false);
  return parsed.is_discarded() ? json(text) : parsed;
}

json shape(const v1::LaneStatus& status) {
  json out = {{"stage", status.stage()}, {"condition", status.condition()}};
  if (!status.reason().empty()) out["reason"] = status.reason();
  if (!status.who().empty()) out["who"] = status.who();
  if (!status.why().empty()) out["why"] = status.why();
  if (status.has_until_ms()) out["until"] = iso(status.until_ms());
  return out;
}

json shape(const v1::Counters& counters) {
  return {{"found", counters.found()},
          {"registered", counters.registered()},
          {"duplicate", counters.duplicate()},
          {"skipped", counters.skipped()},
          {"failed", counters.failed()},
          {"pending", counters.pending()},
          {"media_bytes", counters.media_bytes()}};
}

}  // namespace

const v1::LaneStatus& shown_lane(const v1::Import& import) {
  const auto place = [](const v1::LaneStatus& status) {
    return workflows::Place{workflows::parse_stage(status.stage()).value_or(workflows::Stage::kAuthenticate),
                            workflows::parse_condition(status.condition()).value_or(workflows::Condition::kRunning)};
  };
  if (import.first().condition().empty()) return import.bulk();
  if (import.bulk().condition().empty()) return import.first();
  return workflows::first_is_shown(place(import.first()), place(import.bulk())) ? import.first() : import.bulk();
}

json shape(const v1::Import& import) {
  const auto& lane = shown_lane(import);
  json out = {{"id", import.id()},
              {"platform", import.platform()},
              {"workspace", import.workspace()},
              {"title", import.title()},
              {"stage", lane.stage()},
              {"condition", lane.condition()},
              {"credential", import.credential()},
              {"created", iso(import.created_ms())},
              {"closed", import.has_closed_ms() ? json(iso(import.closed_ms())) : json(nullptr)},
              {"first_ready", import.has_first_ready_ms() ? json(iso(import.first_ready_ms())) : json(nullptr)},
              {"first", import.has_first() ? shape(import.first()) : json(nullptr)},
              {"bulk", shape(import.bulk())},
              {"counters", import.has_counters() ? shape(import.counters()) : json(nullptr)},
              {"enumerated", import.enumerated()},
              {"change", import.change()}};
  if (const auto input = embedded(import.input()); input.is_object()) out["started_by"] = input.value("started_by", "");
  if (!lane.reason().empty()) out["reason"] = lane.reason();
  if (!lane.who().empty()) out["who"] = lane.who();
  if (!lane.why().empty()) out["why"] = lane.why();
  if (lane.has_until_ms()) out["until"] = iso(lane.until_ms());
  if (import.has_eta()) {
    const auto& eta = import.eta();
    out["eta"] = {{"from", eta.has_from_ms() ? json(iso(eta.from_ms())) : json(nullptr)},
                  {"to", eta.has_to_ms() ? json(iso(eta.to_ms())) : json(nullptr)},
                  {"cause", eta.cause()},
                  {"calls_per_minute", eta.calls_per_minute()},
                  {"accuracy", eta.accuracy()}};
    if (eta.has_pause_ms())
      out["eta"]["next_pause"] = {{"at", iso(eta.pause_ms())},
                                  {"cause", eta.pause_cause()},
                                  {"goes_on", eta.has_goes_on_ms() ? json(iso(eta.goes_on_ms())) : json(nullptr)}};
  }
  if (!import.report().empty()) out["report"] = embedded(import.report());
  return out;
}

json shape(const v1::ImportCall& call) {
  json out = {{"source_id", call.source_id()},   {"title", call.title()},   {"start", iso(call.start_ms())},
              {"media_type", call.media_type()}, {"lane", call.lane()},     {"state", call.state()},
              {"cause", call.cause()},           {"detail", call.detail()}, {"attempts", call.attempts()}};
  if (call.has_duration_ms()) out["duration_s"] = seconds(call.duration_ms());
  if (!call.repeats().empty()) out["repeats"] = call.repeats();
  if (call.has_not_before_ms()) out["not_before"] = iso(call.not_before_ms());
  return out;
}

json shape(const v1::Problem& problem) {
  const auto& advice = activities::advice_for(problem.cause());
  json out = {{"cause", problem.cause()},     {"detail", problem.detail()},
              {"calls", problem.calls()},     {"failed", problem.failed()},
              {"example", problem.example()}, {"what", advice.what},
              {"means", advice.means},        {"who", advice.who}};
  if (problem.has_first_ms()) out["first"] = iso(problem.first_ms());
  if (problem.has_last_ms()) out["last"] = iso(problem.last_ms());
  out["new"] = problem.is_new();
  out["came_back"] = problem.has_came_back_ms() ? json(iso(problem.came_back_ms())) : json(nullptr);
  out["set_aside"] = problem.set_aside();
  return out;
}

json shape(const v1::StageTime& stage) {
  json out = {
      {"stage", stage.stage()}, {"duration_s", seconds(stage.duration_ms())}, {"waited_s", seconds(stage.waited_ms())}};
  if (stage.has_calls()) out["calls"] = stage.calls();
  if (stage.has_calls_per_minute()) out["calls_per_minute"] = stage.calls_per_minute();
  return out;
}

json shape(const v1::Attempt& attempt) {
  return {{"number", attempt.number()},   {"at", iso(attempt.at_ms())}, {"duration_s", seconds(attempt.took_ms())},
          {"outcome", attempt.outcome()}, {"cause", attempt.cause()},   {"detail", attempt.detail()}};
}

json shape(const v1::TimelineEntry& entry) {
  json out = shape(entry.status());
  out["change"] = entry.change();
  out["at"] = iso(entry.at_ms());
  out["lane"] = entry.lane();
  out["counters"] = shape(entry.counters());
  return out;
}

json shape(const v1::Notification& notification) {
  return {{"id", notification.id()},       {"import", notification.import()},   {"at", iso(notification.at_ms())},
          {"event", notification.event()}, {"subject", notification.subject()}, {"text", notification.text()},
          {"next", notification.next()}};
}

json shape(const v1::Call& call) {
  json out = {{"id", call.id()},
              {"platform", call.platform()},
              {"workspace", call.workspace()},
              {"source_id", call.source_id()},
              {"title", call.title()},
              {"source", call.source()},
              {"media_type", call.media_type()},
              {"start", iso(call.start_ms())},
              {"tags", call.tags()},
              {"transcript", call.transcript_state()},
              {"import", call.import()},
              {"privacy", call.privacy()},
              {"withheld", call.withheld()},
              {"fetched", iso(call.fetched_ms())}};
  if (call.has_end_ms()) out["end"] = iso(call.end_ms());
  if (call.has_duration_ms()) out["duration_s"] = seconds(call.duration_ms());
  out["participants"] = json::array();
  for (const auto& person : call.participants()) {
    json one = {{"name", person.name()},
                {"email", person.email()},
                {"scope", person.scope()},
                {"host", person.host()},
                {"source_id", person.source_id()}};
    if (person.has_attended()) one["attended"] = person.attended();
    if (!person.phone().empty()) one["phone"] = person.phone();
    if (!person.user().empty()) one["user_id"] = person.user();
    one["match"] = person.match();
    one["side"] = person.side();
    if (!person.person().empty()) one["person"] = {{"id", person.person()}, {"name", person.person_name()}};
    if (!person.company().empty()) one["company"] = person.company();
    out["participants"].push_back(std::move(one));
  }
  if (call.segments_size() > 0) out["segments"] = json::array();
  for (const auto& segment : call.segments()) {
    out["segments"].push_back({{"speaker", segment.speaker()},
                               {"participant", segment.participant()},
                               {"start_s", seconds(segment.start_ms())},
                               {"end_s", seconds(segment.end_ms())},
                               {"text", segment.text()}});
  }
  if (call.has_media()) {
    json media = {{"sha256", call.media().hash()},
                  {"bytes", call.media().bytes()},
                  {"container", call.media().container()},
                  {"audio_codec", call.media().audio_codec()},
                  {"video_codec", call.media().video_codec()}};
    if (call.media().has_duration_ms()) media["duration_s"] = seconds(call.media().duration_ms());
    out["media"] = std::move(media);
  }
  if (!call.details().empty()) out["details"] = embedded(call.details());
  return out;
}

json shape(const v1::SearchHit& hit) {
  std::string plain;
  for (const char c : hit.text()) {
    if (c != '\x02' && c != '\x03') plain += c;
  }
  return {{"call", hit.call()},
          {"title", hit.title()},
          {"speaker", hit.speaker()},
          {"text", plain},
          {"at_s", seconds(hit.start_ms())},
          {"call_start", iso(hit.call_start_ms())},
          {"found_in", hit.heading() ? "title" : "transcript"},
          {"platform", hit.platform()},
          {"import", hit.import()},
          {"privacy", hit.privacy()}};
}

json shape(const v1::QuarantinedFile& file) {
  json out = {{"import", file.import()}, {"source_id", file.source_id()}, {"sha256", file.sha256()},
              {"bytes", file.bytes()},   {"cause", file.cause()},         {"detail", file.detail()},
              {"at", iso(file.at_ms())}};
  out["path"] = file.path().empty() ? json(nullptr) : json(file.path());
  return out;
}

json shape(const v1::Credential& credential) {
  json out = {{"id", credential.id()},     {"platform", credential.platform()}, {"workspace", credential.workspace()},
              {"kind", credential.kind()}, {"label", credential.label()},       {"added", iso(credential.added_ms())}};
  out["expires"] = credential.has_expires_ms() ? json(iso(credential.expires_ms())) : json(nullptr);
  out["wiped"] = credential.has_wiped_ms() ? json(iso(credential.wiped_ms())) : json(nullptr);
  return out;
}

json shape(const v1::Budget& budget) {
  json out = {{"platform", budget.platform()},
              {"workspace", budget.workspace()},
              {"what", budget.what()},
              {"limit", budget.limit()},
              {"period_s", seconds(budget.period_ms())},
              {"used", budget.used()},
              {"left", budget.left()},
              {"imports", budget.imports()}};
  out["resets"] = budget.has_resets_ms() ? json(iso(budget.resets_ms())) : json(nullptr);
  out["blocked_until"] = budget.has_blocked_until_ms() ? json(iso(budget.blocked_until_ms())) : json(nullptr);
  return out;
}

std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

const std::vector<Column>& import_call_columns() {
  static const std::vector<Column> columns = plain_columns(
      {"source_id", "title", "start", "duration_s", "media_type", "lane", "state", "cause", "detail", "attempts"});
  return columns;
}

const std::vector<Column>& problem_columns() {
  static const std::vector<Column> columns =
      plain_columns({"calls", "cause", "detail", "failed", "first", "last", "example", "what", "means", "who", "new",
                     "came_back", "set_aside"});
  return columns;
}

const std::vector<Column>& import_columns() {
  static const std::vector<Column> columns = {{"id", "id"},
                                              {"platform", "platform"},
                                              {"workspace", "workspace"},
                                              {"title", "title"},
                                              {"stage", "stage"},
                                              {"condition", "condition"},
                                              {"reason", "reason"},
                                              {"until", "until"},
                                              {"started_by", "started_by"},
                                              {"created", "created"},
                                              {"closed", "closed"},
                                              {"found", "counters.found"},
                                              {"registered", "counters.registered"},
                                              {"duplicate", "counters.duplicate"},
                                              {"skipped", "counters.skipped"},
                                              {"failed", "counters.failed"},
                                              {"pending", "counters.pending"},
                                              {"media_bytes", "counters.media_bytes"}};
  return columns;
}

std::vector<Column> plain_columns(const std::vector<std::string>& names) {
  std::vector<Column> columns;
  for (const auto& name : names) columns.push_back({name, name});
  return columns;
}

}  // namespace callimport::api
